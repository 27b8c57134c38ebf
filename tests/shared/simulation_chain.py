"""Seeded histories of relays, a log with faults, and consumers, over the very decisions of `services.shared.chain`.

Faults: a send is lost, or times out and lands later; a relay dies anywhere; two relays overlap; the log loses messages
already acknowledged, its tail included; consumers die, pause between reading and writing, and two own one partition
for a while. At every step what was applied of a partition is an exact prefix of what was told for it; at the end all
is applied, or, when the log lost something, the loss shows as lag and a repeat heals it.

    python -m tests.shared.simulation_chain [HISTORIES] [--seed N] [--bug NAME]
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace

from services.shared.chain import Row, State, Tracked, Walk, plan, tell
from services.shared.eventlog import Message, partition_of

BUGS = ("no-previous", "cached-tracking", "library-upsert", "store-early")
TOPIC = "t"
SHARD = "s/a"
FIRST = State("i")
KEYS = ("a", "c")  # two partitions
PARTITIONS = tuple(partition_of(key) for key in KEYS)
Actor = Iterator[None]


class Lost(Exception):
    """The send was not acknowledged."""


@dataclass
class World:
    rng: random.Random
    bug: str
    rows: list[Row] = field(default_factory=list)
    relay: State = FIRST  # the one row of the source
    log: dict[int, list[Message | None]] = field(default_factory=lambda: {p: [] for p in PARTITIONS})  # None: lost
    late: list[Message] = field(default_factory=list)  # will land later
    tracked: dict[int, Tracked] = field(default_factory=lambda: {p: Tracked("i", 0) for p in PARTITIONS})
    applied: dict[int, list[int]] = field(default_factory=lambda: {p: [] for p in PARTITIONS})
    offset: dict[int, int] = field(default_factory=lambda: dict.fromkeys(PARTITIONS, 0))
    wanted: dict[int, list[int]] = field(default_factory=dict)
    calm: bool = False
    forgetful: bool = False  # the log lost what it had acknowledged

    def send(self, message: Message) -> None:
        luck = self.rng.random()
        if self.calm or luck < 0.85:
            self.log[message.partition].append(message)
            return
        if luck < 0.93:
            self.late.append(message)
        raise Lost

    def lose(self, partition: int) -> None:
        messages = self.log[partition]
        if messages:
            messages[self.rng.choice((-1, self.rng.randrange(len(messages))))] = None
            self.forgetful = True

    def fault(self) -> str | None:
        for partition in PARTITIONS:
            done = self.applied[partition]
            if done != self.wanted[partition][: len(done)]:
                return f"partition {partition}: {done} is no prefix of {self.wanted[partition]}"
        return None


def relay(w: World, again_from: int | None = None) -> Actor:
    """Read, send, wait for acknowledgements, swap; or a repeat, which leaves the row alone."""
    state, repeat = w.relay, again_from is not None
    if repeat:
        _, state = tell(SHARD, FIRST, w.rows[:again_from])
    while True:
        yield
        batch = w.rows[state.position : state.position + w.rng.randint(1, 5)]
        if not batch:
            return
        messages, after = tell(SHARD, state, batch)
        if w.bug == "store-early" and not repeat and w.relay == state:
            w.relay = after
        if not (yield from _sent(w, messages)):
            return  # the process exits; another starts from the row
        yield
        if not repeat and w.bug != "store-early":
            if w.relay != state:
                return  # lost the swap
            w.relay = after
        state = after


def _sent(w: World, messages: list[Message]) -> Generator[None, None, bool]:
    """All are sent, then all acknowledgements are looked at."""
    acknowledged = True
    for message in messages:
        try:
            w.send(message)
        except Lost:
            acknowledged = False
        if w.rng.random() < 0.2:
            yield
    return acknowledged


def consumer(w: World, partition: int) -> Actor:
    walk, at, cached = Walk(), w.offset[partition], w.tracked[partition]
    while True:
        yield
        batch = w.log[partition][at : at + w.rng.randint(1, 6)]
        if not batch:
            if walk.seek(at_end=True):
                at = 0
            continue
        yield  # pauses here perhaps, while another takes the partition
        row = cached if w.bug in ("cached-tracking", "library-upsert") else w.tracked[partition]
        messages = [m for m in batch if m is not None]
        if w.bug == "no-previous":
            messages = [replace(m, previous=0) for m in messages]
        todo = plan({SHARD: row}, messages)
        position = todo.apply[-1].position if todo.apply else row.position
        if w.bug == "library-upsert" and todo.apply and position <= w.tracked[partition].position:
            return
        if w.bug:
            position = max(position, w.tracked[partition].position)
        w.applied[partition] += [m.position for m in todo.apply]  # with the next line: one transaction
        w.tracked[partition] = cached = row.at(position)
        walk.note(todo.gaps, {SHARD: position})
        yield
        at += len(batch)
        if walk.may_ack() and w.rng.random() < 0.9:
            w.offset[partition] = max(w.offset[partition], at)


def history(seed: int, bug: str = "") -> tuple[World, str | None, bool]:
    """The world after one history, the promise broken in it if any, and whether a repeat was needed."""
    w = World(random.Random(seed), bug)
    rows = range(1, w.rng.randint(8, 30))
    w.rows = [Row(i, TOPIC, w.rng.choice(KEYS)) for i in rows]
    w.wanted = {p: [r.position for r in w.rows if KEYS[PARTITIONS.index(p)] == r.key] for p in PARTITIONS}
    fault = _storm(w)
    if fault:
        return w, fault, False
    w.calm = True
    for message in w.late:
        w.log[message.partition].append(message)
    _finish(w)
    lag = {p: w.relay.last.get((TOPIC, p), 0) - w.tracked[p].position for p in PARTITIONS}
    healed = any(lag.values())
    if healed and not w.forgetful:
        return w, f"the log lost nothing, and yet a lag stays: {lag}", False
    if healed:  # the operator sees the lag and repeats
        for _ in relay(w, min(row.position for row in w.tracked.values())):
            pass
        _finish(w)
    fault = w.fault() or next((f"{p}: not all applied" for p in PARTITIONS if w.applied[p] != w.wanted[p]), None)
    return w, fault, healed


def _storm(w: World) -> str | None:
    relays: list[Actor] = []
    consumers: list[Actor] = []
    for _ in range(w.rng.randint(60, 250)):
        if len(relays) < 2 and w.rng.random() < 0.2:
            relays.append(relay(w))
        if len(consumers) < 4 and w.rng.random() < 0.2:
            consumers.append(consumer(w, w.rng.choice(PARTITIONS)))
        if w.late and w.rng.random() < 0.1:
            message = w.late.pop(w.rng.randrange(len(w.late)))
            w.log[message.partition].append(message)
        if w.rng.random() < 0.01:
            w.lose(w.rng.choice(PARTITIONS))
        if not relays and not consumers:
            continue
        actor = w.rng.choice(relays + consumers)
        living = relays if actor in relays else consumers
        if w.rng.random() < 0.03 or next(actor, living) is living:
            living.remove(actor)
        if fault := w.fault():
            return fault
    return None


def _finish(w: World) -> None:
    """No more faults: relays run to the end, consumers until all is applied or nothing more can be."""
    for _ in range(200):
        for _ in relay(w):
            pass
        if w.relay.position == w.rows[-1].position:
            break
    for partition in PARTITIONS:
        each = consumer(w, partition)
        for _ in range(8 * len(w.log[partition]) + 40):  # enough to read it twice, the second time after a rewind
            if w.applied[partition] == w.wanted[partition]:
                break
            next(each)


def first_fault(histories: int, seed: int = 0, bug: str = "") -> tuple[int, str] | None:
    """The first seed whose history breaks a promise, and how."""
    for number in range(seed, seed + histories):
        _, fault, _ = history(number, bug)
        if fault:
            return number, fault
    return None


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("histories", type=int, nargs="?", default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bug", choices=BUGS, default="")
    a = parser.parse_args()
    found = first_fault(a.histories, a.seed, a.bug)
    print(f"seed {found[0]}: {found[1]}" if found else f"{a.histories} histories hold")
    sys.exit(1 if found else 0)
