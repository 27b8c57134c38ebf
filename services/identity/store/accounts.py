"""Accounts that people open themselves."""

from __future__ import annotations

from services.identity.application.dossier import Entry
from services.identity.domain import FOR_GOOD, Person
from services.identity.store.entries import EntryStore
from services.identity.store.people import PeopleStore


class AccountStore:
    def __init__(self, people: PeopleStore) -> None:
        self._people = people
        self._entries = EntryStore(people)

    def count_try(self, source: bytes, window: int) -> int:
        sql = """INSERT INTO sign_in_try VALUES (?, ?, 1) ON CONFLICT (source, minute)
                 DO UPDATE SET wrong = sign_in_try.wrong + 1 RETURNING wrong"""
        with self._people.database.transaction() as tx:
            return int(tx.execute(sql, (source, window))[0][0])

    def open(self, person: Person, entry: Entry, at: str) -> None:
        with self._people.database.transaction():
            self._people.add([(person, None, None)], person.subject, at, "")
            self._entries.add([entry])

    def attach(self, person: Person, likeness: bytes, by: str, at: str) -> None:
        with self._people.database.transaction() as tx:
            self._people.change(person, None)
            tx.execute("UPDATE account SET likeness = ? WHERE subject = ?", (likeness, person.subject))
            grant = """INSERT INTO grant_of_role VALUES (?, 'resident', ?, ?, ?, '')
                       ON CONFLICT (subject, role, since) DO UPDATE SET until = excluded.until, ended_by = ''"""
            tx.execute(grant, (person.subject, at, FOR_GOOD, by))
