"""One key a person, which seals what the service knows of them. A store of its own, in no ordinary backup.

Erasure destroys the key: what it sealed cannot be read any more, in this store's copies neither.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from nacl.exceptions import CryptoError
from nacl.secret import Aead

from services.shared.store import Database, StoreFailed
from services.shared.strict import canonical, parse

VAULT_STEPS: Final = ("CREATE TABLE person_key (subject TEXT PRIMARY KEY, key {blob} NOT NULL)",)
_CHUNK: Final = 500
Fields = Mapping[str, str]
Item = tuple[str, str, bytes]  # owner, place, what is sealed or to be sealed


class Vault:
    """XChaCha20-Poly1305; the subject is authenticated with the fields, so that no row can pass for another's."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def seal(self, people: Mapping[str, Fields]) -> dict[str, bytes]:
        """{subject: sealed fields}. Who has no key yet gets one, on disk before anything is sealed with it."""
        keys = self._keys_for(people)
        return {
            subject: bytes(Aead(keys[subject]).encrypt(canonical(dict(fields)), subject.encode()))
            for subject, fields in people.items()
        }

    def open(self, subject: str, sealed: bytes) -> dict[str, str] | None:
        """None: the key is destroyed. Raises StoreFailed when the key there is does not open it."""
        return self.open_all({subject: sealed}).get(subject)

    def open_all(self, sealed: Mapping[str, bytes]) -> dict[str, dict[str, str]]:
        """{subject: fields} of those whose key is there. Raises StoreFailed as `open`."""
        keys = self._keys(sealed)
        return {s: parse(self._opened(keys[s], data, s.encode())) for s, data in sealed.items() if s in keys}

    def seal_items(self, items: Sequence[Item]) -> list[bytes]:
        """Each (owner, place, bytes) under its owner's key, who gets one if there is none; it opens there alone."""
        keys = self._keys_for({owner for owner, _, _ in items})
        return [bytes(Aead(keys[owner]).encrypt(data, _bound(owner, place))) for owner, place, data in items]

    def open_items(self, items: Sequence[Item]) -> list[bytes | None]:
        """Of each (owner, place, sealed) what was sealed; None: the key is destroyed. Raises StoreFailed as `open`."""
        keys = self._keys({owner for owner, _, _ in items})
        return [
            self._opened(keys[owner], sealed, _bound(owner, place)) if owner in keys else None
            for owner, place, sealed in items
        ]

    def derived(self, subject: str, use: str) -> bytes | None:
        """A key for what another store keeps of this person, which dies with the person's own. None: there is none."""
        key = self._keys([subject]).get(subject)
        return None if key is None else hmac.digest(key, b"parvis/vault/v1\n" + use.encode(), "sha256")

    def destroy(self, subject: str) -> None:
        """Harmless when repeated. On SQLite the bytes are overwritten, in the write-ahead log too."""
        with self.database.transaction() as tx:
            tx.execute("DELETE FROM person_key WHERE subject = ?", (subject,))
        self.database.truncate_log()

    def _keys_for(self, subjects: Iterable[str]) -> dict[str, bytes]:
        wanted = list(subjects)
        keys = self._keys(wanted)
        new = {subject: secrets.token_bytes(Aead.KEY_SIZE) for subject in wanted if subject not in keys}
        if new:
            with self.database.transaction() as tx:
                tx.executemany("INSERT INTO person_key VALUES (?, ?)", sorted(new.items()))
        return keys | new

    def _opened(self, key: bytes, sealed: bytes, bound: bytes) -> bytes:
        try:
            return bytes(Aead(key).decrypt(sealed, bound))
        except CryptoError:
            raise StoreFailed(f"{self.database.name} holds another key than the one that sealed this") from None

    def _keys(self, subjects: Iterable[str]) -> dict[str, bytes]:
        wanted, found = list(subjects), {}
        with self.database.transaction(write=False) as tx:
            for first in range(0, len(wanted), _CHUNK):
                some = wanted[first : first + _CHUNK]
                marks = ",".join("?" * len(some))
                for subject, key in tx.execute(f"SELECT subject, key FROM person_key WHERE subject IN ({marks})", some):
                    found[subject] = bytes(key)
        return found


def _bound(owner: str, place: str) -> bytes:
    return f"{owner}\n{place}".encode()
