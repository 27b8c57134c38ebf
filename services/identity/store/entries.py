"""Entries: what is written down about a person, sealed under the person's own key."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Final

from services.identity.application.dossier import Entry
from services.identity.store.people import PeopleStore
from services.shared.store import Row, Tx
from services.shared.strict import canonical, parse

_COLUMNS: Final = "id, subject, kind, state, poll, at, by_whom, decided_at, decided_by, sealed"
_INSERT: Final = f"INSERT INTO entry ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class EntryStore:
    def __init__(self, people: PeopleStore) -> None:
        self._database = people.database
        self._vault = people.vault

    def transaction(self) -> AbstractContextManager[object]:
        return self._database.transaction()

    def add(self, entries: Sequence[Entry]) -> None:
        sealed = self._sealed(entries)
        rows = [
            (e.id, e.subject, e.kind, e.state, e.poll, e.at, e.by, e.decided_at, e.decided_by, words)
            for e, words in zip(entries, sealed, strict=True)
        ]
        with self._database.transaction() as tx:
            tx.executemany(_INSERT, rows)

    def entry(self, id: str) -> Entry | None:
        with self._database.transaction() as tx:
            found = self._opened(tx.execute(f"SELECT {_COLUMNS} FROM entry WHERE id = ?{tx.for_update}", (id,)))
        return found[0] if found else None

    def of(self, subject: str) -> list[Entry]:
        sql = f"SELECT {_COLUMNS} FROM entry WHERE subject = ? ORDER BY at DESC, id"
        with self._database.transaction(write=False) as tx:
            return self._opened(tx.execute(sql, (subject,)))

    def waiting(self, kind: str, state: str, page: int, size: int) -> list[Entry]:
        sql = f"""SELECT {_COLUMNS} FROM entry WHERE kind = ? AND state = ? ORDER BY at, id LIMIT ? OFFSET ?"""
        with self._database.transaction(write=False) as tx:
            return self._opened(tx.execute(sql, (kind, state, size, (page - 1) * size)))

    def count(self, subject: str, kind: str, state: str) -> int:
        sql = "SELECT COUNT(*) FROM entry WHERE subject = ? AND kind = ? AND state = ?"
        with self._database.transaction(write=False) as tx:
            return int(tx.execute(sql, (subject, kind, state))[0][0])

    def put(self, entry: Entry) -> None:
        [sealed] = self._sealed([entry])
        sql = "UPDATE entry SET state = ?, decided_at = ?, decided_by = ?, sealed = ? WHERE id = ?"
        with self._database.transaction() as tx:
            tx.execute(sql, (entry.state, entry.decided_at, entry.decided_by, sealed, entry.id))

    def move(self, tx: Tx, subject: str, to: str) -> None:
        """All entries of one become another's, sealed anew under that key."""
        for e in self.of(subject):
            [sealed] = self._vault.seal_items([(to, e.id, canonical(dict(e.words)))])
            tx.execute("UPDATE entry SET subject = ?, sealed = ? WHERE id = ?", (to, sealed, e.id))

    def _sealed(self, entries: Sequence[Entry]) -> list[bytes]:
        return self._vault.seal_items([(e.subject, e.id, canonical(dict(e.words))) for e in entries])

    def _opened(self, rows: Sequence[Row]) -> list[Entry]:
        opened = self._vault.open_items([(row[1], row[0], bytes(row[9])) for row in rows])
        return [
            Entry(row[0], row[1], row[2], row[3], row[5], row[6], parse(words), row[4], row[7], row[8])
            for row, words in zip(rows, opened, strict=True)
            if words is not None
        ]
