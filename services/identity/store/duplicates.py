"""Likely duplicates: keyed pieces of names, pairs and what was decided, accounts that became one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final

from services.identity.application.duplicates import Pair
from services.identity.store.contacts import CODES_OF_A_PERSON
from services.identity.store.entries import EntryStore
from services.identity.store.people import PeopleStore, chosen
from services.shared.store import Tx

_COLUMNS: Final = "first, second, why, state, at, kept, asked_by, decided_by, note"
_OF_THE_GONE: Final = (
    *("sign_in_code", "external_account", "grant_of_role", "delegation", "erasure", "name_block"),
    *CODES_OF_A_PERSON,
)
"""What was moved is not there any more: nothing is found by the rest, and no code on its way opens the account."""


class DuplicateStore:
    def __init__(self, people: PeopleStore) -> None:
        self._database = people.database
        self._vault = people.vault
        self._entries = EntryStore(people)

    def transaction(self) -> AbstractContextManager[object]:
        return self._database.transaction()

    def unlooked(self, limit: int) -> list[str]:
        with self._database.transaction() as tx:
            sql = f"""SELECT subject FROM account WHERE looked = 0 AND sealed IS NOT NULL
                      ORDER BY subject LIMIT ?{tx.for_update}"""
            return [subject for (subject,) in tx.execute(sql, (limit,))]

    def looked(self, blocks: Mapping[str, Iterable[bytes]]) -> None:
        rows = sorted((block, subject) for subject, own in blocks.items() for block in own)
        with self._database.transaction() as tx:
            tx.executemany("DELETE FROM name_block WHERE subject = ?", [(subject,) for subject in blocks])
            tx.insert("name_block", ("bytea", "text"), rows)
            tx.executemany("UPDATE account SET looked = 1 WHERE subject = ?", [(subject,) for subject in blocks])

    def neighbours(self, blocks: Mapping[str, Iterable[bytes]], most: int) -> Mapping[str, set[str]]:
        wanted = {block for own in blocks.values() for block in own}
        with self._database.transaction(write=False) as tx:
            there: dict[bytes, list[str]] = {}
            for block, subject in chosen(tx, "block, subject", "block", wanted, "name_block"):
                there.setdefault(bytes(block), []).append(subject)
        near = {s: {other for block in own for other in there.get(block, ())} - {s} for s, own in blocks.items()}
        return {subject: set(sorted(others)[:most]) for subject, others in near.items()}

    def note(self, pairs: Sequence[Pair]) -> None:
        rows = [tuple(getattr(pair, name) for name in _COLUMNS.split(", ")) for pair in pairs]
        with self._database.transaction() as tx:
            tx.insert(f"duplicate ({_COLUMNS})", ("text",) * 9, rows, "ON CONFLICT (first, second) DO NOTHING")

    def pair(self, first: str, second: str) -> Pair | None:
        with self._database.transaction(write=False) as tx:
            lock = tx.for_update if tx.writes else ""
            sql = f"SELECT {_COLUMNS} FROM duplicate WHERE first = ? AND second = ?{lock}"
            rows = tx.execute(sql, (first, second))
        return Pair(*rows[0]) if rows else None

    def put(self, pair: Pair) -> None:
        sql = """UPDATE duplicate SET state = ?, kept = ?, asked_by = ?, decided_by = ?, note = ?
                 WHERE first = ? AND second = ?"""
        values = (pair.state, pair.kept, pair.asked_by, pair.decided_by, pair.note, pair.first, pair.second)
        with self._database.transaction() as tx:
            tx.execute(sql, values)

    def listed(self, states: Sequence[str], page: int, size: int) -> list[Pair]:
        marks = ", ".join("?" * len(states))
        sql = f"""SELECT {_COLUMNS} FROM duplicate WHERE state IN ({marks}) ORDER BY at, first, second
                  LIMIT ? OFFSET ?"""
        with self._database.transaction(write=False) as tx:
            return [Pair(*row) for row in tx.execute(sql, (*states, size, (page - 1) * size))]

    def merge(self, gone: str, kept: str) -> None:
        """The key of the account that goes is destroyed last: until then a repeat finds what it needs."""
        with self._database.transaction() as tx:
            self._entries.move(tx, gone, kept)
            _move_roles(tx, gone, kept)
            _move_code(tx, gone, kept)
            tx.execute("UPDATE organisation SET asked_by = ? WHERE asked_by = ?", (kept, gone))
            tx.execute("UPDATE merged SET kept = ? WHERE kept = ?", (kept, gone))
            tx.execute("INSERT INTO merged VALUES (?, ?) ON CONFLICT (subject) DO NOTHING", (gone, kept))
            tx.execute("UPDATE account SET likeness = NULL, sealed = NULL WHERE subject = ?", (gone,))
            _move_external(tx, gone, kept)
            self._move_notices(tx, gone, kept)
            for table in _OF_THE_GONE:
                tx.execute(f"DELETE FROM {table} WHERE subject = ?", (gone,))
            sql = "DELETE FROM duplicate WHERE (first = ? OR second = ?) AND state <> 'confirmed'"
            tx.execute(sql, (gone, gone))
        self._vault.destroy(gone)
        with self._database.transaction() as tx:
            sql = "UPDATE duplicate SET state = 'merged' WHERE first = ? AND second = ? AND state = 'confirmed'"
            tx.execute(sql, tuple(sorted((gone, kept))))
        self._database.truncate_log()

    def _move_notices(self, tx: Tx, gone: str, kept: str) -> None:
        """That the way to a person was changed is still told them, at the address that was theirs."""
        for id, sealed in tx.execute("SELECT id, sealed FROM notice WHERE subject = ?", (gone,)):
            fields = self._vault.open(gone, bytes(sealed))
            if fields is not None:
                anew = self._vault.seal({kept: fields})[kept]
                tx.execute("UPDATE notice SET subject = ?, sealed = ? WHERE id = ?", (kept, anew, id))


def _move_roles(tx: Tx, gone: str, kept: str) -> None:
    """A role that both hold from the same moment on is the kept one's as it stands."""
    for table, what in (("grant_of_role", "role"), ("delegation", "organisation")):
        columns = f"{what}, since, until, granted_by, ended_by"
        put = f"""INSERT INTO {table} ({columns}, subject) VALUES (?, ?, ?, ?, ?, ?)
                  ON CONFLICT ({what}, subject, since) DO NOTHING"""
        for row in tx.execute(f"SELECT {columns} FROM {table} WHERE subject = ?", (gone,)):
            tx.execute(put, (*row, kept))


def _move_code(tx: Tx, gone: str, kept: str) -> None:
    """Only to somebody who has none: who is known by an older code keeps signing in by it."""
    if not tx.execute("SELECT 1 FROM sign_in_code WHERE subject = ?", (kept,)):
        tx.execute("UPDATE sign_in_code SET subject = ? WHERE subject = ?", (kept, gone))


def _move_external(tx: Tx, gone: str, kept: str) -> None:
    """The account at a provider, to somebody who has none."""
    if not tx.execute("SELECT 1 FROM external_account WHERE subject = ?", (kept,)):
        tx.execute("UPDATE external_account SET subject = ? WHERE subject = ?", (kept, gone))
