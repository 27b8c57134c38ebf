"""The gateway's own store: who is signed in, and nothing else.

No ballot data ever comes here: no choice, no tracker, no credential, no receipt, no code de vote; nor does any page
write to it while a person votes, so that no row tells when. A token is kept as its hash alone.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from services.shared.store import Database

STEPS: Final = (
    """
    CREATE TABLE sessions (
        token_hash {blob} PRIMARY KEY,
        subject TEXT NOT NULL,
        roles TEXT NOT NULL,
        name TEXT NOT NULL,
        expires_at {bigint} NOT NULL
    );
    CREATE INDEX sessions_by_end ON sessions (expires_at)
    """,
)


@dataclass(frozen=True, slots=True)
class Session:
    """A person who has signed in. `subject` is identity's opaque id; `name` is shown to that person alone."""

    subject: str
    roles: frozenset[str]
    name: str


class Sessions:
    """Sessions end at a fixed moment: they are not prolonged by use, because that would be a trace of it."""

    def __init__(self, database: Database, seconds: int, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._seconds = seconds
        self._clock = clock

    def open(self, subject: str, roles: Iterable[str], name: str) -> str:
        """Remembers a person and returns the secret token of the new session; forgets the sessions that have ended."""
        token = secrets.token_urlsafe(32)
        now = int(self._clock())
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM sessions WHERE expires_at <= ?", (now,))
            tx.execute(
                "INSERT INTO sessions (token_hash, subject, roles, name, expires_at) VALUES (?, ?, ?, ?, ?)",
                (_hash(token), subject, " ".join(sorted(roles)), name, now + self._seconds),
            )
        return token

    def find(self, token: str) -> Session | None:
        """The person of a session that has not ended."""
        with self._database.transaction(write=False) as tx:
            rows = tx.execute(
                "SELECT subject, roles, name FROM sessions WHERE token_hash = ? AND expires_at > ?",
                (_hash(token), int(self._clock())),
            )
        return Session(rows[0][0], frozenset(rows[0][1].split()), rows[0][2]) if rows else None

    def close(self, token: str) -> None:
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM sessions WHERE token_hash = ?", (_hash(token),))

    def check(self) -> None:
        """Raises StoreFailed when sessions cannot be read."""
        self._database.check(STEPS)


def _hash(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
