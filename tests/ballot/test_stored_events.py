"""Events are read for ever: the streams in `stored` were written by a release, and all later ones go on from them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent

from services.ballot.domain import Poll, State
from services.ballot.store.sources import PollSource
from tests.ballot.kit import NOON, Town

STORED = sorted((Path(__file__).parent / "stored").glob("polls.*.jsonl"))


def lines(path: Path) -> Iterator[dict[str, Any]]:
    return map(json.loads, path.read_text("utf-8").splitlines())


@pytest.fixture(params=STORED, ids=lambda path: str(path.stem))
def polls(town: Town, request: pytest.FixtureRequest) -> dict[State, Poll]:
    """The stream's polls by their state: one that waits, one cancelled, one counted."""
    stored = [
        StoredEvent(UUID(one["originator"]), one["version"], one["topic"], one["state"].encode())
        for one in lines(request.param)
    ]
    town.aggregates.recorder.insert_events(stored)
    found = [town.aggregates.get(Poll, poll) for poll in sorted({event.originator_id for event in stored}, key=str)]
    for poll in found:
        town.views.put(poll)
    return {poll.state: poll for poll in found}


def test_a_counted_poll_is_as_it_was(polls: dict[State, Poll]) -> None:
    poll = polls[State.TALLIED]
    assert poll.opening_confirmed_by == poll.count_confirmed_by == ["officer-a", "officer-b"]
    assert poll.tally is not None and poll.tally["counted"] == 3
    assert poll.issuance == {name: {"issued": 2, "reissued": 1} for name in ("strate-nord", "strate-sud")}
    assert poll.checkpoints_hash is not None
    assert polls[State.CANCELLED].reason == "Le terrain a été vendu entre-temps."


def test_a_poll_that_two_people_confirmed_under_an_older_release_still_opens(
    town: Town, polls: dict[State, Poll]
) -> None:
    poll = polls[State.PUBLISHED]
    town.clock.now = NOON + timedelta(hours=2)
    town.sealer._seal(str(poll.id))
    assert town.application.poll(str(poll.id)).state is State.OPEN


def test_what_was_told_is_told_alike(town: Town, polls: dict[State, Poll]) -> None:
    told = [row.type for row in PollSource(town.aggregates).read(0, 1000) if row.topic]
    assert sorted(told) == sorted(
        [*["PollPublished"] * 4, "PollCancelled", "PollOpened", "PollClosed", "TallyComputed"]
    )
