"""A running transaction: the same SQL on both engines, `?` for what varies. It is handed out by `store.Database`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal

from services.shared.store_failures import translated

Row = tuple[Any, ...]
_MOST_VALUES: Final = 30_000  # SQLite takes 32,766 in one statement


class Tx:
    """A running transaction."""

    def __init__(self, engine: Literal["sqlite", "postgres"], cursor: Any, writes: bool) -> None:
        self.engine = engine
        self.writes = writes
        self._cursor = cursor
        self.for_update = " FOR UPDATE" if engine == "postgres" else ""
        self.for_share = " FOR SHARE" if engine == "postgres" else ""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """The rows that `sql` yields; an empty list when it yields none."""
        with translated():
            if self.engine == "postgres":
                self._cursor.execute(_dollar(sql), params)
                return self._cursor.fetchall() if self._cursor.description else []
            self._cursor.execute(sql, params)
            return self._cursor.fetchall()  # type: ignore[no-any-return]

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        with translated():
            self._cursor.executemany(_dollar(sql) if self.engine == "postgres" else sql, rows)

    def insert(self, into: str, types: Sequence[str], rows: Sequence[Sequence[Any]], after: str = "") -> list[Row]:
        """All rows, in their order, by one statement (on SQLite by as few as it takes): a statement a row would give
        up the interpreter at every row. `types` are PostgreSQL's, a column each; what `after` may return comes back."""
        if not rows:
            return []
        if self.engine == "postgres":
            columns = ", ".join(f"?::{kind}[]" for kind in types)
            sql = f"INSERT INTO {into} SELECT * FROM unnest({columns}) {after}"
            return self.execute(sql, [list(column) for column in zip(*rows, strict=True)])
        returned: list[Row] = []
        step = _MOST_VALUES // len(types)
        for first in range(0, len(rows), step):
            part = rows[first : first + step]
            marks = ",".join([f"({','.join('?' * len(types))})"] * len(part))
            returned += self.execute(f"INSERT INTO {into} VALUES {marks} {after}", [v for row in part for v in row])
        return returned

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What the block did is undone when it raises; the transaction around it goes on."""
        self.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK TO SAVEPOINT part")
            self.execute("RELEASE SAVEPOINT part")
            raise
        self.execute("RELEASE SAVEPOINT part")

    @property
    def rowcount(self) -> int:
        """Rows touched by the last statement."""
        return int(self._cursor.rowcount)


def _dollar(sql: str) -> str:
    """psycopg's placeholders. Lists travel in their binary form: shorter than text, and not escaped."""
    return sql.replace("%", "%%").replace("?::", "%b::").replace("?", "%s")
