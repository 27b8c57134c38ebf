"""The producer's side of the chain: reads what a store has to tell, sends it, then remembers how far it got.

A step reads, sends, waits for every acknowledgement, and only then stores the new state by compare-and-swap. A crash
in between sends twice, which consumers skip; nothing is lost. Whatever fails, the process logs one line and exits:
a producer that failed once is never used again (10-kafka, rules 1 and 2).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from services.shared import metrics, settings, stop, store
from services.shared.chain import Row as Row
from services.shared.chain import State, tell
from services.shared.eventlog import Message, Producer, open_producer
from services.shared.metrics import Heartbeat
from services.shared.settings import Common
from services.shared.store import Database, Tx

# A migration of every store that tells. It never grows: what comes later is a step after a service's own.
RELAY_STEPS: Final = (
    """CREATE TABLE relay_state (source TEXT PRIMARY KEY, incarnation TEXT NOT NULL, start {bigint} NOT NULL,
           position {bigint} NOT NULL, last TEXT NOT NULL)""",
)
BATCH: Final = 1000
_PAUSES: Final = (0.005, 0.01, 0.02)  # while idle; the last one repeats
_log = logging.getLogger("parvis")


class RelayStopped(Exception):
    """This relay must not go on: another one moved the row, or the store was restored without saying so."""


class Source(Protocol):
    """Something a store tells, in one order: `name` is "service/shard"."""

    @property
    def name(self) -> str: ...

    def read(self, after: int, limit: int) -> list[Row]:
        """At most `limit` rows beyond position `after`, positions strictly rising, only what may be told by now."""


class Relay:
    """One process per store walks all its sources, one row each."""

    def __init__(self, database: Database, producer: Producer, sources: Callable[[], Sequence[Source]]) -> None:
        """`sources` is asked again at every step: polling stations appear as polls are published."""
        self._database = database
        self._producer = producer
        self._sources = sources
        self._states: dict[str, State] = {}

    def step(self, wait: Callable[[], bool] = lambda: True) -> int:
        """One batch of every source; how many rows were walked. `wait` is called before a batch is sent, and may say
        False: not now."""
        return sum(self._step(source, wait) for source in self._sources())

    def again(self, start: int, only: str | None = None) -> int:
        """Repeats what was told at `start` and beyond, leaving the rows alone; how many messages were sent.

        The chain is computed from the store's beginning. May run beside the ordinary relay.
        """
        chosen = [source for source in self._sources() if only in (None, source.name)]
        if only is not None and not chosen:
            raise RelayStopped(f"there is no source {only}")
        return sum(self._again(source, start) for source in chosen)

    def _step(self, source: Source, wait: Callable[[], bool]) -> int:
        state = self._states.get(source.name) or self._begin(source.name)
        rows = source.read(state.position, BATCH)
        if rows:
            messages, after = tell(source.name, state, rows)
            if messages and not wait():
                return 0
            self._send(messages)
            with self._database.transaction() as tx:
                _swap(tx, source.name, state, after)
            state = after
        self._states[source.name] = state
        return len(rows)

    def _again(self, source: Source, start: int) -> int:
        told = self._begin(source.name)
        state = State(told.incarnation, told.start)
        sent = 0
        while state.position < told.position:
            rows = [row for row in source.read(state.position, BATCH) if row.position <= told.position]
            if not rows:
                break
            messages, state = tell(source.name, state, rows)
            messages = [message for message in messages if message.position >= start]
            self._send(messages)
            sent += len(messages)
        return sent

    def _begin(self, name: str) -> State:
        with self._database.transaction() as tx:
            state = _state(tx, name)
            current = store.incarnation(tx)
            if state is None:
                state = State(current)
                _insert(tx, name, state)
        if state.incarnation != current:
            raise RelayStopped(f"{name}: its store was restored without `relay.restored`; restore it again")
        return state

    def _send(self, messages: Sequence[Message]) -> None:
        if messages:
            self._producer.send(messages)
        for message in messages:
            metrics.RELAY_SENT.labels(message.topic).inc()


def heads(database: Database) -> dict[tuple[str, int, str], int]:
    """(topic, partition, "service/shard") → the position told last there: what a consumer's lag is measured from."""
    with database.transaction(write=False) as tx:
        names = [name for (name,) in tx.execute("SELECT source FROM relay_state")]
        states = {name: _state(tx, name) for name in names}
    return {(*stream, name): p for name, state in states.items() if state for stream, p in state.last.items()}


def restored(database: Database, sources: Callable[[], Sequence[Source]]) -> str:
    """For `restore`, before anything is written: a new incarnation, which begins where each source ends now."""
    ends = {source.name: _end(source) for source in sources()}
    with database.transaction() as tx:
        current = store.renew_incarnation(tx)
        for name, end in ends.items():
            if _state(tx, name) is None:
                _insert(tx, name, State(current))
            sql = "UPDATE relay_state SET incarnation = ?, start = ? WHERE source = ?"
            tx.execute(sql, (current, end, name))
    return current


def serve(
    common: Common,
    database: Database,
    sources: Callable[[], Sequence[Source]],
    *,
    service: str,
    again_from: int | None = None,
    source: str | None = None,
) -> int:
    """The `relay` command of a service. Returns the exit code: 0 after SIGTERM or a finished repeat, 1 on failure."""
    stopping = stop.on_signals()
    metrics.serve()
    heartbeat = metrics.heartbeat(common.data, service, "relay")
    try:
        producer = open_producer(common)
        relay = Relay(database, producer, sources)
        if again_from is not None:
            _log.info("told again", extra={"messages": relay.again(again_from, source)})
        else:
            with database.exclusive("relay"):
                run(relay, database, stopping, delay=_delay(), heartbeat=heartbeat)
        producer.close()
    except Exception as e:  # noqa: BLE001 whatever it is, the supervisor starts a new relay
        _log.critical("relay failed", extra={"code": type(e).__name__, "reason": str(e)})
        return 1
    return 0


def run(
    relay: Relay,
    database: Database,
    stopping: Callable[[], bool],
    *,
    delay: float = 0.0,
    heartbeat: Heartbeat | None = None,
) -> None:
    """Steps until `stopping`; sleeps a little longer each time that there was nothing to tell."""

    def wait() -> bool:
        until = time.monotonic() + delay
        while time.monotonic() < until and not stopping():
            time.sleep(0.05)
        return not stopping()

    idle, shown = 0, float("-inf")
    while not stopping():
        walked = relay.step(wait)
        idle = 0 if walked else idle + 1
        if heartbeat:
            heartbeat.beat()
        if time.monotonic() - shown > 5:
            shown = time.monotonic()
            _show(database)
        if idle:
            time.sleep(_PAUSES[min(idle, len(_PAUSES)) - 1])


def _delay() -> float:
    return settings.read(
        "PARVIS_RELAY_DELAY",
        "0",
        "Seconds that a relay waits before it sends; for drills of a slow relay.",
        settings.between(0, 3600),
    )


def _show(database: Database) -> None:
    sums: dict[tuple[str, int], int] = {}
    for (topic, partition, _), position in heads(database).items():
        sums[topic, partition] = sums.get((topic, partition), 0) + position
    for (topic, partition), total in sums.items():
        metrics.RELAY_POSITIONS.labels(topic, str(partition)).set(total)


def _end(source: Source) -> int:
    position = 0
    while rows := source.read(position, BATCH):
        position = rows[-1].position
    return position


def _state(tx: Tx, name: str) -> State | None:
    rows = tx.execute("SELECT incarnation, start, position, last FROM relay_state WHERE source = ?", (name,))
    if not rows:
        return None
    incarnation, start, position, last = rows[0]
    return State(incarnation, start, position, {(t, p): n for t, p, n in json.loads(last)})


def _insert(tx: Tx, name: str, state: State) -> None:
    sql = "INSERT INTO relay_state VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
    tx.execute(sql, (name, state.incarnation, state.start, state.position, "[]"))


def _swap(tx: Tx, name: str, before: State, after: State) -> None:
    last = json.dumps([[topic, partition, position] for (topic, partition), position in sorted(after.last.items())])
    sql = "UPDATE relay_state SET position = ?, last = ? WHERE source = ? AND position = ? AND incarnation = ?"
    tx.execute(sql, (after.position, last, name, before.position, before.incarnation))
    if tx.rowcount != 1:
        raise RelayStopped(f"{name}: another relay moved the row from {before.position}")
