"""Who is signed in, and which sign-ins by a provider are used up.

A token is kept as its hash alone; the name, and what a provider wants to hear at the end, lie sealed under the token
itself. So a copy of the store tells neither who was here nor under which name.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from nacl.secret import SecretBox

from services.shared.errors import Conflict
from services.shared.store import Database, Duplicate, Tx

FIRST_STEP: Final = """
    CREATE TABLE sessions (
        token_hash {blob} PRIMARY KEY,
        subject TEXT NOT NULL,
        roles TEXT NOT NULL,
        name TEXT NOT NULL,
        expires_at {bigint} NOT NULL
    );
    CREATE INDEX sessions_by_end ON sessions (expires_at)
    """
SEALED_STEP: Final = """
    DROP TABLE sessions;
    CREATE TABLE sessions (
        token_hash {blob} PRIMARY KEY,
        subject TEXT NOT NULL,
        roles TEXT NOT NULL,
        sealed_name {blob} NOT NULL,
        told {blob},
        shared INTEGER NOT NULL,
        opened_at {bigint} NOT NULL,
        expires_at {bigint} NOT NULL
    );
    CREATE INDEX sessions_by_end ON sessions (expires_at);
    CREATE INDEX sessions_of ON sessions (subject);
    CREATE TABLE spent_states (state_hash {blob} PRIMARY KEY, expires_at {bigint} NOT NULL)
    """
SPENT_SECONDS: Final = 3600  # longer than any state is good
SHARED_SECONDS: Final = 20 * 60
"""A session on a computer that others use after this person."""
LONGEST_SECONDS: Final = 12 * 3600
"""However often a session is prolonged, it ends so long after the sign-in."""
REMEMBERED_SECONDS: Final = 12 * 3600
"""How long it is known whose an ended session was: a form that was being filled in then can still be kept for them."""


@dataclass(frozen=True, slots=True)
class Session:
    """A person who has signed in. `subject` is identity's opaque id; `name` is shown to that person alone."""

    subject: str
    roles: frozenset[str]
    name: str
    opened_at: int
    expires_at: int
    shared: bool = False
    vouched: bool = False
    """Whether a provider of identities vouched for the person."""


class StateSpent(Conflict):
    reason = "this sign-in was used already"


class Sessions:
    """Sessions end at a fixed moment: they are not prolonged by use, because that would be a trace of it; the person
    can ask for more time."""

    def __init__(self, database: Database, seconds: int, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._seconds = seconds
        self._clock = clock

    def open(
        self, subject: str, roles: Iterable[str], name: str, *, told: bytes | None = None, shared: bool = False
    ) -> str:
        """Remembers a person and returns the secret token of the new session; forgets the sessions of yesterday."""
        now = int(self._clock())
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM sessions WHERE expires_at <= ?", (now - REMEMBERED_SECONDS,))
            ends = now + self._length(shared)
            return self._insert(tx, Session(subject, frozenset(roles), name, now, ends, shared), told)

    def prolong(self, token: str, roles: Iterable[str]) -> int | None:
        """More time, with the roles that the person has now: when it ends. None: it has ended already. On a shared
        computer no role is added: one opened at the desk holds fewer than the person has."""
        found, now = self.find(token), int(self._clock())
        if found is None:
            return None
        ends = max(found.expires_at, min(now + self._length(found.shared), found.opened_at + LONGEST_SECONDS))
        roles = found.roles & frozenset(roles) if found.shared else roles
        sql = "UPDATE sessions SET roles = ?, expires_at = ? WHERE token_hash = ? AND expires_at > ?"
        with self._database.transaction() as tx:
            tx.execute(sql, (" ".join(sorted(roles)), ends, _hash(token), now))
        return ends

    def share(self, token: str) -> str | None:
        """The same person, as on a computer that others use, under a new token; the old one opens nothing any more.
        None: the session has ended."""
        found = self.find(token)
        if found is None:
            return None
        told, now = self.told(token), int(self._clock())
        ends = min(found.expires_at, now + self._length(shared=True))
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM sessions WHERE token_hash = ?", (_hash(token),))
            return self._insert(tx, replace(found, shared=True, expires_at=ends), told)

    def find(self, token: str) -> Session | None:
        """The person of a session that has not ended."""
        sql = """SELECT subject, roles, sealed_name, told, shared, opened_at, expires_at FROM sessions
                 WHERE token_hash = ? AND expires_at > ?"""
        with self._database.transaction(write=False) as tx:
            rows = tx.execute(sql, (_hash(token), int(self._clock())))
        if not rows:
            return None
        subject, roles, name, told, shared, opened, ends = rows[0]
        shown = _box(token).decrypt(bytes(name)).decode()
        return Session(
            subject, frozenset(roles.split()), shown, int(opened), int(ends), bool(shared), vouched=told is not None
        )

    def ended(self, token: str) -> str | None:
        """Whose a session was that ended by its time, lately, and not on a shared computer."""
        sql = "SELECT subject FROM sessions WHERE token_hash = ? AND expires_at <= ? AND shared = 0"
        with self._database.transaction(write=False) as tx:
            rows = tx.execute(sql, (_hash(token), int(self._clock())))
        return str(rows[0][0]) if rows else None

    def told(self, token: str) -> bytes | None:
        """What `open` was told with this session."""
        with self._database.transaction(write=False) as tx:
            rows = tx.execute("SELECT told FROM sessions WHERE token_hash = ?", (_hash(token),))
        return _box(token).decrypt(bytes(rows[0][0])) if rows and rows[0][0] is not None else None

    def spend(self, state: str) -> None:
        """Uses up a provider's answer. Raises StateSpent when that was done before, by any process."""
        now = int(self._clock())
        try:
            with self._database.transaction() as tx:
                tx.execute("DELETE FROM spent_states WHERE expires_at <= ?", (now,))
                tx.execute("INSERT INTO spent_states VALUES (?, ?)", (_hash(state), now + SPENT_SECONDS))
        except Duplicate:
            raise StateSpent from None

    def close(self, token: str) -> None:
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM sessions WHERE token_hash = ?", (_hash(token),))

    def close_all(self, subject: str) -> None:
        """Every session of a person, on every browser."""
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM sessions WHERE subject = ?", (subject,))

    def of(self, subject: str) -> list[tuple[int, int]]:
        """When each session of a person was opened and ends (or ended), in seconds since 1970; the newest first."""
        sql = "SELECT opened_at, expires_at FROM sessions WHERE subject = ? ORDER BY opened_at DESC"
        with self._database.transaction(write=False) as tx:
            return [(int(opened), int(ends)) for opened, ends in tx.execute(sql, (subject,))]

    def _length(self, shared: bool) -> int:
        return min(self._seconds, SHARED_SECONDS) if shared else self._seconds

    def _insert(self, tx: Tx, session: Session, told: bytes | None) -> str:
        token = secrets.token_urlsafe(32)
        box = _box(token)
        name, roles = bytes(box.encrypt(session.name.encode())), " ".join(sorted(session.roles))
        kept = bytes(box.encrypt(told)) if told is not None else None
        times = (int(session.shared), session.opened_at, session.expires_at)
        row = (_hash(token), session.subject, roles, name, kept, *times)
        tx.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        return token


def _box(token: str) -> SecretBox:
    return SecretBox(hmac.digest(token.encode(), b"parvis/gateway/told/v1", "sha256"))


def _hash(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
