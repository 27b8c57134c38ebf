"""People, their roles and their sign-in codes: a store of its own, the only one that holds personal fields."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from services.identity.domain import Person, TooManyTries
from services.shared.store import Database, Duplicate

PEOPLE_STEPS: Final = (
    """CREATE TABLE person (subject TEXT PRIMARY KEY, likeness {blob} NOT NULL UNIQUE, stratum TEXT NOT NULL,
           family_name TEXT NOT NULL, given_name TEXT NOT NULL, birth_date TEXT NOT NULL, address TEXT NOT NULL,
           office TEXT NOT NULL);
       CREATE INDEX person_stratum ON person (stratum);
       CREATE TABLE role (subject TEXT NOT NULL, role TEXT NOT NULL, granted_by TEXT NOT NULL,
           PRIMARY KEY (subject, role));
       CREATE TABLE sign_in_code (subject TEXT PRIMARY KEY, code {blob} NOT NULL UNIQUE);
       CREATE TABLE sign_in_try (source {blob} NOT NULL, minute {bigint} NOT NULL, wrong INTEGER NOT NULL,
           PRIMARY KEY (source, minute)) {without_rowid}""",
)
_FIELDS: Final = "subject, family_name, given_name, birth_date, address, office, stratum"


class PeopleStore:
    def __init__(self, database: Database) -> None:
        self.database = database

    def try_code(self, code: bytes, source: bytes, window: int, tries: int) -> Person | None:
        # The try is counted before the code is looked at, under the row's lock: a thousand at once are a thousand.
        count = """INSERT INTO sign_in_try VALUES (?, ?, 1) ON CONFLICT (source, minute)
                   DO UPDATE SET wrong = sign_in_try.wrong + 1 RETURNING wrong"""
        find = f"SELECT {_FIELDS} FROM person JOIN sign_in_code USING (subject) WHERE code = ?"
        with self.database.transaction() as tx:
            wrong = tx.execute(count, (source, window))[0][0]
            rows = tx.execute(find, (code,)) if wrong <= tries else []
            if rows:
                uncount = "UPDATE sign_in_try SET wrong = wrong - 1 WHERE source = ? AND minute = ?"
                tx.execute(uncount, (source, window))
        if wrong > tries:
            raise TooManyTries
        return Person(*rows[0]) if rows else None

    def forget_tries(self, before: int) -> None:
        with self.database.transaction() as tx:
            tx.execute("DELETE FROM sign_in_try WHERE minute < ?", (before,))

    def person(self, subject: str) -> Person | None:
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(f"SELECT {_FIELDS} FROM person WHERE subject = ?", (subject,))
        return Person(*rows[0]) if rows else None

    def roles(self, subject: str) -> tuple[str, ...]:
        with self.database.transaction(write=False) as tx:
            rows = tx.execute("SELECT role FROM role WHERE subject = ? ORDER BY role", (subject,))
        return tuple(role for (role,) in rows)

    def subjects(self, stratum: str) -> list[str]:
        sql = """SELECT subject FROM person JOIN role USING (subject)
                 WHERE stratum = ? AND role = 'resident' ORDER BY subject"""
        with self.database.transaction(write=False) as tx:
            return [subject for (subject,) in tx.execute(sql, (stratum,))]

    def set_code(self, subject: str, code: bytes) -> bool:
        sql = "INSERT INTO sign_in_code VALUES (?, ?) ON CONFLICT (subject) DO UPDATE SET code = excluded.code"
        try:
            with self.database.transaction() as tx:
                tx.execute(sql, (subject, code))
        except Duplicate:
            return False
        return True

    def grant(self, subject: str, role: str, by: str) -> None:
        with self.database.transaction() as tx:
            tx.execute("INSERT INTO role VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (subject, role, by))

    def known(self, likenesses: Collection[bytes], codes: Collection[bytes]) -> tuple[set[bytes], set[bytes]]:
        """Those of each that the store has already."""
        with self.database.transaction(write=False) as tx:
            people = {bytes(value) for (value,) in tx.execute("SELECT likeness FROM person")}
            taken = {bytes(value) for (value,) in tx.execute("SELECT code FROM sign_in_code")}
        return people & set(likenesses), taken & set(codes)

    def add(self, people: Sequence[tuple[Person, bytes, bytes | None]], by: str) -> None:
        """(person, likeness, code hash or None), all or none, each with the role resident. Raises Duplicate."""
        persons = [
            (p.subject, like, p.stratum, p.family_name, p.given_name, p.birth_date, p.address, p.office)
            for p, like, _ in people
        ]
        with self.database.transaction() as tx:
            tx.executemany("INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?)", persons)
            tx.executemany("INSERT INTO role VALUES (?, 'resident', ?)", [(p.subject, by) for p, _, _ in people])
            codes = [(p.subject, code) for p, _, code in people if code is not None]
            tx.executemany("INSERT INTO sign_in_code VALUES (?, ?)", codes)
