"""People, their roles and their sign-in codes. What is known of a person stands here sealed, under the person's own key
of the vault; beside it only what the service must find people by: keyed hashes, the stratum, the opaque subject."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from services.identity.domain import FOR_GOOD, Grant, LastAdministrator, Person, TooManyTries
from services.identity.store.contacts import CODES_OF_A_PERSON, CODES_STEP, keep_contacts
from services.identity.store.external import EXTERNAL_STEP
from services.identity.store.people_tables import ADMIN_STEPS, DROP_STEP, OF_A_PERSON, PLAIN_STEP, SEALED_STEP
from services.identity.store.vault import Vault
from services.shared.store import Database, Duplicate, Row, Step, Tx

_FIELDS: Final = ("family_name", "given_name", "birth_date", "address", "office", "email", "phone")
_PLAIN_FIELDS: Final = _FIELDS[:5]  # those of the first release
_RESIDENTS: Final = f"""(SELECT stratum, subject FROM account WHERE EXISTS (SELECT 1 FROM grant_of_role AS held
    WHERE held.subject = account.subject AND held.role = 'resident' AND held.until = '{FOR_GOOD}')) AS resident"""
_CHUNK: Final = 500


class PeopleStore:
    def __init__(self, database: Database, vault: Vault, code_key: Callable[[], bytes]) -> None:
        """`code_key`: asked for when a contact is hashed; there is none yet while the stores are made."""
        self.database = database
        self.vault = vault
        self._code_key = code_key
        sealing: tuple[Step, ...] = (PLAIN_STEP, SEALED_STEP, self._seal_plain_rows, DROP_STEP)
        self.steps: tuple[Step, ...] = (*sealing, EXTERNAL_STEP, CODES_STEP, *ADMIN_STEPS)

    # --- signing in ---

    def try_code(self, code: bytes, source: bytes, window: int, tries: int) -> Person | None:
        # The try is counted before the code is looked at, under the row's lock: a thousand at once are a thousand.
        count = """INSERT INTO sign_in_try VALUES (?, ?, 1) ON CONFLICT (source, minute)
                   DO UPDATE SET wrong = sign_in_try.wrong + 1 RETURNING wrong"""
        find = """SELECT subject, stratum, sealed FROM account JOIN sign_in_code USING (subject)
                  WHERE code = ? AND sealed IS NOT NULL"""
        with self.database.transaction() as tx:
            wrong = tx.execute(count, (source, window))[0][0]
            rows = tx.execute(find, (code,)) if wrong <= tries else []
            if rows:
                uncount = "UPDATE sign_in_try SET wrong = wrong - 1 WHERE source = ? AND minute = ?"
                tx.execute(uncount, (source, window))
        if wrong > tries:
            raise TooManyTries
        return self._opened(rows)

    def forget_tries(self, before: int) -> None:
        with self.database.transaction() as tx:
            tx.execute("DELETE FROM sign_in_try WHERE minute < ?", (before,))

    def set_code(self, subject: str, code: bytes) -> bool:
        sql = "INSERT INTO sign_in_code VALUES (?, ?) ON CONFLICT (subject) DO UPDATE SET code = excluded.code"
        try:
            with self.database.transaction() as tx:
                tx.execute(sql, (subject, code))
        except Duplicate:
            return False
        return True

    # --- people ---

    def person(self, subject: str) -> Person | None:
        sql = "SELECT subject, stratum, sealed FROM account WHERE subject = ? AND sealed IS NOT NULL"
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(sql, (subject,))
        return self._opened(rows)

    def sealing_key(self, subject: str, use: str) -> bytes | None:
        return self.vault.derived(subject, use)

    def likely(self, likeness: bytes) -> Person | None:
        sql = "SELECT subject, stratum, sealed FROM account WHERE likeness = ?"
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(sql, (likeness,))
        return self._opened(rows)

    def subjects(self, strata: Sequence[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {stratum: [] for stratum in strata}
        with self.database.transaction(write=False) as tx:
            rows = chosen(tx, "stratum, subject", "stratum", strata, _RESIDENTS)
        for stratum, subject in rows:
            found[stratum].append(subject)
        return found

    def people(self, subjects: Collection[str]) -> dict[str, Person]:
        """Those of them who are there."""
        with self.database.transaction(write=False) as tx:
            return self._opened_all(chosen(tx, "subject, stratum, sealed", "subject", subjects))

    def likely_all(self, likenesses: Collection[bytes]) -> dict[bytes, Person]:
        with self.database.transaction(write=False) as tx:
            rows = chosen(tx, "likeness, subject, stratum, sealed", "likeness", likenesses)
        people = self._opened_all([row[1:] for row in rows])
        return {bytes(like): people[subject] for like, subject, *_ in rows if subject in people}

    def same(self, subject: str) -> list[str]:
        """Every subject that this one person has: the one that is kept first, then those merged into it."""
        sql = "SELECT subject, kept FROM merged WHERE subject = ? OR kept = ?"
        with self.database.transaction(write=False) as tx:
            kept = next((kept for own, kept in tx.execute(sql, (subject, subject)) if own == subject), subject)
            return [kept, *(own for own, _ in tx.execute(sql + " ORDER BY subject", (kept, kept)))]

    @contextmanager
    def locked(self, subject: str) -> Iterator[Person | None]:
        """The person as they stand until the block ends: nobody else changes them meanwhile."""
        sql = "SELECT subject, stratum, sealed FROM account WHERE subject = ? AND sealed IS NOT NULL"
        with self.database.transaction() as tx:
            yield self._opened(tx.execute(f"{sql}{tx.for_update}", (subject,)))

    def change(self, person: Person, likeness: bytes | None) -> None:
        """What was known of the person becomes this, whatever changed: every change of sealed fields comes through
        here. Held against the others anew; an account that is on no roll stays without a likeness. Raises Duplicate for
        a likeness that another has."""
        self.change_all([(person, likeness)])

    def change_all(self, people: Sequence[tuple[Person, bytes | None]]) -> None:
        if not people:
            return
        sealed = self.vault.seal({person.subject: _fields(person) for person, _ in people})
        sql = """UPDATE account SET likeness = CASE WHEN likeness IS NULL THEN likeness ELSE ? END, stratum = ?,
                 sealed = ?, looked = 0 WHERE subject = ? AND sealed IS NOT NULL"""
        with self.database.transaction() as tx:
            tx.executemany(sql, [(like, p.stratum, sealed[p.subject], p.subject) for p, like in people])
            keep_contacts(tx, [person for person, _ in people], self._code_key)

    def known(self, likenesses: Collection[bytes], codes: Collection[bytes]) -> tuple[set[bytes], set[bytes]]:
        """Those of each that the store has already."""
        with self.database.transaction(write=False) as tx:
            return _present(tx, "account", "likeness", likenesses), _present(tx, "sign_in_code", "code", codes)

    def add(
        self, people: Sequence[tuple[Person, bytes | None, bytes | None]], by: str, at: str, role: str = "resident"
    ) -> None:
        """(person, likeness, code hash or None), all or none, each with that role if it has a name. Without a likeness
        nobody is found by names: an account that nobody attached to the roll yet. Raises Duplicate."""
        sealed = self.vault.seal({person.subject: _fields(person) for person, _, _ in people})
        accounts = [(p.subject, like, p.stratum, sealed[p.subject]) for p, like, _ in people]
        grants = [(p.subject, role, at, FOR_GOOD, by, "") for p, _, _ in people if role]
        codes = [(p.subject, code) for p, _, code in people if code is not None]
        with self.database.transaction() as tx:
            tx.executemany("INSERT INTO account (subject, likeness, stratum, sealed) VALUES (?, ?, ?, ?)", accounts)
            tx.executemany("INSERT INTO grant_of_role VALUES (?, ?, ?, ?, ?, ?)", grants)
            tx.executemany("INSERT INTO sign_in_code VALUES (?, ?)", codes)
            keep_contacts(tx, [person for person, _, _ in people], self._code_key, fresh=True)

    # --- roles ---

    def roles(self, subject: str, now: str) -> tuple[str, ...]:
        sql = "SELECT DISTINCT role FROM role_held WHERE subject = ? AND since <= ? AND until > ? ORDER BY role"
        with self.database.transaction(write=False) as tx:
            return tuple(role for (role,) in tx.execute(sql, (subject, now, now)))

    def grants(self, subject: str) -> list[Grant]:
        """Every role that this person ever had, the newest first."""
        sql = """SELECT subject, role, since, until, granted_by, ended_by FROM role_held WHERE subject = ?
                 ORDER BY since DESC, role"""
        with self.database.transaction(write=False) as tx:
            return [Grant(*row) for row in tx.execute(sql, (subject,))]

    def holders(self, role: str, now: str) -> list[Grant]:
        """Who has a role now or will have it, by the date when it ends."""
        sql = """SELECT subject, role, since, until, granted_by, ended_by FROM role_held
                 WHERE role = ? AND until > ? ORDER BY until, subject"""
        with self.database.transaction(write=False) as tx:
            return [Grant(*row) for row in tx.execute(sql, (role, now))]

    def all_holders(self, roles: Sequence[str], now: str, first: int, most: int) -> list[Grant]:
        """As `holders`, of several roles, some of them."""
        marks = ",".join("?" * len(roles))
        sql = f"""SELECT subject, role, since, until, granted_by, ended_by FROM grant_of_role
                  WHERE role IN ({marks}) AND until > ? ORDER BY until, role, subject LIMIT ? OFFSET ?"""
        with self.database.transaction(write=False) as tx:
            return [Grant(*row) for row in tx.execute(sql, (*roles, now, most, first))]

    def grant(self, grant: Grant) -> None:
        """Adds to what stands, or lengthens what begins at the same moment."""
        sql = """INSERT INTO grant_of_role VALUES (?, ?, ?, ?, ?, '') ON CONFLICT (subject, role, since)
                 DO UPDATE SET until = excluded.until, granted_by = excluded.granted_by, ended_by = ''"""
        with self.database.transaction() as tx:
            tx.execute(sql, (grant.subject, grant.role, grant.since, grant.until, grant.granted_by))

    def end_role(self, subject: str, role: str, by: str, now: str) -> bool:
        """Whether there was anything to end. Raises LastAdministrator."""
        with self.database.transaction() as tx:
            self._keep_an_administrator(tx, subject, role, now)
            return self._end(tx, subject, role, by, now)

    # --- erasure ---

    def ask_erasure(self, subject: str, by: str) -> str | None:
        """Who asked before; None when this is the first."""
        with self.database.transaction() as tx:
            rows = tx.execute(f"SELECT asked_by FROM erasure WHERE subject = ?{tx.for_update}", (subject,))
            if not rows:
                tx.execute("INSERT INTO erasure VALUES (?, ?, '')", (subject, by))
        return str(rows[0][0]) if rows else None

    def confirm_erasure(self, subject: str, by: str, now: str) -> None:
        """From here on it will happen, whatever dies. Raises LastAdministrator."""
        with self.database.transaction() as tx:
            self._keep_an_administrator(tx, subject, "administrator", now)
            tx.execute("UPDATE erasure SET confirmed_by = ? WHERE subject = ?", (by, subject))
            self._end(tx, subject, "administrator", by, now)

    def drop_erasure(self, subject: str) -> bool:
        """Whether one was asked for and not confirmed."""
        sql = "DELETE FROM erasure WHERE subject = ? AND confirmed_by = '' RETURNING subject"
        with self.database.transaction() as tx:
            return bool(tx.execute(sql, (subject,)))

    def erasures(self) -> list[tuple[str, str]]:
        """(subject, who asked) of those that wait for a second person."""
        sql = "SELECT subject, asked_by FROM erasure WHERE confirmed_by = '' ORDER BY subject"
        with self.database.transaction(write=False) as tx:
            return [(subject, by) for subject, by in tx.execute(sql)]

    def erasures_due(self) -> list[str]:
        """Confirmed, and not done to the end."""
        with self.database.transaction(write=False) as tx:
            rows = tx.execute("SELECT subject FROM erasure WHERE confirmed_by <> '' ORDER BY subject")
        return [subject for (subject,) in rows]

    def erase(self, subject: str) -> None:
        """The key first: from then on nothing of this person can be read. Then every row that could lead to them; the
        opaque subject alone stays. Harmless when repeated."""
        asked = "FROM organisation WHERE asked_by = ? AND state <> 'active'"  # nobody else's yet
        with self.database.transaction(write=False) as tx:
            theirs = [one for (one,) in tx.execute(f"SELECT subject {asked}", (subject,))]
        for one in (subject, *theirs):
            self.vault.destroy(one)
        with self.database.transaction() as tx:
            tx.execute(f"DELETE {asked}", (subject,))
            tx.execute("UPDATE account SET likeness = NULL, sealed = NULL WHERE subject = ?", (subject,))
            for table in {*CODES_OF_A_PERSON, *OF_A_PERSON}:
                tx.execute(f"DELETE FROM {table} WHERE subject = ?", (subject,))
            tx.execute("DELETE FROM duplicate WHERE first = ? OR second = ?", (subject, subject))
            tx.execute("DELETE FROM merged WHERE kept = ?", (subject,))
        self.database.truncate_log()

    def _end(self, tx: Tx, subject: str, role: str, by: str, now: str) -> bool:
        sql = """UPDATE grant_of_role SET until = ?, ended_by = ? WHERE subject = ? AND role = ? AND until > ?
                 RETURNING role"""
        return bool(tx.execute(sql, (now, by, subject, role, now)))

    @staticmethod
    def _keep_an_administrator(tx: Tx, subject: str, role: str, now: str) -> None:
        """Two who end each other at once: the rows are locked, one after the other."""
        if role != "administrator":
            return
        sql = f"""SELECT subject FROM grant_of_role WHERE role = 'administrator' AND since <= ? AND until > ?
                  ORDER BY subject{tx.for_update}"""
        holders = {holder for (holder,) in tx.execute(sql, (now, now))}
        if holders == {subject}:
            raise LastAdministrator(field="role")

    def _opened(self, rows: Sequence[Sequence[Any]]) -> Person | None:
        return next(iter(self._opened_all(rows).values()), None)

    def _opened_all(self, rows: Sequence[Sequence[Any]]) -> dict[str, Person]:
        fields = self.vault.open_all({subject: bytes(sealed) for subject, _, sealed in rows if sealed is not None})
        return {s: Person(subject=s, stratum=stratum, **fields[s]) for s, stratum, _ in rows if s in fields}

    def _seal_plain_rows(self, tx: Tx) -> None:
        """From the first release, which kept names as they are."""
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows = tx.execute(f"SELECT subject, likeness, stratum, {', '.join(_PLAIN_FIELDS)} FROM person")
        sealed = self.vault.seal({row[0]: dict(zip(_PLAIN_FIELDS, row[3:], strict=True)) for row in rows})
        tx.executemany(
            "INSERT INTO account VALUES (?, ?, ?, ?)", [(row[0], bytes(row[1]), row[2], sealed[row[0]]) for row in rows]
        )
        grants = [(*row[:2], at, FOR_GOOD, row[2], "") for row in tx.execute("SELECT * FROM role")]
        tx.executemany("INSERT INTO grant_of_role VALUES (?, ?, ?, ?, ?, ?)", grants)


def _fields(person: Person) -> dict[str, str]:
    return {name: getattr(person, name) for name in _FIELDS}


def _present(tx: Tx, table: str, column: str, wanted: Collection[bytes]) -> set[bytes]:
    return {bytes(value) for (value,) in chosen(tx, column, column, wanted, table)}


def chosen(
    tx: Tx, columns: str, column: str, wanted: Collection[str] | Collection[bytes], table: str = "account"
) -> list[Row]:
    """Asked for a few hundred at a time, through the column's index."""
    values, found = list(wanted), list[Row]()
    for first in range(0, len(values), _CHUNK):
        some = values[first : first + _CHUNK]
        found += tx.execute(f"SELECT {columns} FROM {table} WHERE {column} IN ({','.join('?' * len(some))})", some)
    return found
