"""Issuances are read for ever: the streams in `stored` were written by a release, and later ones go on from them."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent

from services.identity.domain import PollIssuance
from services.shared.contracts import identity
from tests.identity.conftest import POLL, World

STORED = sorted((Path(__file__).parent / "stored").glob("issuances.*.jsonl"))
OPEN = "6f0c8a3e-1111-4222-8333-444455556666"


@pytest.fixture(params=STORED, ids=lambda path: str(path.stem))
def world_before(world: World, request: pytest.FixtureRequest) -> World:
    """One issuance that was published twice and closed, one that is under way."""
    lines = map(json.loads, request.param.read_text("utf-8").splitlines())
    world.rolls.aggregates.recorder.insert_events(
        [StoredEvent(UUID(x["originator"]), x["version"], x["topic"], x["state"].encode()) for x in lines]
    )
    return world


def issuance(world: World, poll: str) -> PollIssuance:
    found = world.rolls.issuance(UUID(poll))
    assert found is not None
    return found


def test_an_older_releases_issuances_are_as_they_were_and_told_alike(world_before: World) -> None:
    closed = issuance(world_before, POLL)
    assert closed.published and closed.closed
    assert closed.opens_at == "2026-11-23T11:00:00Z"
    assert world_before.told() == {"habitants": (40, 1)}
    assert world_before.events() == [identity.IssuanceClosed(POLL, "habitants", 40, 1)]


def test_a_manifest_told_again_to_an_older_releases_issuance_is_accepted_by_its_hash(world_before: World) -> None:
    under_way = issuance(world_before, OPEN)
    assert under_way.published and under_way.manifest_hash is None
    strata = [{**s, "issuer_keys": [under_way.issuer_key]} for s in under_way.strata]
    world_before.issuance.publish(OPEN, "ef" * 32, strata, under_way.opens_at, under_way.closes_at)
    assert world_before.events()[-1] == identity.IssuanceReady(OPEN, "ef" * 32)
    assert issuance(world_before, OPEN).manifest_hash == "ef" * 32
