"""The consumer's side of the chain of positions: what is applied, skipped, waited for, and given up.

A message is compared with the tracking row as it was read under its lock, inside the transaction that holds the
effects; so effects happen once whatever the log does (10-kafka, rule 4). This module knows no nameko:
`run()` is a plain loop, and `entrypoints` drives the same `Loop`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.shared import metrics, tracking
from services.shared.chain import Plan, Walk, plan
from services.shared.errors import Refusal
from services.shared.eventlog import PARTITIONS, Delivery, Feed, Message, Place, Stream
from services.shared.metrics import Heartbeat
from services.shared.store import Database, Duplicate, Overtaken, Tx
from services.shared.tracking import TRACKING_STEPS as TRACKING_STEPS

Since = Literal["beginning", "now"]
ATTEMPTS: Final = 5
_PAUSES: Final = (0.01, 0.03, 0.06, 0.15)  # between attempts: a quarter of a second in all, other partitions wait
_REFRESH_SECONDS: Final = 5.0
_RECHECK_SECONDS: Final = 0.5
_log = logging.getLogger("parvis")


@dataclass(frozen=True, slots=True)
class Told:
    """A published event as a handler receives it. `value` holds the event's bytes, for its contract to decode."""

    topic: str
    type: str
    version: int
    id: str
    position: int
    source: str
    key: str
    value: bytes

    @classmethod
    def of(cls, m: Message) -> Told:
        return cls(m.topic, m.type, m.version, m.id, m.position, m.source, m.key, m.value)


Handler = Callable[[Tx, Told], None]


@dataclass(frozen=True, slots=True)
class Subscription:
    """The handler of a topic. `since="now"`: effects that must not be repeated for what was told before."""

    handle: Handler
    since: Since = "beginning"


@dataclass(slots=True)
class Batch:
    """What a read brought of one partition. `run` applies it; whoever hosts the loop chooses where it is called."""

    stream: Stream
    messages: Sequence[Message]
    database: Database
    walk: Walk

    def run(self, handle: Handler) -> None:
        """Effects and positions commit together. A refused message is tried 5 times, then becomes a dead letter;
        any other failure leaves nothing behind and is raised."""
        attempts: dict[tuple[str, int], int] = {}
        overtaken = 0
        while True:
            try:
                refused = self._transact(handle, attempts)
            except Overtaken:
                overtaken += 1
                if overtaken >= ATTEMPTS:
                    raise
                continue
            except _RefusedAtFirst as first:
                attempts[first.where] = 1  # all is undone; from now on each message has a savepoint
                continue
            if refused is None:
                return
            where = (refused.source, refused.position)
            attempts[where] = attempts.get(where, 0) + 1
            time.sleep(_PAUSES[min(attempts[where], len(_PAUSES)) - 1])

    def _transact(self, handle: Handler, attempts: Mapping[tuple[str, int], int]) -> Message | None:
        """One transaction. Returns the message that was refused and shall be tried again; what stands before it stays
        committed, and the next transaction finds that in the tracking rows."""
        refused, applied, buried = None, 0, 0
        with self.database.transaction() as tx:
            rows = tracking.lock(tx, self.stream, self.messages)
            todo = plan(rows, self.messages)
            positions = {shard: row.position for shard, row in rows.items()}
            for message in todo.apply:
                refusal = _handled(tx, handle, message, careful=bool(attempts))
                if refusal and attempts.get((message.source, message.position), 0) + 1 < ATTEMPTS:
                    refused = message
                    break
                if refusal:
                    tracking.bury(tx, self.stream, message, refusal.code, refusal.reason)
                    buried += 1
                positions[message.shard] = message.position
                applied += 1
            tracking.save(tx, self.stream, {s: p for s, p in positions.items() if p != rows[s].position})
            if todo.stop and refused is None:
                tracking.offer(tx, self.stream, todo.stop)
        self._tell(todo, positions, applied - buried, buried, stopped=todo.stop is not None and refused is None)
        return refused

    def _tell(self, todo: Plan, positions: Mapping[str, int], applied: int, buried: int, *, stopped: bool) -> None:
        topic, labels = self.stream[0], (self.stream[0], str(self.stream[1]))
        had_gap = bool(self.walk.gaps)
        self.walk.note(todo.gaps, positions)
        metrics.EVENTS_APPLIED.labels(topic).inc(applied)
        metrics.EVENT_GAP.labels(*labels).set(1 if self.walk.gaps else 0)
        if buried:
            metrics.DEAD_LETTERS.labels(topic).inc(buried)
            _log.error("dead letters", extra={"topic": topic, "partition": self.stream[1], "letters": buried})
        if bool(self.walk.gaps) != had_gap:
            _log.warning("gap closed" if had_gap else "gap open", extra={"topic": topic, "partition": self.stream[1]})
        if stopped and not self.walk.stopped:
            self.walk.stopped = True
            metrics.EVENT_STOPPED.labels(*labels).set(1)
            _log.error(
                "stopped: a source was restored; `worker accept-restore` goes on",
                extra={"topic": topic, "partition": self.stream[1], "source": todo.stop.source if todo.stop else ""},
            )


class Loop:
    """Reads a feed and hands out its batches, one partition after the other."""

    def __init__(
        self,
        feed: Feed,
        database: Database,
        topics: Mapping[str, Since],
        dispatch: Callable[[Batch], None],
        heartbeat: Heartbeat | None = None,
    ) -> None:
        """`dispatch` calls `run` of the batch with its topic's handler, and returns when that has returned."""
        self._feed = feed
        self._database = database
        self._topics = topics
        self._dispatch = dispatch
        self._heartbeat = heartbeat or Heartbeat(None)
        self._walks: dict[Stream, Walk] = {}
        self._refreshed = self._rechecked = float("-inf")

    def start(self) -> None:
        """Chooses the beginning of topics that are read since now, then starts the feed at the tracked places."""
        for topic, since in self._topics.items():
            if since == "now":
                self._begin(topic)
        with self._database.transaction(write=False) as tx:
            places = tracking.places(tx)
        self._feed.start(places)

    def turn(self, timeout: float = 0.2) -> int:
        """One read and its batches; how many messages it brought."""
        self._heartbeat.beat()
        deliveries = self._feed.read(timeout=timeout)
        for stream, batch in deliveries.items():
            self._handle(stream, batch)
            self._heartbeat.beat()
        acks = [stream for stream in deliveries if self._walk(stream).may_ack()]
        if acks:
            self._feed.ack(acks)
        self._forget_lost_partitions()
        for stream, walk in self._walks.items():
            if walk.seek(self._feed.at_end(*stream)):
                self._feed.rewind(*stream)
        self._look_around()
        return sum(map(len, deliveries.values()))

    def _handle(self, stream: Stream, deliveries: Sequence[Delivery]) -> None:
        walk = self._walk(stream)
        if not walk.stopped:  # else dropped: the partition is read again from its oldest once the restore is accepted
            self._dispatch(Batch(stream, [d.message for d in deliveries], self._database, walk))

    def _walk(self, stream: Stream) -> Walk:
        return self._walks.setdefault(stream, Walk())

    def _begin(self, topic: str) -> None:
        with self._database.transaction(write=False) as tx:
            if tracking.begun(tx, topic):
                return
        heads = {partition: self._feed.last_positions(topic, partition) for partition in range(PARTITIONS)}
        try:
            with self._database.transaction() as tx:
                tracking.begin(tx, topic, heads)
        except Duplicate:
            return  # another worker chose the beginning first; its choice stands

    def _forget_lost_partitions(self) -> None:
        owned = self._feed.owned()
        for stream in [s for s in self._walks if s not in owned]:
            del self._walks[stream]
            metrics.EVENT_GAP.labels(stream[0], str(stream[1])).set(0)
            metrics.EVENT_STOPPED.labels(stream[0], str(stream[1])).set(0)

    def _look_around(self) -> None:
        """Every now and then: partitions whose restore was accepted go on, and positions are shown."""
        now = time.monotonic()
        stopped = [stream for stream, walk in self._walks.items() if walk.stopped]
        if stopped and now - self._rechecked > _RECHECK_SECONDS:
            self._rechecked = now
            with self._database.transaction(write=False) as tx:
                waiting = {where[:2] for where in tracking.waiting(tx)}
            for stream in [s for s in stopped if s not in waiting]:
                self._walks[stream] = Walk()
                metrics.EVENT_STOPPED.labels(stream[0], str(stream[1])).set(0)
                self._feed.rewind(*stream)
        if now - self._refreshed > _REFRESH_SECONDS:
            self._refreshed = now
            with self._database.transaction(write=False) as tx:
                places = tracking.places(tx)
            show(places)
            self._close_healed_gaps(places)

    def _close_healed_gaps(self, places: Mapping[tuple[str, int, str], Place]) -> None:
        """Another member may have applied what this one misses."""
        for stream, walk in self._walks.items():
            if walk.gaps:
                walk.note(
                    {}, {shard: place.position for (*where, shard), place in places.items() if (*where,) == stream}
                )
                metrics.EVENT_GAP.labels(stream[0], str(stream[1])).set(1 if walk.gaps else 0)


def show(places: Mapping[tuple[str, int, str], Place]) -> None:
    """Sums the positions applied into their gauge."""
    sums: dict[Stream, int] = {}
    for (topic, partition, _), place in places.items():
        sums[topic, partition] = sums.get((topic, partition), 0) + place.position
    for (topic, partition), total in sums.items():
        metrics.EVENT_POSITIONS.labels(topic, str(partition)).set(total)


def lag(heads: Mapping[tuple[str, int, str], int], tracked: Mapping[tuple[str, int, str], int]) -> int:
    """Positions told but not applied: the relays' last per (topic, partition, shard), minus the tracked ones."""
    return sum(max(0, head - tracked.get(where, 0)) for where, head in heads.items())


def run(
    feed: Feed,
    database: Database,
    subscriptions: Mapping[str, Subscription],
    stopping: Callable[[], bool],
    heartbeat: Heartbeat | None = None,
) -> None:
    """The plain loop. A failure that is no refusal logs one line and leaves by SystemExit, for the supervisor."""
    since = {topic: subscription.since for topic, subscription in subscriptions.items()}
    loop = Loop(feed, database, since, lambda b: b.run(subscriptions[b.stream[0]].handle), heartbeat)
    try:
        loop.start()
        while not stopping():
            loop.turn()
    except Exception as e:
        _log.critical("worker failed", extra={"code": type(e).__name__, "reason": str(e)})
        raise SystemExit(1) from e
    finally:
        feed.close()


class _RefusedAtFirst(Exception):
    """A batch that ran without savepoints, which are two thirds of its cost, met a refusal: undo and begin again."""

    def __init__(self, where: tuple[str, int]) -> None:
        self.where = where


def _handled(tx: Tx, handle: Handler, message: Message, *, careful: bool) -> Refusal | None:
    try:
        if careful:
            with tx.savepoint():
                handle(tx, Told.of(message))
        else:
            handle(tx, Told.of(message))
    except Refusal as refusal:
        if not careful:
            raise _RefusedAtFirst((message.source, message.position)) from refusal
        return refusal
    return None
