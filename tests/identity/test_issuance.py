"""An issuance's life: prepared from the roll, frozen by the publication, closed once with counts that stand."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import Any

import pytest

from services.identity.domain import IssuanceFrozen, IssuanceNotOpen, PollUnknown, RollDiffers, roll_ref, roll_root
from services.identity.policies import IdentityPolicies
from services.identity.store.sources import IssuanceSource
from services.shared.contracts import ballot, identity
from services.shared.errors import BadInput
from services.shared.strict import MalformedJson, canonical
from tests.identity.conftest import CLOSES, OPENS, POLL, World
from tests.identity.test_imports import recorded


def prepare(world: World, *strata: str, opens_at: str = OPENS, closes_at: str = CLOSES) -> dict[str, Any]:
    made = world.issuance.prepare(POLL, strata or ("habitants",), opens_at, closes_at, "officer")
    return {"key": made.issuer_key, "strata": made.strata}


def manifest(world: World, **changes: object) -> dict[str, object]:
    made = prepare(world)
    strata = [{**s, "issuer_keys": [made["key"]], **changes} for s in made["strata"]]
    return {"strata": strata, "opens_at": OPENS, "closes_at": CLOSES}


def published(world: World, **changes: object) -> bytes:
    return ballot.encode(ballot.PollPublished(POLL, "00", manifest(world, **changes)))


def mark_all(world: World, people: list[str]) -> None:
    for person in people:
        world.issuance.mark(POLL, person, os.urandom(32), os.urandom(32))


def everything(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the roll store that a poll's life writes."""
    with world.rolls.database.transaction(write=False) as tx:
        found = {table: tx.execute(f"SELECT * FROM {table}") for table in ("event", "gate", "roll")}
    return {table: sorted(tuple(map(_plain, row)) for row in rows) for table, rows in found.items()}


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def test_the_roll_has_the_size_and_the_rfc_6962_root_of_its_people(world: World) -> None:
    people = world.settle(3)
    made = prepare(world)
    refs = sorted(roll_ref(world.keys.roll_key(POLL), person) for person in people)
    leaves = [hashlib.sha256(b"\0" + ref).digest() for ref in refs]
    left = hashlib.sha256(b"\1" + leaves[0] + leaves[1]).digest()
    root = hashlib.sha256(b"\1" + left + leaves[2]).hexdigest()
    assert made["strata"] == [{"id": "habitants", "roll_size": 3, "roll_root": root}]


def test_the_root_of_no_one_is_that_of_the_empty_tree() -> None:
    assert roll_root([]) == hashlib.sha256(b"").digest()


def test_a_roll_of_many_stations_is_read_in_one_go_through_their_index(world: World) -> None:
    stations = [f"bureau-{n}" for n in range(12)]
    settled = {station: sorted(world.settle(2, station)) for station in stations}
    assert {name: sorted(subjects) for name, subjects in world.people.subjects(stations).items()} == settled
    assert world.people.subjects(["nowhere"]) == {"nowhere": []}
    seen: list[str] = []
    with recorded(world, seen):
        prepare(world, *stations)
    [asked] = [sql for sql in seen if "FROM grant_of_role" in sql]
    with world.people.database.transaction(write=False) as tx:
        if tx.engine == "sqlite":
            plan = "; ".join(str(row[3]) for row in tx.execute(f"EXPLAIN QUERY PLAN {asked}", ("",) * asked.count("?")))
            assert "USING INDEX account_stratum (stratum=?)" in plan, plan
            assert "grant_by_role (role=? AND until=? AND subject=?)" in plan, plan


def test_a_roll_of_more_people_than_one_statement_takes_is_written_whole(world: World) -> None:
    entries = [(n.to_bytes(32, "big"), "habitants") for n in range(10_001)]
    world.rolls.replace(POLL, entries)
    world.rolls.replace(POLL, entries[1:])
    with world.rolls.database.transaction(write=False) as tx:
        refs = [bytes(ref) for (ref,) in tx.execute("SELECT roll_ref FROM roll WHERE poll = ?", (POLL,))]
    assert sorted(refs) == [ref for ref, _ in entries[1:]]


def test_preparing_twice_gives_the_same(world: World) -> None:
    world.settle(3)
    assert prepare(world) == prepare(world)


def test_16_preparations_at_once_make_one_issuance_with_one_key(world: World) -> None:
    world.settle(3)
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: prepare(world), range(16)))
    assert all(one == made[0] for one in made)


def test_before_the_publication_newcomers_join_the_roll_and_afterwards_they_do_not(world: World) -> None:
    world.settle(3)
    before = prepare(world)
    world.settle(1)
    world.publish()
    frozen = prepare(world)
    assert frozen != before
    world.settle(1)
    assert prepare(world) == frozen
    with pytest.raises(IssuanceFrozen):
        prepare(world, "habitants", "associations")


def test_each_stratum_has_a_roll_of_its_own(world: World) -> None:
    world.settle(3)
    (member,) = world.settle(1, "associations")
    world.publish(strata=("habitants", "associations"))
    assert world.issuance.mark(POLL, member, b"c" * 32, b"s" * 32).stratum == "associations"
    world.clock.go(days=1)
    world.issuance.close_due()
    assert world.told() == {"habitants": (0, 0), "associations": (1, 0)}


@pytest.mark.parametrize(
    "strata, opens_at, closes_at, field",
    [
        ((), OPENS, CLOSES, "strata"),
        (("a", "a"), OPENS, CLOSES, "strata"),
        (("a",), CLOSES, OPENS, "closes_at"),
        (("a",), OPENS, OPENS, "closes_at"),
    ],
)
def test_an_impossible_issuance_names_the_field(
    world: World, strata: tuple[str, ...], opens_at: str, closes_at: str, field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        world.issuance.prepare(POLL, strata, opens_at, closes_at, "officer")
    assert refused.value.field == field


@pytest.mark.parametrize(
    "changes", [{"roll_size": 4}, {"roll_root": "00" * 32}, {"issuer_keys": ["00" * 32]}, {"id": "others"}]
)
def test_a_manifest_with_another_roll_or_key_is_refused(world: World, changes: dict[str, object]) -> None:
    world.settle(3)
    with pytest.raises(RollDiffers):
        IdentityPolicies(world.issuance).process("PollPublished", 1, published(world, **changes))
    assert world.events() == []


def test_a_poll_that_was_never_prepared_here_is_refused(world: World) -> None:
    with pytest.raises(PollUnknown):
        world.issuance.publish(POLL, "00" * 32, [], OPENS, CLOSES)


@pytest.mark.parametrize("told", [{}, {"strata": 1, "opens_at": OPENS, "closes_at": CLOSES}, {"strata": ["x"]}])
def test_a_manifest_without_strata_or_dates_is_malformed_and_not_a_crash(world: World, told: dict[str, object]) -> None:
    event = canonical({"poll": POLL, "manifest_hash": "00", "manifest": told})
    with pytest.raises(MalformedJson):
        IdentityPolicies(world.issuance).process("PollPublished", 1, event)


def test_a_replacement_before_the_opening_moves_the_dates(world: World) -> None:
    (person,) = world.settle(1)
    policies = IdentityPolicies(world.issuance)
    told = manifest(world)
    for opens_at in (OPENS, "2026-11-23T15:00:00Z"):
        event = ballot.PollPublished(POLL, "00", {**told, "opens_at": opens_at})
        policies.process("PollPublished", 1, ballot.encode(event))
    with pytest.raises(IssuanceNotOpen):
        world.issuance.mark(POLL, person, b"c" * 32, b"s" * 32)
    world.clock.go(hours=4)
    world.issuance.mark(POLL, person, b"c" * 32, b"s" * 32)


def test_unknown_kinds_and_versions_are_passed_over_and_change_nothing(world: World) -> None:
    (person,) = world.settle(1)
    value, before = published(world), everything(world)
    for kind, version in (("PollPublished", 2), ("SomethingElse", 1), ("PollCancelled", 9)):
        IdentityPolicies(world.issuance).process(kind, version, value)
        IdentityPolicies(world.issuance).process(kind, version, b"not even json")
    assert everything(world) == before
    IdentityPolicies(world.issuance).process("PollPublished", 1, value)
    assert everything(world) != before, "the same event, of a version that is known"
    assert len(world.issuance.mark(POLL, person, b"c" * 32, b"s" * 32).signature) == 128


def test_the_closing_tells_the_marks_that_stand_once(world: World) -> None:
    people = world.settle(10)
    world.publish()
    mark_all(world, people[:7])
    world.issuance.reissue(POLL, people[0], "officer-1")
    world.issuance.reissue(POLL, people[0], "officer-2")
    assert world.issuance.close_due() == 0
    world.clock.go(days=1)
    assert world.issuance.close_due() == 1
    assert world.issuance.close_due() == 0
    world.issuance.close(POLL)
    assert world.told() == {"habitants": (7, 1)}


def test_what_is_told_is_one_event_a_stratum_under_the_polls_key(world: World) -> None:
    world.settle(2)
    world.settle(2, "associations")
    world.publish(strata=("habitants", "associations"))
    world.clock.go(days=1)
    world.issuance.close_due()
    rows = [row for row in IssuanceSource(world.rolls.aggregates).read(0, 100) if row.topic]
    assert {row.key for row in rows} == {POLL} and {row.topic for row in rows} == {identity.TOPIC}
    assert world.events() == [
        identity.IssuanceReady(POLL, "00" * 32),
        identity.IssuanceClosed(POLL, "habitants", 0, 0),
        identity.IssuanceClosed(POLL, "associations", 0, 0),
    ]
    assert len({row.id for row in rows}) == 3


def test_each_manifest_that_is_accepted_is_told_once_and_one_that_is_refused_is_not(world: World) -> None:
    world.settle(3)
    policies, told = IdentityPolicies(world.issuance), manifest(world)
    for number in (1, 1, 2, 2):  # each delivered twice; the second one changes no date
        event = ballot.PollPublished(POLL, f"{number:064}", told)
        policies.process("PollPublished", 1, ballot.encode(event))
    wrong = {**told, "strata": [{**manifest(world)["strata"][0], "roll_size": 4}]}  # type: ignore[index]
    with pytest.raises(RollDiffers):
        policies.process("PollPublished", 1, ballot.encode(ballot.PollPublished(POLL, f"{3:064}", wrong)))
    assert world.events() == [identity.IssuanceReady(POLL, f"{number:064}") for number in (1, 2)]


def test_a_cancelled_poll_gives_out_nothing_more(world: World) -> None:
    (person,) = world.settle(1)
    world.publish()
    event = ballot.encode(ballot.PollCancelled(POLL, "la salle est inondée"))
    IdentityPolicies(world.issuance).process("PollCancelled", 1, event)
    with pytest.raises(IssuanceNotOpen):
        world.issuance.mark(POLL, person, b"c" * 32, b"s" * 32)
    assert world.told() == {"habitants": (0, 0)}


def test_a_cancelled_draft_that_was_never_published_changes_nothing(world: World) -> None:
    (person,) = world.settle(1)
    world.issuance.close(POLL)
    assert everything(world) == {"event": [], "gate": [], "roll": []}
    prepare(world)
    before = everything(world)
    world.issuance.close(POLL)
    assert everything(world) == before and world.told() == {}
    world.publish()
    assert len(world.issuance.mark(POLL, person, b"c" * 32, b"s" * 32).signature) == 128, "it can still be published"


def test_marks_that_race_with_the_closing_are_all_counted(world: World) -> None:
    people = world.settle(60)
    world.publish()
    begun = Event()

    def rush(part: list[str]) -> int:
        served = 0
        for person in part:
            try:
                world.issuance.mark(POLL, person, os.urandom(32), b"s" * 32)
            except IssuanceNotOpen:
                continue
            served += 1
            if served == 3:
                begun.set()
        return served

    def close() -> None:
        begun.wait(20)
        world.issuance.close(POLL)

    closing = Thread(target=close)
    closing.start()
    with ThreadPoolExecutor(4) as pool:
        served = sum(pool.map(rush, [people[i::4] for i in range(4)]))
    closing.join()
    assert world.told() == {"habitants": (served, 0)}
