"""The rows by which a consumer knows how far its effects stand; they live in its own store, beside those effects.

One row per (topic, partition, "service/shard"): the incarnation that is followed and the position applied last. A row
is locked before anything is decided by it (10-kafka, rule 4).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from services.shared.chain import Tracked
from services.shared.eventlog import Message, Place, Stream
from services.shared.store import Tx

# The first migration of every consumer's store. It never grows: what comes later is a step after a service's own.
TRACKING_STEPS: Final = (
    """CREATE TABLE tracking (topic TEXT NOT NULL, part INTEGER NOT NULL, shard TEXT NOT NULL,
           incarnation TEXT NOT NULL, position {bigint} NOT NULL, offered TEXT NOT NULL,
           offered_start {bigint} NOT NULL, PRIMARY KEY (topic, part, shard)) {without_rowid};
       CREATE TABLE tracking_past (topic TEXT NOT NULL, part INTEGER NOT NULL, shard TEXT NOT NULL,
           incarnation TEXT NOT NULL, PRIMARY KEY (topic, part, shard, incarnation)) {without_rowid};
       CREATE TABLE tracking_begun (topic TEXT PRIMARY KEY);
       CREATE TABLE dead_letters (id {autoid}, topic TEXT NOT NULL, part INTEGER NOT NULL, source TEXT NOT NULL,
           position {bigint} NOT NULL, previous {bigint} NOT NULL, start {bigint} NOT NULL, key TEXT NOT NULL,
           type TEXT NOT NULL, version INTEGER NOT NULL, message_id TEXT NOT NULL, value {blob} NOT NULL,
           code TEXT NOT NULL, reason TEXT NOT NULL, buried_at TEXT NOT NULL,
           UNIQUE (topic, part, source, position))""",
)
_LETTER: Final = "topic, key, value, source, position, previous, start, type, version, message_id, part"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that the handler refused for good, and why."""

    id: int
    message: Message
    code: str
    reason: str
    buried_at: str


def lock(tx: Tx, stream: Stream, messages: Iterable[Message]) -> dict[str, Tracked]:
    """The locked rows of every source of the batch; a source met for the first time gets its row at 0."""
    firsts: dict[str, str] = {}
    for message in messages:
        firsts.setdefault(message.shard, message.incarnation)
    rows = _locked(tx, stream, firsts)
    unknown = sorted(firsts.keys() - rows.keys())
    if unknown:
        sql = "INSERT INTO tracking VALUES (?, ?, ?, ?, 0, '', 0) ON CONFLICT DO NOTHING"
        tx.executemany(sql, [(*stream, shard, firsts[shard]) for shard in unknown])
        rows = _locked(tx, stream, firsts)
    return rows


def save(tx: Tx, stream: Stream, positions: Mapping[str, int]) -> None:
    sql = "UPDATE tracking SET position = ? WHERE topic = ? AND part = ? AND shard = ?"
    for shard, position in positions.items():
        tx.execute(sql, (position, *stream, shard))


def offer(tx: Tx, stream: Stream, message: Message) -> None:
    """Remembers the unknown incarnation that stopped the partition, for `accept-restore`."""
    sql = "UPDATE tracking SET offered = ?, offered_start = ? WHERE topic = ? AND part = ? AND shard = ?"
    tx.execute(sql, (message.incarnation, message.start, *stream, message.shard))


def waiting(tx: Tx, topics: Collection[str] = ()) -> dict[tuple[str, int, str], Tracked]:
    """(topic, partition, shard) → the rows that wait for `accept-restore`."""
    return {where: row for where, row in every(tx).items() if row.offered and (not topics or where[0] in topics)}


def accept(tx: Tx, where: tuple[str, int, str], row: Tracked) -> int:
    """Goes over to the offered incarnation, and back to where both tell the same. Returns the position taken."""
    position = min(row.position, row.offered_start)
    tx.execute("INSERT INTO tracking_past VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (*where, row.incarnation))
    sql = "UPDATE tracking SET incarnation = ?, position = ?, offered = '', offered_start = 0"
    tx.execute(f"{sql} WHERE topic = ? AND part = ? AND shard = ?", (row.offered, position, *where))
    return position


def every(tx: Tx) -> dict[tuple[str, int, str], Tracked]:
    sql = "SELECT topic, part, shard, incarnation, position, offered, offered_start FROM tracking ORDER BY 1, 2, 3"
    return {(t, p, s): Tracked(i, n, offered=o, offered_start=f) for t, p, s, i, n, o, f in tx.execute(sql)}


def places(tx: Tx) -> dict[tuple[str, int, str], Place]:
    return {where: Place(row.incarnation, row.position) for where, row in every(tx).items()}


def begun(tx: Tx, topic: str) -> bool:
    """A consumer that reads a topic since "now" has already chosen its beginning."""
    return bool(tx.execute("SELECT 1 FROM tracking_begun WHERE topic = ?", (topic,)))


def begin(tx: Tx, topic: str, heads: Mapping[int, Mapping[str, Place]]) -> None:
    """The rows of a first start: what the topic holds at present counts as seen. Raises Duplicate when overtaken."""
    tx.execute("INSERT INTO tracking_begun VALUES (?)", (topic,))
    sql = "INSERT INTO tracking VALUES (?, ?, ?, ?, ?, '', 0) ON CONFLICT DO NOTHING"
    for partition, shards in heads.items():
        for shard, place in shards.items():
            tx.execute(sql, (topic, partition, shard, *place))


def bury(tx: Tx, stream: Stream, message: Message, code: str, reason: str) -> None:
    """Keeps the message among the dead letters; once, however often it is refused."""
    m, at = message, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    row = (m.topic, m.key, m.value, m.source, m.position, m.previous, m.start, m.type, m.version, m.id, stream[1])
    sql = f"INSERT INTO dead_letters ({_LETTER}, code, reason, buried_at) VALUES ({', '.join('?' * 14)})"
    tx.execute(f"{sql} ON CONFLICT DO NOTHING", (*row, code, reason, at))


def dead_letters(tx: Tx, number: int | None = None, *, lock: bool = False) -> list[DeadLetter]:
    """Oldest first; all of them, or the one with this number, locked when it is to be replayed."""
    where, params = ("WHERE id = ?", (number,)) if number is not None else ("", ())
    sql = f"SELECT {_LETTER}, id, code, reason, buried_at FROM dead_letters {where} ORDER BY id"
    return [_letter(row) for row in tx.execute(sql + (tx.for_update if lock else ""), params)]


def delete_dead_letter(tx: Tx, number: int) -> None:
    tx.execute("DELETE FROM dead_letters WHERE id = ?", (number,))


def _locked(tx: Tx, stream: Stream, shards: Collection[str]) -> dict[str, Tracked]:
    marks = ", ".join("?" * len(shards))
    where = f"WHERE topic = ? AND part = ? AND shard IN ({marks})"
    sql = f"SELECT shard, incarnation, position, offered, offered_start FROM tracking {where} ORDER BY shard"
    rows = tx.execute(sql + tx.for_update, (*stream, *shards))  # ordered: two consumers must not deadlock
    past: dict[str, set[str]] = {}
    for shard, incarnation in tx.execute(f"SELECT shard, incarnation FROM tracking_past {where}", (*stream, *shards)):
        past.setdefault(shard, set()).add(incarnation)
    return {s: Tracked(i, n, frozenset(past.get(s, ())), o, f) for s, i, n, o, f in rows}


def _letter(row: tuple[Any, ...]) -> DeadLetter:
    topic, key, value, source, position, previous, start, type_, version, id_, partition = row[:11]
    told = (source, position, previous, start, type_, version, id_, partition)
    return DeadLetter(row[11], Message(topic, key, bytes(value), *told), *row[12:])
