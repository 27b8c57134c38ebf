"""The inbox: messages that everyone who is signed in can read."""

from __future__ import annotations

from typing import Final

from services.notifications.domain import Message
from services.shared.store import Database
from services.shared.tracking import TRACKING_STEPS

STEPS: Final = (
    *TRACKING_STEPS,
    """CREATE TABLE inbox (number {autoid}, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL, subject TEXT NOT NULL,
           body TEXT NOT NULL, poll TEXT)""",
)
PAGE: Final = 20


class InboxStore:
    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, message: Message) -> None:
        row = (message.id, message.at, message.subject, message.body, message.poll)
        sql = "INSERT INTO inbox (id, at, subject, body, poll) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
        with self.database.transaction() as tx:
            tx.execute(sql, row)

    def page(self, number: int) -> tuple[list[Message], int]:
        """Newest first, and how many pages there are."""
        sql = "SELECT id, at, subject, body, poll FROM inbox ORDER BY number DESC LIMIT ? OFFSET ?"
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(sql, (PAGE, (number - 1) * PAGE))
            count = int(tx.execute("SELECT COUNT(*) FROM inbox")[0][0])
        return [Message(*row) for row in rows], max(1, -(-count // PAGE))
