"""Organisations, each sealed under a key of its own as people are, and who speaks for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Final

from services.identity.application.organisations import Delegation, Organisation
from services.identity.store.people import PeopleStore, chosen
from services.shared.store import Row
from services.shared.strict import canonical, parse

_COLUMNS: Final = "subject, state, asked_by, at, decided_by, sealed"
_WORDS: Final = ("name", "kind", "number", "address", "answer")
_PLACE: Final = "organisation"
_DELEGATION: Final = "SELECT organisation, subject, since, until, granted_by, ended_by FROM delegation"


class OrganisationStore:
    def __init__(self, people: PeopleStore) -> None:
        self._database = people.database
        self._vault = people.vault

    def transaction(self) -> AbstractContextManager[object]:
        return self._database.transaction()

    def add(self, made: Organisation, number: bytes) -> None:
        row = (made.subject, number, made.state, made.asked_by, made.at, made.decided_by, self._sealed(made))
        with self._database.transaction() as tx:
            tx.execute(
                """INSERT INTO organisation (subject, number, state, asked_by, at, decided_by, sealed)
                   VALUES (?, ?, ?, ?, ?, ?, ?)""",
                row,
            )

    def organisation(self, subject: str) -> Organisation | None:
        with self._database.transaction(write=False) as tx:
            lock = tx.for_update if tx.writes else ""
            found = self._opened(tx.execute(f"SELECT {_COLUMNS} FROM organisation WHERE subject = ?{lock}", (subject,)))
        return found[0] if found else None

    def organisations(self, subjects: Collection[str]) -> dict[str, Organisation]:
        with self._database.transaction(write=False) as tx:
            return {one.subject: one for one in self._opened(chosen(tx, _COLUMNS, "subject", subjects, "organisation"))}

    def put(self, changed: Organisation) -> None:
        free = ", number = NULL" if changed.state == "refused" else ""
        sql = f"UPDATE organisation SET state = ?, decided_by = ?, sealed = ?{free} WHERE subject = ?"
        with self._database.transaction() as tx:
            tx.execute(sql, (changed.state, changed.decided_by, self._sealed(changed), changed.subject))

    def listed(self, state: str, page: int, size: int) -> list[Organisation]:
        sql = f"SELECT {_COLUMNS} FROM organisation WHERE state = ? ORDER BY at, subject LIMIT ? OFFSET ?"
        with self._database.transaction(write=False) as tx:
            return self._opened(tx.execute(sql, (state, size, (page - 1) * size)))

    def asked(self, by: str) -> list[Organisation]:
        sql = f"SELECT {_COLUMNS} FROM organisation WHERE asked_by = ? ORDER BY at DESC, subject"
        with self._database.transaction(write=False) as tx:
            return self._opened(tx.execute(sql, (by,)))

    def delegate(self, delegation: Delegation) -> None:
        """Adds to what stands, or lengthens what begins at the same moment."""
        sql = """INSERT INTO delegation VALUES (?, ?, ?, ?, ?, '') ON CONFLICT (organisation, subject, since)
                 DO UPDATE SET until = excluded.until, granted_by = excluded.granted_by, ended_by = ''"""
        d = delegation
        with self._database.transaction() as tx:
            tx.execute(sql, (d.organisation, d.subject, d.since, d.until, d.granted_by))

    def end(self, organisation: str, subject: str, by: str, now: str) -> bool:
        sql = """UPDATE delegation SET until = ?, ended_by = ? WHERE organisation = ? AND subject = ? AND until > ?
                 RETURNING subject"""
        with self._database.transaction() as tx:
            return bool(tx.execute(sql, (now, by, organisation, subject, now)))

    def delegates(self, organisation: str) -> list[Delegation]:
        return self._delegations("WHERE organisation = ? ORDER BY until DESC, subject", organisation)

    def delegations(self, subject: str) -> list[Delegation]:
        return self._delegations("WHERE subject = ? ORDER BY until DESC, organisation", subject)

    def _delegations(self, where: str, value: str) -> list[Delegation]:
        with self._database.transaction(write=False) as tx:
            return [Delegation(*row) for row in tx.execute(f"{_DELEGATION} {where}", (value,))]

    def _sealed(self, one: Organisation) -> bytes:
        words = {name: getattr(one, name) for name in _WORDS}
        return self._vault.seal_items([(one.subject, _PLACE, canonical(words))])[0]

    def _opened(self, rows: Sequence[Row]) -> list[Organisation]:
        opened = self._vault.open_items([(row[0], _PLACE, bytes(row[5])) for row in rows])
        return [Organisation(*row[:5], **parse(words)) for row, words in zip(rows, opened, strict=True) if words]
