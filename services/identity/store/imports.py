"""Roll files on their way: the file in sealed parts, what the check says of its lines, and where the work stands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from services.identity.application.dossier import Entry
from services.identity.application.imports import Line, RollImport
from services.identity.domain import Person
from services.identity.store.entries import EntryStore
from services.identity.store.people import PeopleStore, chosen
from services.shared.store import Row

_COLUMNS: Final = """id, hash, stratum, state, asked_by, started_by, at, changed_at, keep_good, with_changes, total,
           done, fresh, changed, known, faulty, added, altered, reason"""
_SELECT: Final = f"SELECT {_COLUMNS} FROM roll_import"


class ImportStore:
    def __init__(self, people: PeopleStore) -> None:
        self._people = people
        self._entries = EntryStore(people)
        self._database = people.database

    def transaction(self) -> AbstractContextManager[object]:
        return self._database.transaction()

    def working(self) -> AbstractContextManager[object]:
        return self._database.exclusive("rolls")

    # --- the import ---

    def create(self, made: RollImport) -> None:
        values = [getattr(made, name.strip()) for name in _COLUMNS.split(",")]
        sql = f"INSERT INTO roll_import ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})"
        with self._database.transaction() as tx:
            tx.execute(sql, [int(v) if isinstance(v, bool) else v for v in values])

    def found(self, id: str) -> RollImport | None:
        return self._one("WHERE id = ?", (id,))

    def open_like(self, hash: str, stratum: str) -> RollImport | None:
        return self._one(
            "WHERE state IN ('receiving', 'checking', 'checked', 'importing') AND hash = ? AND stratum = ?",
            (hash, stratum),
        )

    def next_open(self) -> RollImport | None:
        return self._one("WHERE state IN ('checking', 'importing') ORDER BY at LIMIT 1")

    def listed(self, page: int, size: int, stratum: str = "") -> list[RollImport]:
        where, values = ("WHERE stratum IN ('', ?)", [stratum]) if stratum else ("", [])
        sql = f"{_SELECT} {where} ORDER BY at DESC, id LIMIT ? OFFSET ?"
        with self._database.transaction(write=False) as tx:
            rows = tx.execute(sql, (*values, size, (page - 1) * size))
        return [_import(row) for row in rows]

    def at(self, id: str, state: str, done: int) -> bool:
        with self._database.transaction() as tx:
            return tx.execute(f"SELECT state, done FROM roll_import WHERE id = ?{tx.for_update}", (id,)) == [
                (state, done)
            ]

    def turn(self, id: str, state: str, now: str, **told: str | int) -> None:
        sets = "".join(f", {name} = ?" for name in told)
        with self._database.transaction() as tx:
            tx.execute(
                f"UPDATE roll_import SET state = ?, changed_at = ?{sets} WHERE id = ?", (state, now, *told.values(), id)
            )

    def move_on(self, id: str, done: int, now: str, **more: int) -> None:
        sets = "".join(f", {name} = {name} + ?" for name in more)
        with self._database.transaction() as tx:
            tx.execute(
                f"UPDATE roll_import SET done = ?, changed_at = ?{sets} WHERE id = ?", (done, now, *more.values(), id)
            )

    def left(self, state: str, before: str) -> list[str]:
        sql = "SELECT id FROM roll_import WHERE state = ? AND changed_at < ?"
        with self._database.transaction(write=False) as tx:
            return [id for (id,) in tx.execute(sql, (state, before))]

    # --- the file ---

    def put_part(self, id: str, nth: int, data: bytes) -> None:
        [sealed] = self._people.vault.seal_items([(_owner(id), str(nth), data)])
        sql = """INSERT INTO roll_import_part VALUES (?, ?, ?)
                 ON CONFLICT (import, nth) DO UPDATE SET sealed = excluded.sealed"""
        with self._database.transaction() as tx:
            tx.execute(sql, (id, nth, sealed))

    def text(self, id: str) -> Iterator[bytes]:
        nth = 0
        sql = "SELECT sealed FROM roll_import_part WHERE import = ? AND nth = ?"
        while True:
            with self._database.transaction(write=False) as tx:
                rows = tx.execute(sql, (id, nth))
            if not rows:
                return
            [part] = self._people.vault.open_items([(_owner(id), str(nth), bytes(rows[0][0]))])
            if part is None:
                return
            yield part
            nth += 1

    def closed_with_parts(self) -> list[str]:
        sql = """SELECT DISTINCT p.import FROM roll_import_part p JOIN roll_import i ON i.id = p.import
                 WHERE i.state NOT IN ('receiving', 'checking', 'checked', 'importing')"""
        with self._database.transaction(write=False) as tx:
            return [id for (id,) in tx.execute(sql)]

    def destroy_file(self, id: str) -> None:
        self._people.vault.destroy(_owner(id))
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM roll_import_part WHERE import = ?", (id,))
        self._database.truncate_log()

    # --- the report ---

    def note(self, id: str, lines: Sequence[Line]) -> None:
        rows = [(id, one.line, one.kind, one.field, one.reason) for one in lines]
        with self._database.transaction() as tx:
            tx.executemany("INSERT INTO roll_import_line VALUES (?, ?, ?, ?, ?)", rows)

    def noted(self, id: str, kind: str, first: int, last: int) -> set[int]:
        sql = "SELECT line FROM roll_import_line WHERE import = ? AND kind = ? AND line BETWEEN ? AND ?"
        with self._database.transaction(write=False) as tx:
            return {line for (line,) in tx.execute(sql, (id, kind, first, last))}

    def lines(self, id: str, kind: str, page: int, size: int) -> list[Line]:
        where, values = ("AND kind = ?", [kind]) if kind else ("", [])
        sql = f"""SELECT line, kind, field, reason FROM roll_import_line WHERE import = ? {where}
                  ORDER BY line, field LIMIT ? OFFSET ?"""
        with self._database.transaction(write=False) as tx:
            return [Line(*row) for row in tx.execute(sql, (id, *values, size, (page - 1) * size))]

    def forget_check(self, id: str) -> None:
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM roll_import_line WHERE import = ?", (id,))
            sql = "UPDATE roll_import SET done = 0, fresh = 0, changed = 0, known = 0, faulty = 0 WHERE id = ?"
            tx.execute(sql, (id,))

    # --- people ---

    def strata(self) -> list[tuple[str, int]]:
        sql = """SELECT stratum, COUNT(*) FROM account WHERE stratum <> '' AND sealed IS NOT NULL
                 GROUP BY stratum ORDER BY stratum"""
        with self._database.transaction(write=False) as tx:
            return [(stratum, int(people)) for stratum, people in tx.execute(sql)]

    def known(self, likenesses: Collection[bytes]) -> Mapping[bytes, Person]:
        return self._people.likely_all(likenesses)

    def code_owners(self, codes: Collection[bytes]) -> Mapping[bytes, str]:
        with self._database.transaction(write=False) as tx:
            return {
                bytes(code): subject for code, subject in chosen(tx, "code, subject", "code", codes, "sign_in_code")
            }

    def add(self, people: Sequence[tuple[Person, bytes, bytes | None]], by: str, at: str) -> None:
        self._people.add(people, by, at)

    def change(self, people: Sequence[tuple[Person, bytes]], noted: Sequence[Entry]) -> None:
        self._people.change_all(people)
        self._entries.add(noted)

    def _one(self, where: str, values: Sequence[Any] = ()) -> RollImport | None:
        with self._database.transaction(write=False) as tx:
            rows = tx.execute(f"{_SELECT} {where}{tx.for_update if tx.writes else ''}", values)
        return _import(rows[0]) if rows else None


def _owner(id: str) -> str:
    """Whose key seals a file: nobody's, so it goes with the file."""
    return f"file-{id}"


def _import(row: Row) -> RollImport:
    told = dict(zip((name.strip() for name in _COLUMNS.split(",")), row, strict=True))
    flags = {name: bool(told[name]) for name in ("keep_good", "with_changes")}
    return RollImport(**{**told, **flags})
