"""What the ballot service tells: the polls' own events, and each station's log as far as it is sealed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from services.ballot.domain import Poll
from services.ballot.projections import tell
from services.ballot.store.log import Log
from services.shared.aggregates import Aggregates
from services.shared.contracts import ballot
from services.shared.relay import Row, Source


class PollSource:
    """ "ballot/polls": position = the event's number in the store."""

    name = "ballot/polls"

    def __init__(self, aggregates: Aggregates) -> None:
        self._aggregates = aggregates

    def read(self, after: int, limit: int) -> list[Row]:
        notifications = self._aggregates.recorder.select_notifications(after + 1, limit)
        return [self._row(n.id, self._aggregates.mapper.to_domain_event(n)) for n in notifications]

    def _row(self, position: int, event: Any) -> Row:
        told = tell(event, lambda: self._aggregates.get(Poll, event.originator_id))
        if told is None:
            return Row(position)
        id = f"{event.originator_id}.{event.originator_version}"
        return Row(position, ballot.TOPIC, told.poll, type(told).__name__, told.version, id, ballot.encode(told))


class StationSource:
    """ "ballot/<poll>.<station>": position = leaf index + 1, up to the last EpochSealed or the closing leaf."""

    def __init__(self, log: Log, poll: str, station: str, told: int) -> None:
        self._log = log
        self._poll = poll
        self._station = station
        self.told = told
        self.drained = 0

    @property
    def name(self) -> str:
        return f"ballot/{self._poll}.{self._station}"

    def read(self, after: int, limit: int) -> list[Row]:
        leaves = self._log.read(self._poll, self._station, after, limit, below=self.told)
        if not leaves:
            self.drained = self.told
        key = f"{self._poll}.{self._station}"
        return [
            Row(i + 1, ballot.LOG_TOPIC, key, json.loads(leaf)["type"], 1, f"{key}.{i}", leaf)
            for i, leaf in enumerate(leaves, start=after)
        ]


class BallotSources:
    """All of them; a step asks only those stations that may have something new to tell."""

    def __init__(self, aggregates: Aggregates, log: Log) -> None:
        self._log = log
        self._polls = PollSource(aggregates)
        self._stations: dict[tuple[str, str], StationSource] = {}
        self._revision = 0

    def all(self) -> Sequence[Source]:
        """Every source there is: for repeats and restores."""
        self._look()
        return [self._polls, *self._stations.values()]

    def pending(self) -> Sequence[Source]:
        self._look()
        return [self._polls, *(s for s in self._stations.values() if s.drained < s.told)]

    def _look(self) -> None:
        for poll, station, told, revision in self._log.told_since(self._revision):
            source = self._stations.setdefault((poll, station), StationSource(self._log, poll, station, told))
            source.told = told
            self._revision = revision
