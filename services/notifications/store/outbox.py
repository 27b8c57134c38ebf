"""The outbox: messages to one person until they are in the spool, then their ids alone. A store of its own, beside the
vault in what ordinary backups leave out, opened with secure_delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from services.notifications.domain.rendering import ENDINGS, Outgoing
from services.shared.store import Database, Tx
from services.shared.strict import canonical, parse

OUTBOX_STEPS: Final = (
    """CREATE TABLE outbox (id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, at {bigint} NOT NULL,
           content {blob});
       CREATE INDEX outbox_subject ON outbox (subject);
       CREATE INDEX outbox_at ON outbox (at);
       CREATE TABLE erased (subject TEXT PRIMARY KEY)""",
)
Delete = Callable[[str, str], None]


class OutboxStore:
    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, outgoing: Outgoing) -> bool:
        o = outgoing
        content = canonical({"address": o.address, "template": o.template, "values": dict(o.values)})
        sql = "INSERT INTO outbox VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id"
        with self.database.transaction() as tx:
            _one_at_a_time(tx, o.subject)
            if tx.execute("SELECT 1 FROM erased WHERE subject = ?", (o.subject,)):
                return True  # whoever asks is told no more than that it was taken
            return bool(tx.execute(sql, (o.id, o.kind, o.subject, int(o.at.timestamp()), content)))

    def waiting(self, limit: int) -> list[str]:
        sql = "SELECT id FROM outbox WHERE content IS NOT NULL ORDER BY at, id LIMIT ?"
        with self.database.transaction(write=False) as tx:
            return [id for (id,) in tx.execute(sql, (limit,))]

    def hand_over(self, id: str, write: Callable[[Outgoing], None]) -> bool:
        sql = "SELECT id, kind, subject, at, content FROM outbox WHERE id = ? AND content IS NOT NULL"
        with self.database.transaction() as tx:
            rows = tx.execute(sql + tx.for_update, (id,))
            if rows:
                write(_outgoing(rows[0]))
                tx.execute("UPDATE outbox SET content = NULL WHERE id = ?", (id,))
        return bool(rows)

    def forget(self, subject: str, delete: Delete) -> int:
        with self.database.transaction() as tx:
            _one_at_a_time(tx, subject)
            tx.execute("INSERT INTO erased VALUES (?) ON CONFLICT (subject) DO NOTHING", (subject,))
            sql = f"SELECT id, kind FROM outbox WHERE subject = ?{tx.for_update}"
            gone = self._delete(tx, tx.execute(sql, (subject,)), delete)
        self.database.truncate_log()
        return gone

    def forget_older(self, than: datetime, delete: Delete) -> int:
        with self.database.transaction() as tx:
            sql = f"SELECT id, kind FROM outbox WHERE at < ?{tx.for_update}"
            gone = self._delete(tx, tx.execute(sql, (int(than.timestamp()),)), delete)
        if gone:
            self.database.truncate_log()
        return gone

    @staticmethod
    def _delete(tx: Tx, rows: Sequence[Sequence[Any]], delete: Delete) -> int:
        for id, kind in rows:
            delete(kind, id + ENDINGS[kind])
            tx.execute("DELETE FROM outbox WHERE id = ?", (id,))
        return len(rows)


def _one_at_a_time(tx: Tx, subject: str) -> None:
    """A message that comes while its person is erased waits for the end of that. SQLite has one writer anyway."""
    if tx.engine == "postgres":
        tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(?, 7236002))", (subject,))


def _outgoing(row: Sequence[Any]) -> Outgoing:
    id, kind, subject, at, content = row
    found = parse(bytes(content))
    return Outgoing(
        id, kind, subject, datetime.fromtimestamp(at, UTC), found["address"], found["template"], found["values"]
    )
