"""What staff did: every action of a route that declares one, asked for before it happens and answered after.

A row says who (the opaque subject), what, where (the path, which names no person), about whom (an opaque subject, when
the action is about a person) and how it ended. The row is on disk before the action is: after a crash it stands there
without an end, and says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.shared.store import Database

TRAIL_STEP: Final = """
    CREATE TABLE trail (number {autoid}, at {bigint} NOT NULL, by TEXT NOT NULL, action TEXT NOT NULL,
        place TEXT NOT NULL, about TEXT NOT NULL, status INTEGER NOT NULL);
    CREATE INDEX trail_by_action ON trail (action, number);
    CREATE INDEX trail_by_person ON trail (by, number)
    """
PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Deed:
    """`status`: the HTTP status that it ended with; 0: nobody knows, the process died."""

    number: int
    at: int
    by: str
    action: str
    place: str
    about: str
    status: int


class Trail:
    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def begin(self, by: str, action: str, place: str) -> int:
        """The row's number; on disk when it returns."""
        sql = "INSERT INTO trail (at, by, action, place, about, status) VALUES (?, ?, ?, ?, '', 0) RETURNING number"
        with self._database.transaction() as tx:
            return int(tx.execute(sql, (int(self._clock()), by, action, place))[0][0])

    def end(self, number: int, status: int, about: str) -> None:
        with self._database.transaction() as tx:
            tx.execute("UPDATE trail SET status = ?, about = ? WHERE number = ?", (status, about, number))

    def page(self, number: int, *, action: str = "", by: str = "") -> tuple[list[Deed], int]:
        """Newest first, and the last page that is known to be there: this one, or the next; counting all would cost
        more with every deed. Of one action or one person if asked."""
        asked = [(column, value) for column, value in (("action", action), ("by", by)) if value]
        where = " AND ".join(f"{column} = ?" for column, _ in asked) or "1 = 1"
        values = tuple(value for _, value in asked)
        sql = f"""SELECT number, at, by, action, place, about, status FROM trail WHERE {where}
                  ORDER BY number DESC LIMIT ? OFFSET ?"""
        with self._database.transaction(write=False) as tx:
            rows = tx.execute(sql, (*values, PAGE + 1, (number - 1) * PAGE))
        return [Deed(*row) for row in rows[:PAGE]], number + (len(rows) > PAGE)
