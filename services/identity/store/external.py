"""Accounts at providers of identities, as keyed hashes, beside the people whom they open."""

from __future__ import annotations

from typing import Final

from services.shared.store import Database, Duplicate

EXTERNAL_STEP: Final = """CREATE TABLE external_account (hash {blob} PRIMARY KEY, subject TEXT NOT NULL,
       of_person {blob} NOT NULL UNIQUE);
   CREATE INDEX external_account_subject ON external_account (subject)"""


class ExternalAccounts:
    """In the people store's database, whose erasure of a person takes their accounts along."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, account: bytes) -> str | None:
        with self._database.transaction(write=False) as tx:
            rows = tx.execute("SELECT subject FROM external_account WHERE hash = ?", (account,))
        return str(rows[0][0]) if rows else None

    def link(self, account: bytes, of_person: bytes, subject: str) -> bool:
        """A repeat of the same link changes nothing. The person's row is locked: an erasure at the same moment waits,
        then takes this account along, or is done, and nothing is linked."""
        try:
            with self._database.transaction() as tx:
                known = f"SELECT subject FROM account WHERE subject = ? AND sealed IS NOT NULL{tx.for_share}"
                if not tx.execute(known, (subject,)):
                    return False
                tx.execute("INSERT INTO external_account VALUES (?, ?, ?)", (account, subject, of_person))
        except Duplicate:
            return self.find(account) == subject
        return True
