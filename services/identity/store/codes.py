"""Requests for codes, codes that are used once, and what is counted of both: keyed hashes alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from services.identity.application.asks import MINUTES, SHARING, TRIES, Ask, Kind, Limit
from services.identity.domain import TooManyTries
from services.shared.store import Database, Tx

_GOOD: Final = MINUTES * 60
_LETTERS_WAIT: Final = 7 * 86_400  # an outbox that is down for days loses no letter
_COUNT: Final = """INSERT INTO counted VALUES (?, ?, ?, 1) ON CONFLICT (what, slot)
                   DO UPDATE SET n = counted.n + 1 RETURNING n"""
_TRY: Final = """INSERT INTO sign_in_try VALUES (?, ?, 1) ON CONFLICT (source, minute)
                 DO UPDATE SET wrong = sign_in_try.wrong + 1 RETURNING wrong"""


class CodeStore:
    def __init__(self, database: Database) -> None:
        """`database`: that of the people store, which makes the tables."""
        self.database = database

    # --- asking ---

    def count(self, limits: Sequence[Limit], now: int) -> int:
        with self.database.transaction() as tx:
            for limit in limits:
                slot = now // limit.seconds
                ends = (slot + 1) * limit.seconds
                what = limit.what + limit.seconds.to_bytes(4)
                if tx.execute(_COUNT, (what, slot, ends))[0][0] > limit.most:
                    return ends - now
        return 0

    def ask(self, ask: Ask, subject: str = "") -> None:
        with self.database.transaction() as tx:
            tx.execute("INSERT INTO code_ask VALUES (?, ?, ?, ?, 0, 0)", (ask.id, ask.kind, ask.hash, ask.at))
            if subject:
                tx.execute("INSERT INTO code_for VALUES (?, ?)", (ask.id, subject))

    # --- sending ---

    def waiting(self, now: int) -> list[Ask]:
        sql = """SELECT id, kind, hash, at FROM code_ask
                 WHERE sent = 0 AND (at > ? OR kind = 'letter' AND at > ?) ORDER BY at, id LIMIT 100"""
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(sql, (now - _GOOD, now - _LETTERS_WAIT))
        return [Ask(bytes(id), kind, bytes(hash), at) for id, kind, hash, at in rows]

    def addressees(self, ask: Ask) -> list[str]:
        with self.database.transaction() as tx:
            named = [s for (s,) in tx.execute("SELECT subject FROM code_for WHERE id = ? ORDER BY 1", (ask.id,))]
            if named and ask.kind == "letter":
                return named
            found = self._found(tx, ask)
            tx.execute("DELETE FROM code_for WHERE id = ?", (ask.id,))
            tx.executemany("INSERT INTO code_for VALUES (?, ?)", [(ask.id, subject) for subject in found])
        return found

    @staticmethod
    def _found(tx: Tx, ask: Ask) -> list[str]:
        """Nobody, when more share it than can be told apart."""
        if ask.kind == "letter":
            rows = tx.execute("SELECT subject FROM account WHERE likeness = ?", (ask.hash,))
        else:
            sql = "SELECT subject FROM contact WHERE hash = ? AND kind = ? ORDER BY subject"
            rows = tx.execute(sql, (ask.hash, ask.kind))
        return [subject for (subject,) in rows] if len(rows) <= SHARING else []

    def sent(self, ask: Ask) -> None:
        with self.database.transaction() as tx:
            tx.execute("UPDATE code_ask SET sent = 1 WHERE id = ?", (ask.id,))

    # --- using ---

    def try_ask(
        self, id: bytes, now: int, right: Callable[[Sequence[str]], str | None]
    ) -> tuple[Kind, str | None] | None:
        # The try is counted under the row's lock before anything is compared: a thousand at once are a thousand.
        count = """UPDATE code_ask SET tries = tries + 1 WHERE id = ? AND at > ? AND kind <> 'letter'
                   RETURNING tries, kind"""
        with self.database.transaction() as tx:
            rows = tx.execute(count, (id, now - _GOOD))
            subjects = [s for (s,) in tx.execute("SELECT subject FROM code_for WHERE id = ? ORDER BY 1", (id,))]
            subject = right(subjects)
            used_up = bool(rows) and rows[0][0] > TRIES
            if rows and subject is not None and not used_up:
                tx.execute("DELETE FROM code_ask WHERE id = ?", (id,))
                tx.execute("DELETE FROM code_for WHERE id = ?", (id,))
        if used_up:
            raise TooManyTries(field="request")
        return (rows[0][1], subject) if rows else None

    def put_once(self, code: bytes, subject: str, method: str, until: int) -> None:
        with self.database.transaction() as tx:
            tx.execute("DELETE FROM one_time_code WHERE subject = ? AND method = ?", (subject, method))
            tx.execute("INSERT INTO one_time_code VALUES (?, ?, ?, ?)", (code, subject, method, until))

    def try_once(self, code: bytes, now: int) -> tuple[str, str] | None:
        sql = "DELETE FROM one_time_code WHERE code = ? AND until > ? RETURNING subject, method"
        with self.database.transaction() as tx:
            rows = tx.execute(sql, (code, now))
        return (rows[0][0], rows[0][1]) if rows else None

    def tried(self, source: bytes, window: int, tries: int) -> None:
        with self.database.transaction() as tx:
            wrong = tx.execute(_TRY, (source, window))[0][0]
        if wrong > tries:
            raise TooManyTries

    def untried(self, source: bytes, window: int) -> None:
        sql = "UPDATE sign_in_try SET wrong = wrong - 1 WHERE source = ? AND minute = ?"
        with self.database.transaction() as tx:
            tx.execute(sql, (source, window))

    def forget(self, now: int) -> None:
        """What can no longer be used. A letter's request goes once it was sent: its code stands by itself."""
        old = "(kind <> 'letter' AND at <= ?) OR (kind = 'letter' AND (sent = 1 OR at <= ?))"
        with self.database.transaction() as tx:
            tx.execute(f"DELETE FROM code_ask WHERE {old}", (now - _GOOD, now - _LETTERS_WAIT))
            tx.execute("DELETE FROM code_for WHERE id NOT IN (SELECT id FROM code_ask)")
            tx.execute("DELETE FROM one_time_code WHERE until <= ?", (now,))
            tx.execute("DELETE FROM counted WHERE ends <= ?", (now,))
