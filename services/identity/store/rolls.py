"""Rolls, gates and the issuances' events.

A roll's rows are written once, sorted by an opaque reference, each with room for its commitment: a mark overwrites 32
zero bytes in place, so the file keeps neither the time nor the order of marks. Nothing here names a person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Final
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError
from eventsourcing.persistence import IntegrityError

from services.identity.domain import Erasure, Gate, NothingToReissue, PollIssuance, SecondPersonNeeded
from services.shared.aggregates import EVENTS_STEPS, Aggregates
from services.shared.relay import RELAY_STEPS
from services.shared.store import Database, Tx
from services.shared.tracking import TRACKING_STEPS

ROLL_STEPS: Final = (
    *EVENTS_STEPS,
    *RELAY_STEPS,
    *TRACKING_STEPS,
    """CREATE TABLE roll (poll TEXT NOT NULL, roll_ref {blob} NOT NULL, stratum TEXT NOT NULL,
           commitment {blob} NOT NULL, reissued INTEGER NOT NULL, PRIMARY KEY (poll, roll_ref)) {without_rowid};
       CREATE TABLE reissue (poll TEXT NOT NULL, roll_ref {blob} NOT NULL, nth INTEGER NOT NULL,
           asked_by TEXT NOT NULL, confirmed_by TEXT, PRIMARY KEY (poll, roll_ref, nth)) {without_rowid};
       CREATE TABLE gate (poll TEXT PRIMARY KEY, opens_at TEXT NOT NULL, closes_at TEXT NOT NULL,
           closed INTEGER NOT NULL)""",
)
_UNMARKED: Final = bytes(32)
_ROLL_TYPES: Final = ("text", "bytea", "text", "bytea", "int")
_AT_ONCE: Final = 10_000
_ENTRY: Final = "WHERE poll = ? AND roll_ref = ?"


class RollStore:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.aggregates = Aggregates(database)

    def transaction(self) -> AbstractContextManager[object]:
        return self.database.transaction()

    def issuance(self, poll: UUID) -> PollIssuance | None:
        try:
            return self.aggregates.get(PollIssuance, poll)
        except AggregateNotFoundError:
            return None

    def save(self, issuance: PollIssuance) -> None:
        self.aggregates.save(issuance)

    def save_erasure(self, erasure: Erasure) -> None:
        with suppress(IntegrityError):  # told already
            self.aggregates.save(erasure)

    def replace(self, poll: str, entries: Sequence[tuple[bytes, str]]) -> None:
        with self.database.transaction() as tx:
            tx.execute("DELETE FROM roll WHERE poll = ?", (poll,))
            rows = [(poll, ref, stratum, _UNMARKED, 0) for ref, stratum in sorted(entries)]
            for first in range(0, len(rows), _AT_ONCE):
                tx.insert("roll", _ROLL_TYPES, rows[first : first + _AT_ONCE])

    def standing(self, poll: str, refs: Sequence[bytes]) -> tuple[str, bool] | None:
        with self.database.transaction(write=False) as tx:
            found = _entry(tx, poll, refs)
        return (found[1], found[2] is not None) if found else None

    def gate(self, poll: str) -> Gate | None:
        with self.database.transaction(write=False) as tx:
            return _gate(tx, poll, "")

    def mark(
        self, poll: str, refs: Sequence[bytes], decide: Callable[[Gate | None, bytes | None], bytes | None]
    ) -> str | None:
        with self.database.transaction() as tx:
            gate = _gate(tx, poll, tx.for_share)
            entry = _entry(tx, poll, refs)
            if entry is None:
                return None
            ref, stratum, standing, _ = entry
            commitment = decide(gate, standing)
            if commitment is not None:
                tx.execute(f"UPDATE roll SET commitment = ? {_ENTRY}", (commitment, poll, ref))
        return stratum

    def reissue(
        self, poll: str, refs: Sequence[bytes], officer: str, check: Callable[[Gate | None], None]
    ) -> bool | None:
        with self.database.transaction() as tx:
            check(_gate(tx, poll, tx.for_share))
            entry = _entry(tx, poll, refs)
            if entry is None:
                return None
            ref, _, standing, reissued = entry
            if standing is None:
                raise NothingToReissue
            this = (poll, ref, reissued + 1)
            asked = tx.execute(f"SELECT asked_by FROM reissue {_ENTRY} AND nth = ?", this)
            if not asked:
                tx.execute("INSERT INTO reissue VALUES (?, ?, ?, ?, NULL)", (*this, officer))
                return False
            if asked[0][0] == officer:
                raise SecondPersonNeeded
            tx.execute(f"UPDATE reissue SET confirmed_by = ? {_ENTRY} AND nth = ?", (officer, *this))
            tx.execute(f"UPDATE roll SET commitment = ?, reissued = ? {_ENTRY}", (_UNMARKED, reissued + 1, poll, ref))
            return True

    def put_gate(self, poll: str, gate: Gate) -> None:
        sql = """INSERT INTO gate VALUES (?, ?, ?, ?) ON CONFLICT (poll)
                 DO UPDATE SET opens_at = excluded.opens_at, closes_at = excluded.closes_at, closed = excluded.closed"""
        with self.database.transaction() as tx:
            tx.execute(sql, (poll, gate.opens_at, gate.closes_at, int(gate.closed)))

    def shut(self, poll: str) -> bool:
        with self.database.transaction() as tx:
            gate = _gate(tx, poll, tx.for_update)
            if gate is None or gate.closed:
                return False
            tx.execute("UPDATE gate SET closed = 1 WHERE poll = ?", (poll,))
        return True

    def totals(self, poll: str) -> dict[str, tuple[int, int]]:
        sql = """SELECT stratum, SUM(CASE WHEN commitment <> ? OR reissued > 0 THEN 1 ELSE 0 END), SUM(reissued)
                 FROM roll WHERE poll = ? GROUP BY stratum"""
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(sql, (_UNMARKED, poll))
        return {stratum: (int(issued), int(reissued)) for stratum, issued, reissued in rows}

    def published(self, most: int) -> list[str]:
        """Polls that were published, those that open last first."""
        with self.database.transaction(write=False) as tx:
            return [
                poll for (poll,) in tx.execute("SELECT poll FROM gate ORDER BY opens_at DESC, poll LIMIT ?", (most,))
            ]

    def due(self, now: str) -> list[str]:
        with self.database.transaction(write=False) as tx:
            rows = tx.execute("SELECT poll FROM gate WHERE closed = 0 AND closes_at <= ? ORDER BY poll", (now,))
        return [poll for (poll,) in rows]

    def forget_order(self) -> None:
        """The write-ahead log holds the order of recent marks until it is emptied."""
        self.database.truncate_log()


def _gate(tx: Tx, poll: str, lock: str) -> Gate | None:
    rows = tx.execute(f"SELECT opens_at, closes_at, closed FROM gate WHERE poll = ?{lock}", (poll,))
    return Gate(rows[0][0], rows[0][1], bool(rows[0][2])) if rows else None


def _entry(tx: Tx, poll: str, refs: Sequence[bytes]) -> tuple[bytes, str, bytes | None, int] | None:
    """(reference, stratum, mark, reissues) of a person's one entry: somebody who was on the roll twice has the one that
    is marked, else the first. All are locked in one order, so that two who ask at once wait for each other."""
    lock = tx.for_update if tx.writes else ""
    found: dict[bytes, tuple[bytes, str, bytes | None, int]] = {}
    for ref in sorted(refs):
        for stratum, mark, reissued in tx.execute(
            f"SELECT stratum, commitment, reissued FROM roll {_ENTRY}{lock}", (poll, ref)
        ):
            found[ref] = (ref, stratum, None if bytes(mark) == _UNMARKED else bytes(mark), reissued)
    there = [found[ref] for ref in refs if ref in found]
    return next((entry for entry in there if entry[2] is not None), there[0] if there else None)
