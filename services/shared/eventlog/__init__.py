"""The event log between services: what a message is, and the two promises (append, read) that both engines keep.

`local.py` keeps the log in one SQLite file, `kafka.py` in Kafka topics. Messages, headers and the chain of positions
are the same in both; consumers decide by the chain (`shared.feed`), never by a log's own offsets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from services.shared.settings import Common

PARTITIONS: Final = 12
Stream = tuple[str, int]  # topic, partition


class SendFailed(Exception):
    """Some message of the batch may not stand in the log. The sender must exit: 10-kafka, rule 2."""


class LogNotReady(Exception):
    """The log cannot be used as it stands. The sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Message:
    """One published event, as it travels. Stored for ever under these names: never rename a field."""

    topic: str
    key: str
    value: bytes
    source: str  # "service/shard/incarnation"
    position: int  # in the source's store, from 1
    previous: int  # the position that this source sent before on this partition; 0 for the first
    start: int  # the last position that the store held when this incarnation began; header `from`
    type: str
    version: int
    id: str
    partition: int

    @property
    def shard(self) -> str:
        """ "service/shard": what stays the same when a store is restored."""
        return self.source.rpartition("/")[0]

    @property
    def incarnation(self) -> str:
        return self.source.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message read from the log, and where it stood."""

    message: Message
    offset: int


class Place(NamedTuple):
    """How far a source goes: an incarnation and a position in it."""

    incarnation: str
    position: int


class Producer(Protocol):
    """Appends to the log. After a SendFailed it must not be used again."""

    def send(self, messages: Sequence[Message]) -> None:
        """Returns once every message is acknowledged (on disk for the local log). Raises SendFailed, LogNotReady."""

    def close(self) -> None: ...


class Feed(Protocol):
    """One member of a group that reads some topics, each partition in the order of its offsets."""

    def start(self, tracked: Mapping[tuple[str, int, str], Place]) -> None:
        """Called once, before the first read. `tracked`: (topic, partition, shard) → how far its effects stand.

        A log without offsets of its own starts there; Kafka starts at the group's offsets.
        """

    def read(self, limit: int = 1000, timeout: float = 0.2) -> dict[Stream, list[Delivery]]:
        """What came next, at most `limit` messages; empty when nothing came within `timeout` seconds."""

    def ack(self, streams: Collection[Stream]) -> None:
        """What was read of these streams need not be read again after a restart. For speed only."""

    def rewind(self, topic: str, partition: int) -> None:
        """The next read of this partition starts at its oldest message."""

    def at_end(self, topic: str, partition: int) -> bool:
        """Nothing waited beyond what was read, at the last look."""

    def owned(self) -> frozenset[Stream]:
        """The partitions that this member reads at present."""

    def scan(self, topic: str, partition: int) -> Iterator[Delivery]:
        """Everything from the oldest message to the end as it stood at the call. Moves nothing."""

    def last_positions(self, topic: str, partition: int) -> dict[str, Place]:
        """shard → its newest incarnation in this partition and the last position told there."""

    def close(self) -> None: ...


def partition_of(key: str, partitions: int = PARTITIONS) -> int:
    """The same key always travels in the same partition. Fixed for ever: rows are tracked by partition."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % partitions


def last_places(deliveries: Iterator[Delivery]) -> dict[str, Place]:
    """What `Feed.last_positions` promises, from a scan."""
    found: dict[str, Place] = {}
    for delivery in deliveries:
        message = delivery.message
        known = found.get(message.shard)
        floor = known.position if known and known.incarnation == message.incarnation else 0
        found[message.shard] = Place(message.incarnation, max(message.position, floor))
    return found


def open_producer(settings: Common) -> Producer:
    """The engine's producer. Kafka is imported here and not above: after eventlet's monkey_patch, or it hangs."""
    if settings.engine == "embedded":
        from services.shared.eventlog.local import LocalProducer, path

        return LocalProducer(path(settings))
    from services.shared.eventlog.kafka import KafkaLogProducer

    return KafkaLogProducer(settings.kafka)


def open_feed(settings: Common, group: str, topics: Sequence[str]) -> Feed:
    """A new member of `group`. Raises LogNotReady when a topic is missing or is not as it must be."""
    if settings.engine == "embedded":
        from services.shared.eventlog.local import LocalFeed, path

        return LocalFeed(path(settings), topics)
    from services.shared.eventlog.kafka import KafkaFeed

    return KafkaFeed(settings.kafka, group, topics)
