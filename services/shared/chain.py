"""The chain of positions: every decision of relays and consumers, without I/O.

A message carries its position in its source's store, and the position that the same source sent before it on the same
partition. By these two numbers a consumer sees what it has applied, what comes next, and that something is missing.
`relay`, `feed` and the simulation in the tests call these same functions (10-kafka, rules 2 to 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

from services.shared.eventlog import Message, partition_of


@dataclass(frozen=True, slots=True)
class Row:
    """What a store has to tell at one position. `topic` None: nothing, but the position counts as told."""

    position: int
    topic: str | None = None
    key: str = ""
    type: str = ""
    version: int = 0
    id: str = ""
    value: bytes = b""


@dataclass(frozen=True, slots=True)
class State:
    """A source's one row in its store: what was told last, in all and per (topic, partition)."""

    incarnation: str
    start: int = 0  # the last position that the store held when this incarnation began
    position: int = 0
    last: Mapping[tuple[str, int], int] = field(default_factory=dict)


def tell(name: str, state: State, rows: Sequence[Row]) -> tuple[list[Message], State]:
    """The messages for rows that follow `state`, chained to what was told before, and the state once they stand.

    Raises ValueError when positions do not rise: a store that tells so cannot be chained.
    """
    last, position, messages = dict(state.last), state.position, []
    for row in rows:
        if row.position <= position:
            raise ValueError(f"{name} told position {row.position} after {position}")
        position = row.position
        if row.topic is None:
            continue
        stream = (row.topic, partition_of(row.key))
        told = (position, last.get(stream, 0), state.start, row.type, row.version, row.id, stream[1])
        messages.append(Message(row.topic, row.key, row.value, f"{name}/{state.incarnation}", *told))
        last[stream] = position
    return messages, replace(state, position=position, last=last)


@dataclass(frozen=True, slots=True)
class Tracked:
    """How far the effects of one source stand in one partition."""

    incarnation: str
    position: int
    past: frozenset[str] = frozenset()  # incarnations that an operator has accepted the end of
    offered: str = ""  # the other incarnation that was met, when one waits to be accepted
    offered_start: int = 0

    def at(self, position: int) -> Tracked:
        return replace(self, position=position)


class Decision(Enum):
    SEEN = "seen"
    APPLY = "apply"
    GAP = "gap"
    STOP = "stop"


class Plan(NamedTuple):
    """What to do with a batch: apply these in order; these sources miss something below this position; stop at this."""

    apply: list[Message]
    gaps: dict[str, int]
    stop: Message | None


def decide(tracked: Tracked, message: Message) -> Decision:
    """By the chain alone. `tracked` is the row as read under its lock."""
    if message.incarnation != tracked.incarnation:
        return Decision.SEEN if message.incarnation in tracked.past else Decision.STOP
    if message.position <= tracked.position:
        return Decision.SEEN
    return Decision.GAP if message.previous > tracked.position else Decision.APPLY


def plan(tracked: Mapping[str, Tracked], messages: Iterable[Message]) -> Plan:
    """The decisions of a batch in one partition, each message seeing what those before it moved."""
    rows, found = dict(tracked), Plan([], {}, None)
    for message in messages:
        row = rows[message.shard]
        decision = decide(row, message)
        if decision is Decision.APPLY:
            found.apply.append(message)
            rows[message.shard] = row.at(message.position)
        elif decision is Decision.GAP:
            found.gaps[message.shard] = max(message.position, found.gaps.get(message.shard, 0))
        elif decision is Decision.STOP:
            return found._replace(stop=message)
    return found


@dataclass(slots=True)
class Walk:
    """What a member of a group remembers of one partition between batches. Lost with the process, without harm."""

    gaps: dict[str, int] = field(default_factory=dict)  # shard → the highest position dropped for a gap
    sought: bool = False  # went back to the oldest message for the gaps that are open
    stopped: bool = False

    def note(self, gaps: Mapping[str, int], positions: Mapping[str, int]) -> None:
        """Takes in a batch's gaps, and closes those that the positions now applied have passed."""
        for shard, position in gaps.items():
            self.gaps[shard] = max(position, self.gaps.get(shard, 0))
        self.gaps = {shard: missed for shard, missed in self.gaps.items() if positions.get(shard, 0) < missed}
        if not self.gaps:
            self.sought = False

    def may_ack(self) -> bool:
        return not self.gaps and not self.stopped

    def seek(self, at_end: bool) -> bool:
        """True once per gap, when its partition is read to the end: the oldest message is to be read again."""
        if not self.gaps or self.sought or self.stopped or not at_end:
            return False
        self.sought = True
        return True
