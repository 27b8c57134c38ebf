"""One key a person, which seals what the service knows of them. A store of its own, in no ordinary backup.

Erasure destroys the key: what it sealed cannot be read any more, in this store's copies neither.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Final

from nacl.exceptions import CryptoError
from nacl.secret import Aead

from services.shared.store import Database, StoreFailed
from services.shared.strict import canonical, parse

VAULT_STEPS: Final = ("CREATE TABLE person_key (subject TEXT PRIMARY KEY, key {blob} NOT NULL)",)
_CHUNK: Final = 500
Fields = Mapping[str, str]


class Vault:
    """XChaCha20-Poly1305; the subject is authenticated with the fields, so that no row can pass for another's."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def seal(self, people: Mapping[str, Fields]) -> dict[str, bytes]:
        """{subject: sealed fields}. Who has no key yet gets one, on disk before anything is sealed with it."""
        keys = self._keys(people)
        new = {subject: secrets.token_bytes(Aead.KEY_SIZE) for subject in people if subject not in keys}
        if new:
            with self.database.transaction() as tx:
                tx.executemany("INSERT INTO person_key VALUES (?, ?)", sorted(new.items()))
        keys |= new
        return {
            subject: bytes(Aead(keys[subject]).encrypt(canonical(dict(fields)), subject.encode()))
            for subject, fields in people.items()
        }

    def open(self, subject: str, sealed: bytes) -> dict[str, str] | None:
        """None: the key is destroyed. Raises StoreFailed when the key there is does not open it."""
        key = self._keys([subject]).get(subject)
        if key is None:
            return None
        try:
            found: dict[str, str] = parse(Aead(key).decrypt(sealed, subject.encode()))
        except CryptoError:
            raise StoreFailed(f"{self.database.name} holds another key than the one that sealed a person") from None
        return found

    def destroy(self, subject: str) -> None:
        """Harmless when repeated. On SQLite the bytes are overwritten, in the write-ahead log too."""
        with self.database.transaction() as tx:
            tx.execute("DELETE FROM person_key WHERE subject = ?", (subject,))
        self.database.truncate_log()

    def _keys(self, subjects: Iterable[str]) -> dict[str, bytes]:
        wanted, found = list(subjects), {}
        with self.database.transaction(write=False) as tx:
            for first in range(0, len(wanted), _CHUNK):
                some = wanted[first : first + _CHUNK]
                marks = ",".join("?" * len(some))
                for subject, key in tx.execute(f"SELECT subject, key FROM person_key WHERE subject IN ({marks})", some):
                    found[subject] = bytes(key)
        return found
