"""The event log of one machine: one SQLite file, appended to by relays alone, read by every worker.

Readers notice an append by `PRAGMA data_version`, which costs microseconds, and read on by (stream, offset).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from services.shared.eventlog import PARTITIONS, Delivery, LogNotReady, Message, Place, SendFailed, Stream
from services.shared.settings import Common

_FORMAT: Final = 1
_POLL: Final = 0.005
_IDLE_POLL: Final = 0.015
_IDLE_AFTER: Final = 200  # polls without news
_SCHEMA: Final = """
    CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE stream (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL,
        next INTEGER NOT NULL, UNIQUE (topic, partition));
    CREATE TABLE message (stream INTEGER NOT NULL, "offset" INTEGER NOT NULL, source INTEGER NOT NULL,
        position INTEGER NOT NULL, previous INTEGER NOT NULL, start INTEGER NOT NULL, key TEXT NOT NULL,
        type TEXT NOT NULL, version INTEGER NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (stream, "offset")) WITHOUT ROWID;
    CREATE INDEX message_by_source ON message (stream, source, position)
"""
_SELECT: Final = """
    SELECT m."offset", m.key, m.value, s.name, m.position, m.previous, m.start, m.type, m.version, m.id
    FROM message m JOIN source s ON s.id = m.source WHERE m.stream = ? AND m."offset" >= ? AND m."offset" < ?
    ORDER BY m."offset" LIMIT ?"""


def path(settings: Common) -> Path:
    return settings.data / "eventlog.db"


class LocalProducer:
    """Appends in one transaction a batch, durable when `send` returns (WAL, synchronous FULL)."""

    def __init__(self, file: Path) -> None:
        self._connection = _connect(file)
        self._streams: dict[Stream, int] = {}
        self._sources: dict[str, int] = {}

    def send(self, messages: Sequence[Message]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._append(messages)
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise
        except sqlite3.Error as e:
            raise SendFailed(f"the local event log refused an append: {e}") from e

    def close(self) -> None:
        self._connection.close()

    def _append(self, messages: Sequence[Message]) -> None:
        heads: dict[int, int] = {}
        rows = []
        for m in messages:
            stream = self._stream(m.topic, m.partition)
            if stream not in heads:
                sql = "SELECT next FROM stream WHERE id = ?"
                heads[stream] = self._connection.execute(sql, (stream,)).fetchone()[0]
            told = (self._source(m.source), m.position, m.previous, m.start, m.key, m.type, m.version, m.id, m.value)
            rows.append((stream, heads[stream], *told))
            heads[stream] += 1
        self._connection.executemany("INSERT INTO message VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows)
        self._connection.executemany("UPDATE stream SET next = ? WHERE id = ?", [(n, s) for s, n in heads.items()])

    def _stream(self, topic: str, partition: int) -> int:
        if (topic, partition) not in self._streams:
            sql = "INSERT INTO stream (topic, partition, next) VALUES (?, ?, 0) ON CONFLICT DO NOTHING"
            self._connection.execute(sql, (topic, partition))
            sql = "SELECT id FROM stream WHERE topic = ? AND partition = ?"
            self._streams[topic, partition] = self._connection.execute(sql, (topic, partition)).fetchone()[0]
        return self._streams[topic, partition]

    def _source(self, name: str) -> int:
        if name not in self._sources:
            self._connection.execute("INSERT INTO source (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
            row = self._connection.execute("SELECT id FROM source WHERE name = ?", (name,)).fetchone()
            self._sources[name] = row[0]
        return self._sources[name]


class LocalFeed:
    """Reads every partition of its topics; two members of a group read the same, and tracking keeps effects single."""

    def __init__(self, file: Path, topics: Sequence[str]) -> None:
        self._file = file
        self._topics = tuple(topics)
        self._offsets: dict[Stream, int] = {}
        self._ends: dict[Stream, int] = {}
        self._ids: dict[Stream, int] = {}
        self._quiet = 0
        self._open()

    def start(self, tracked: Mapping[tuple[str, int, str], Place]) -> None:
        """Each stream at its first message that is not known to be applied; found by the index, not by reading."""
        self._look()
        self._version = -1
        for stream, number in self._ids.items():
            firsts = [self._first_unseen(number, name, tracked.get((*stream, _shard(name)))) for name in self._names()]
            found = [first for first in firsts if first is not None]
            self._offsets[stream] = min(found, default=self._ends[stream])

    def read(self, limit: int = 1000, timeout: float = 0.2) -> dict[Stream, list[Delivery]]:
        until = time.monotonic() + timeout
        while True:
            if self._changed():
                found = self._fetch(limit)
                if found:
                    self._quiet = 0
                    return found
            left = until - time.monotonic()
            if left <= 0:
                self._reopen_if_replaced()
                return {}
            self._quiet += 1
            time.sleep(min(left, _POLL if self._quiet < _IDLE_AFTER else _IDLE_POLL))

    def ack(self, streams: Collection[Stream]) -> None:
        """Nothing to keep: tracking rows say where to start."""

    def rewind(self, topic: str, partition: int) -> None:
        self._offsets[topic, partition] = 0
        self._version = -1

    def at_end(self, topic: str, partition: int) -> bool:
        return self._offsets.get((topic, partition), 0) >= self._ends.get((topic, partition), 0)

    def owned(self) -> frozenset[Stream]:
        return frozenset((topic, partition) for topic in self._topics for partition in range(PARTITIONS))

    def scan(self, topic: str, partition: int) -> Iterator[Delivery]:
        self._look()
        offset, end = 0, self._ends.get((topic, partition), 0)
        while offset < end:
            batch = self._select((topic, partition), offset, end, 1000)
            if not batch:
                return
            yield from batch
            offset = batch[-1].offset + 1

    def last_positions(self, topic: str, partition: int) -> dict[str, Place]:
        """By the index: per source its last offset and last position; the newest incarnation has the last offset."""
        self._look()
        stream = self._ids.get((topic, partition))
        sql = 'SELECT max(position), max("offset") FROM message WHERE stream = ? AND source = ?'
        newest: dict[str, tuple[int, Place]] = {}
        for number, name in self._connection.execute("SELECT id, name FROM source").fetchall():
            position, offset = self._connection.execute(sql, (stream, number)).fetchone()
            if offset is not None and offset >= newest.get(_shard(name), (0, None))[0]:
                newest[_shard(name)] = (offset, Place(name.rpartition("/")[2], position))
        return {shard: place for shard, (_, place) in newest.items()}

    def close(self) -> None:
        self._connection.close()

    def _open(self) -> None:
        self._connection = _connect(self._file)
        self._inode = self._file.stat().st_ino
        self._version = -1

    def _changed(self) -> bool:
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return False
        self._version = version
        return True

    def _look(self) -> None:
        """Where each stream ends now. A log that is shorter than what was read was wiped: from its beginning again."""
        marks = ",".join("?" * len(self._topics))
        sql = f"SELECT id, topic, partition, next FROM stream WHERE topic IN ({marks})"
        for number, topic, partition, end in self._connection.execute(sql, self._topics):
            stream = (topic, partition)
            self._ids[stream], self._ends[stream] = number, end
            if self._offsets.get(stream, 0) > end:
                self._offsets[stream] = 0

    def _fetch(self, limit: int) -> dict[Stream, list[Delivery]]:
        self._look()
        behind = [s for s in self._ids if self._offsets.get(s, 0) < self._ends[s]]
        found = {}
        share = max(1, limit // len(behind)) if behind else 0
        for stream in behind:
            batch = self._select(stream, self._offsets.get(stream, 0), self._ends[stream], share)
            self._offsets[stream] = batch[-1].offset + 1 if batch else self._ends[stream]
            if batch:
                found[stream] = batch
        if any(self._offsets[s] < self._ends[s] for s in behind):
            self._version = -1  # there is more: do not wait for the next append
        return found

    def _select(self, stream: Stream, offset: int, end: int, limit: int) -> list[Delivery]:
        rows = self._connection.execute(_SELECT, (self._ids[stream], offset, end, limit)).fetchall()
        return [Delivery(_message(stream, row), row[0]) for row in rows]

    def _names(self) -> list[str]:
        return [name for (name,) in self._connection.execute("SELECT name FROM source")]

    def _first_unseen(self, stream: int, source: str, known: Place | None) -> int | None:
        """The lowest offset of a source's messages beyond what is tracked; those of a past incarnation count too."""
        after = known.position if known and known.incarnation == source.rpartition("/")[2] else 0
        sql = """SELECT min("offset") FROM message WHERE stream = ? AND position > ?
                 AND source = (SELECT id FROM source WHERE name = ?)"""
        found: Any = self._connection.execute(sql, (stream, after, source)).fetchone()[0]
        return None if found is None else int(found)

    def _reopen_if_replaced(self) -> None:
        """The file may be wiped and made anew while we wait; a deleted one would be read for ever."""
        try:
            same = self._file.stat().st_ino == self._inode
        except FileNotFoundError:
            same = False
        if not same:
            self._connection.close()
            self._open()
            self._offsets.clear()
            self._ends.clear()
            self._ids.clear()


def _shard(source: str) -> str:
    return source.rpartition("/")[0]


def _message(stream: Stream, row: tuple[Any, ...]) -> Message:
    _, key, value, source, position, previous, start, type_, version, id_ = row
    topic, partition = stream
    return Message(topic, key, value, source, position, previous, start, type_, version, id_, partition)


def _connect(file: Path) -> sqlite3.Connection:
    """Makes the file when it is not there. Raises LogNotReady when it cannot be used."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=20)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        _make(connection)
    except (sqlite3.Error, OSError) as e:
        raise LogNotReady(f"the local event log {file.name} cannot be opened: {e}") from e
    return connection


def _make(connection: sqlite3.Connection) -> None:
    def found() -> int:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])

    if found() == 0:
        connection.execute("BEGIN IMMEDIATE")
        try:
            if found() == 0:  # nobody made it while we waited for the lock
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {_FORMAT}")
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise
    if found() > _FORMAT:
        raise LogNotReady("the local event log was written by a newer release: use that one")
