"""The event log of a region: Kafka topics, by the rules that were found on real brokers (10-kafka).

In short: acknowledged by all, idempotence off (on, a producer never recovers from a lost quorum), every future looked
at, offsets for speed only. Import it after eventlet's monkey_patch, or not at all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, RetriableError

from services.shared import metrics
from services.shared.eventlog import (
    PARTITIONS,
    Delivery,
    LogNotReady,
    Message,
    Place,
    SendFailed,
    Stream,
    last_places,
)

_BOOTSTRAP_MS: Final = 5000
_RECONNECT_MS: Final = 1000  # at most, between two tries; the library's 30 s would outlast an outage by as much
_COMMIT_SECONDS: Final = 1.0
_SCAN_SECONDS: Final = 20.0
_KNOWN_SECONDS: Final = 15.0  # within which a new topic is known to every broker
_SILENCE_SECONDS: Final = 30.0  # of polls that all fail: then the process ends, and its supervisor begins anew
_TOPIC_CONFIG: Final = {"cleanup.policy": "delete", "retention.ms": "-1"}
_log = logging.getLogger("parvis")


class KafkaLogProducer:
    """Chained messages to Kafka. The first failure is the last call: the process must exit and begin anew."""

    def __init__(self, servers: str) -> None:
        # A broker that leaves while a batch waits makes the library log without end; SendFailed tells it once.
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
        self._servers = servers
        self._checked: set[str] = set()
        self._producer = _opened(
            KafkaProducer,
            servers,
            acks="all",
            enable_idempotence=False,
            max_in_flight_requests_per_connection=1,
            delivery_timeout_ms=8000,
            request_timeout_ms=3000,
            max_block_ms=5000,
            allow_auto_create_topics=False,
        )

    def send(self, messages: Sequence[Message]) -> None:
        unknown = {message.topic for message in messages} - self._checked
        if unknown:
            check_topics(self._servers, unknown)
            self._checked |= unknown
        until = time.monotonic() + 10
        try:
            futures = [
                self._producer.send(m.topic, m.value, m.key.encode(), _headers(m), partition=m.partition)
                for m in messages
            ]
            for future in futures:
                future.get(timeout=max(0.0, until - time.monotonic()))
        except (KafkaError, ValueError) as e:
            raise SendFailed(f"Kafka did not acknowledge: {e}") from e

    def close(self) -> None:
        self._producer.close(timeout=1)


class KafkaFeed:
    """A member of a consumer group. Offsets are committed late and only for speed: tracking rows decide."""

    def __init__(self, servers: str, group: str, topics: Sequence[str]) -> None:
        logging.getLogger("kafka").setLevel(logging.ERROR)
        check_topics(servers, topics)
        self._servers = servers
        self._pending: dict[TopicPartition, OffsetAndMetadata] = {}
        self._next: dict[TopicPartition, int] = {}
        self._committed = self._polled = time.monotonic()
        self._consumer = _consumer(servers, group_id=group, session_timeout_ms=6000, heartbeat_interval_ms=1500)
        for topic in topics:
            # Fetches metadata before the group is joined: a leader that knows no partitions yet assigns none (seen).
            self._consumer.partitions_for_topic(topic)
        self._consumer.subscribe(list(topics))

    def start(self, tracked: Mapping[tuple[str, int, str], Place]) -> None:
        """Kafka starts at the group's offsets; the tracked places are looked at message by message."""

    def read(self, limit: int = 1000, timeout: float = 0.2) -> dict[Stream, list[Delivery]]:
        polled = self._poll(limit, timeout)
        found: dict[Stream, list[Delivery]] = {}
        for where, records in polled.items():
            self._next[where] = records[-1].offset + 1
            found[where.topic, where.partition] = [d for d in map(_delivery, records) if d is not None]
        return found

    def _poll(self, limit: int, timeout: float) -> Mapping[TopicPartition, Sequence[Any]]:
        """A lost coordinator is raised once, and the next call joins its group again: no reason to begin anew."""
        try:
            polled: Mapping[TopicPartition, Sequence[Any]] = self._consumer.poll(int(timeout * 1000), limit)
            self._polled = time.monotonic()
        except RetriableError as e:
            if time.monotonic() - self._polled > _SILENCE_SECONDS:
                raise
            _log.warning("the event log does not answer", extra={"code": type(e).__name__})
            time.sleep(timeout)
            return {}
        return polled

    def ack(self, streams: Collection[Stream]) -> None:
        for where in (TopicPartition(*stream) for stream in streams):
            if where in self._next:
                self._pending[where] = OffsetAndMetadata(self._next[where], "", -1)
        if self._pending and time.monotonic() - self._committed > _COMMIT_SECONDS:
            self._committed = time.monotonic()
            self._consumer.commit_async(self._still_mine())
            self._pending = {}

    def rewind(self, topic: str, partition: int) -> None:
        where = TopicPartition(topic, partition)
        if where in self._consumer.assignment():
            self._consumer.seek_to_beginning(where)

    def at_end(self, topic: str, partition: int) -> bool:
        where = TopicPartition(topic, partition)
        if where not in self._consumer.assignment():
            return False
        end = self._consumer.highwater(where)
        return end is not None and self._next.get(where, 0) >= end

    def owned(self) -> frozenset[Stream]:
        return frozenset((where.topic, where.partition) for where in self._consumer.assignment())

    def scan(self, topic: str, partition: int) -> Iterator[Delivery]:
        """By a consumer of its own outside the group. Raises LogNotReady when the broker stops answering."""
        where = TopicPartition(topic, partition)
        with closing(_consumer(self._servers)) as consumer:
            consumer.assign([where])
            consumer.seek_to_beginning(where)
            end = consumer.end_offsets([where])[where]
            heard = time.monotonic()
            while consumer.position(where, timeout_ms=1000) is None or consumer.position(where) < end:
                records = consumer.poll(timeout_ms=500).get(where, [])
                heard = time.monotonic() if records else heard
                if time.monotonic() - heard > _SCAN_SECONDS:
                    raise LogNotReady(f"{topic}/{partition} cannot be read to its end: the broker does not answer")
                yield from (d for d in map(_delivery, records) if d is not None and d.offset < end)

    def last_positions(self, topic: str, partition: int) -> dict[str, Place]:
        return last_places(self.scan(topic, partition))

    def close(self) -> None:
        """Leaves the group, so that another member goes on at once; what was acknowledged last is committed."""
        try:
            if pending := self._still_mine():
                self._consumer.commit(pending, timeout_ms=1000)
        except KafkaError as e:
            # Offsets are for speed: without them the next member reads again what tracking rows then skip.
            _log.info("offsets not committed", extra={"code": type(e).__name__})
        self._consumer.close(autocommit=False, timeout_ms=2000)

    def _still_mine(self) -> dict[TopicPartition, OffsetAndMetadata]:
        mine = self._consumer.assignment()
        return {where: offset for where, offset in self._pending.items() if where in mine}


def check_topics(servers: str, topics: Collection[str]) -> None:
    """Raises LogNotReady, with a sentence that says what to do, unless every topic is as `create_topics` makes it."""
    with _administrator(servers) as admin:
        try:
            there = {topic["name"]: len(topic["partitions"]) for topic in _described(admin, topics)}
            missing = sorted(set(topics) - there.keys())
            if missing:
                make = "run `python -m services.shared.eventlog topics`"
                raise LogNotReady(f"Kafka has no topic {', '.join(missing)}: {make}")
            resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in sorted(topics)]
            configs = admin.describe_configs(resources, config_filter="all")["topic"]
        except KafkaError as e:
            raise LogNotReady(f"Kafka does not say how its topics are: {e}") from e
    for topic, partitions in there.items():
        if partitions != PARTITIONS:
            raise LogNotReady(f"topic {topic} has {partitions} partitions where {PARTITIONS} are needed: make it anew")
        for name, wanted in _TOPIC_CONFIG.items():
            value = configs[topic][name]["value"]
            if value != wanted:
                raise LogNotReady(f"topic {topic} has {name}={value} where {wanted} is needed: alter it")


def create_topics(servers: str, topics: Collection[str], replication: int) -> list[str]:
    """Makes the topics that are missing, then checks all. Returns those that were made. On return every broker that was
    asked knows them: each learns of a new topic in its own time."""
    with _administrator(servers) as admin:
        try:
            there = {topic["name"] for topic in _described(admin, topics)}
            config = {**_TOPIC_CONFIG, "min.insync.replicas": str(max(1, replication - 1))}
            form = {"num_partitions": PARTITIONS, "replication_factor": replication, "configs": config}
            made = sorted(set(topics) - there)
            if made:
                admin.create_topics(dict.fromkeys(made, form), wait_for_metadata=True)
        except KafkaError as e:
            raise LogNotReady(f"Kafka did not make its topics: {e}") from e
    until = time.monotonic() + (_KNOWN_SECONDS if made else 0)
    while True:
        try:
            check_topics(servers, topics)
            return made
        except LogNotReady:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _described(admin: Any, topics: Collection[str]) -> list[dict[str, Any]]:
    return [topic for topic in admin.describe_topics(sorted(topics)) if topic["error_code"] == 0]


def _administrator(servers: str) -> closing[Any]:
    return closing(_opened(KafkaAdminClient, servers))


def _consumer(servers: str, **more: Any) -> Any:
    usual = {"enable_auto_commit": False, "auto_offset_reset": "earliest", "allow_auto_create_topics": False}
    return _opened(KafkaConsumer, servers, **usual, **more)


def _opened(kind: Any, servers: str, **config: Any) -> Any:
    config |= {"bootstrap_timeout_ms": _BOOTSTRAP_MS, "reconnect_backoff_max_ms": _RECONNECT_MS}
    try:
        return kind(bootstrap_servers=servers.split(","), **config)
    except KafkaError as e:
        raise LogNotReady(f"no Kafka broker answers at {servers}: {e}") from e


def _headers(m: Message) -> list[tuple[str, bytes]]:
    numbers = {"position": m.position, "previous": m.previous, "from": m.start, "version": m.version}
    words = {"source": m.source, "type": m.type, "id": m.id}
    return [(name, str(value).encode()) for name, value in {**words, **numbers}.items()]


def _delivery(record: Any) -> Delivery | None:
    """None for what none of our relays wrote: it stands in no chain, so no tracking row can hold its place."""
    try:
        h = {name: value.decode() for name, value in record.headers}
        told = (h["source"], int(h["position"]), int(h["previous"]), int(h["from"]), h["type"], int(h["version"]))
        message = Message(record.topic, record.key.decode(), record.value or b"", *told, h["id"], record.partition)
    except (KeyError, ValueError, AttributeError, TypeError) as e:
        metrics.UNREADABLE.labels(record.topic).inc()
        where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        _log.error("a message without our headers was left out", extra={**where, "code": type(e).__name__})
        return None
    return Delivery(message, record.offset)
