"""Forms that were begun, and receipts of those that were sent: sealed under the person's own key, in the person's rows.

A person has one draft of a form at a time, so that nobody finds four of the same. Nothing of a ballot comes here: a
secret form cannot be kept, and the pages of voting do not know this module.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from services.gateway.store import sealed
from services.shared.store import Database, Tx

DRAFT_STEP: Final = """
    CREATE TABLE drafts (subject TEXT NOT NULL, form TEXT NOT NULL, place TEXT NOT NULL, id TEXT NOT NULL,
        sealed {blob} NOT NULL, changed_at {bigint} NOT NULL, PRIMARY KEY (subject, form, place));
    CREATE INDEX drafts_by_age ON drafts (changed_at);
    CREATE TABLE receipts (id TEXT PRIMARY KEY, subject TEXT NOT NULL, at {bigint} NOT NULL, sealed {blob} NOT NULL);
    CREATE INDEX receipts_of ON receipts (subject, at)
    """
KEPT_SECONDS: Final = 30 * 24 * 3600
PAGE: Final = 20


@dataclass(frozen=True, slots=True)
class Draft:
    """`id`: random; a service that is sent the form twice knows it by this. `place`: where the form stands."""

    id: str
    form: str
    place: str
    changed_at: int
    content: Any


@dataclass(frozen=True, slots=True)
class Receipt:
    """That something was sent. `content`: {"title", "rows": [[label, words]…]}."""

    id: str
    at: int
    content: Any


class Drafts:
    """Every method takes the key that seals this person's rows; rows that it does not open are as if they were not."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def save(self, key: bytes, subject: str, form: str, place: str, content: Any) -> Draft:
        """On disk when it returns. Forgets the drafts that nobody touched for thirty days."""
        now = int(self._clock())
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM drafts WHERE changed_at < ?", (now - KEPT_SECONDS,))
            id = _id_of(tx, subject, form, place) or secrets.token_hex(16)
            row = (subject, form, place, id, sealed.seal(key, f"draft {id}", content), now)
            sql = """INSERT INTO drafts VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (subject, form, place)
                     DO UPDATE SET sealed = excluded.sealed, changed_at = excluded.changed_at"""
            tx.execute(sql, row)
        return Draft(id, form, place, now, content)

    def find(self, key: bytes, subject: str, form: str, place: str) -> Draft | None:
        sql = "SELECT id, form, place, changed_at, sealed FROM drafts WHERE subject = ? AND form = ? AND place = ?"
        with self._database.transaction(write=False) as tx:
            rows = tx.execute(sql, (subject, form, place))
        return next(iter(_opened_drafts(key, rows)), None)

    def of(self, key: bytes, subject: str) -> list[Draft]:
        """Newest first."""
        sql = """SELECT id, form, place, changed_at, sealed FROM drafts WHERE subject = ?
                 ORDER BY changed_at DESC LIMIT 100"""
        with self._database.transaction(write=False) as tx:
            return _opened_drafts(key, tx.execute(sql, (subject,)))

    def drop(self, subject: str, form: str, place: str) -> None:
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM drafts WHERE subject = ? AND form = ? AND place = ?", (subject, form, place))

    def sent(self, key: bytes, subject: str, draft: Draft, content: Any) -> Receipt:
        """The draft becomes a receipt under the same id, in one transaction. Repeated: the receipt that stands."""
        now = int(self._clock())
        with self._database.transaction() as tx:
            sql = "INSERT INTO receipts VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
            tx.execute(sql, (draft.id, subject, now, sealed.seal(key, f"receipt {draft.id}", content)))
            tx.execute("DELETE FROM drafts WHERE subject = ? AND id = ?", (subject, draft.id))
        return Receipt(draft.id, now, content)

    def receipt(self, key: bytes, subject: str, id: str) -> Receipt | None:
        """Only one of this person's own."""
        with self._database.transaction(write=False) as tx:
            rows = tx.execute("SELECT id, at, sealed FROM receipts WHERE id = ? AND subject = ?", (id, subject))
        return next(iter(_opened_receipts(key, rows)), None)

    def receipts(self, key: bytes, subject: str, page: int = 1) -> tuple[list[Receipt], int]:
        """Newest first, and the last page that is known to be there."""
        sql = "SELECT id, at, sealed FROM receipts WHERE subject = ? ORDER BY at DESC, id LIMIT ? OFFSET ?"
        with self._database.transaction(write=False) as tx:
            rows = tx.execute(sql, (subject, PAGE + 1, (page - 1) * PAGE))
        return _opened_receipts(key, rows[:PAGE]), page + (len(rows) > PAGE)

    def forget(self, subject: str) -> None:
        """Everything of an erased person, and their sessions on every browser. What a file may still hold of these
        rows is sealed under a key that is gone. Harmless when repeated."""
        with self._database.transaction() as tx:
            for table in ("drafts", "receipts", "sessions"):
                tx.execute(f"DELETE FROM {table} WHERE subject = ?", (subject,))


def _id_of(tx: Tx, subject: str, form: str, place: str) -> str | None:
    rows = tx.execute("SELECT id FROM drafts WHERE subject = ? AND form = ? AND place = ?", (subject, form, place))
    return str(rows[0][0]) if rows else None


def _opened_drafts(key: bytes, rows: list[Any]) -> list[Draft]:
    found = []
    for id, form, place, at, content in rows:
        try:
            found.append(Draft(id, form, place, int(at), sealed.opened(key, f"draft {id}", bytes(content))))
        except sealed.CannotOpen:
            continue
    return found


def _opened_receipts(key: bytes, rows: list[Any]) -> list[Receipt]:
    found = []
    for id, at, content in rows:
        try:
            found.append(Receipt(id, int(at), sealed.opened(key, f"receipt {id}", bytes(content))))
        except sealed.CannotOpen:
            continue
    return found
