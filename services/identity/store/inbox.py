"""What waits for a second pair of eyes, read from the tables where each kind stands. Nothing sealed is opened."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from services.identity.application.inbox import Counts, Waiting
from services.identity.store.people import PeopleStore

_KINDS: Final = {
    "correction": """SELECT 'correction' AS kind, id, subject, by_whom AS asked, at, '' AS other FROM entry
                     WHERE kind = 'correction' AND state = 'asked'""",
    "attach": """SELECT 'attach' AS kind, id, subject, by_whom AS asked, at, '' AS other FROM entry
                 WHERE kind = 'attach' AND state = 'open'""",
    "contacts": """SELECT 'contacts' AS kind, id, subject, asked_by AS asked, at, '' AS other FROM contact_change""",
    "merge": """SELECT 'merge' AS kind, d.note AS id, d.first AS subject, d.asked_by AS asked,
                    COALESCE(e.at, d.at) AS at, d.second AS other
                FROM duplicate d LEFT JOIN entry e ON e.id = d.note WHERE d.state = 'asked'""",
    "organisation": """SELECT 'organisation' AS kind, subject AS id, subject, asked_by AS asked, at, '' AS other
                       FROM organisation WHERE state = 'asked'""",
    "erasure": """SELECT 'erasure' AS kind, subject AS id, subject, asked_by AS asked, '' AS at, '' AS other
                  FROM erasure WHERE confirmed_by = ''""",
}


class InboxStore:
    def __init__(self, people: PeopleStore) -> None:
        self._database = people.database

    def waiting(self, kinds: Collection[str], first: int, most: int) -> list[Waiting]:
        sql = f"""SELECT kind, id, subject, asked, at, other FROM ({_all(kinds)}) AS waiting
                  ORDER BY at, kind, id LIMIT ? OFFSET ?"""
        with self._database.transaction(write=False) as tx:
            return [Waiting(*row) for row in tx.execute(sql, (most, first))]

    def counts(self, kinds: Collection[str], by: str) -> Counts:
        sql = f"""SELECT COUNT(*), COALESCE(SUM(CASE WHEN asked = ? THEN 1 ELSE 0 END), 0)
                  FROM ({_all(kinds)}) AS waiting"""
        with self._database.transaction(write=False) as tx:
            ((waiting, own),) = tx.execute(sql, (by,))
            ((pairs,),) = tx.execute("SELECT COUNT(*) FROM duplicate WHERE state = 'open'")
            ((appeals,),) = tx.execute("SELECT COUNT(*) FROM entry WHERE kind = 'appeal' AND state = 'open'")
        return Counts(int(waiting), int(own), int(pairs), int(appeals))


def _all(kinds: Collection[str]) -> str:
    return " UNION ALL ".join(_KINDS[kind] for kind in kinds)
