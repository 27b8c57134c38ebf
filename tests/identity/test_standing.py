"""Why somebody can or cannot vote, and appeals."""

from __future__ import annotations

from uuid import UUID

import pytest

from services.identity.application.dossier import EntryUnknown, OwnCase, TooManyAppeals
from services.identity.domain import PersonUnknown, PollUnknown
from services.shared.errors import BadInput
from tests.identity.conftest import CLOSES, OPENS, POLL, World

MARK = (b"\x11" * 32, b"\x22" * 32)


def why(world: World, subject: str) -> str:
    return world.standings.of(POLL, subject).reason


def test_each_reason_is_told_apart(world: World) -> None:
    (voter,), (elsewhere,) = world.settle(1), world.settle(1, "associations")
    world.publish()
    (late,) = world.settle(1)
    outsider, _ = world.roles.first_administrator("Le Goff", "Anne", "1980-02-03")
    assert why(world, voter) == "may_vote"
    assert why(world, late) == "not_on_roll"
    assert why(world, elsewhere) == "another_stratum"
    assert why(world, outsider) == "not_attached"
    assert why(world, "stranger") == "not_attached"
    told = world.standings.of(POLL, elsewhere)
    assert (told.own_stratum, told.strata, told.stratum) == ("associations", ("habitants",), "")
    assert (told.opens_at, told.closes_at) == (OPENS, CLOSES)
    world.issuance.mark(POLL, voter, *MARK)
    assert why(world, voter) == "took_credential"
    world.clock.go(hours=12)
    assert why(world, voter) == "closed" and why(world, elsewhere) == "another_stratum"


def test_a_poll_that_is_not_open_yet_or_cancelled_says_so(world: World) -> None:
    (voter,) = world.settle(1)
    world.issuance.prepare(POLL, ["habitants"], OPENS, CLOSES, "officer")
    assert why(world, voter) == "not_open_yet"
    world.publish()
    world.clock.go(hours=-6)
    assert why(world, voter) == "not_open_yet"
    world.issuance.close(POLL)
    assert why(world, voter) == "closed"
    with pytest.raises(PollUnknown):
        world.standings.of(str(UUID(int=5)), voter)


def test_size_and_root_of_a_polls_roll_are_public_facts(world: World) -> None:
    world.settle(3)
    world.settle(2, "associations")
    world.publish(strata=("habitants", "associations"))
    told = world.standings.roll(POLL)
    assert told.published and [(s["id"], s["roll_size"]) for s in told.strata] == [
        ("habitants", 3),
        ("associations", 2),
    ]
    assert all(len(str(s["roll_root"])) == 64 for s in told.strata)
    with pytest.raises(PollUnknown):
        world.standings.roll(str(UUID(int=5)))


def test_an_appeal_is_read_by_an_agent_and_its_answer_by_the_person(world: World) -> None:
    (subject,) = world.settle(1)
    made = world.dossier.appeal(subject, POLL, "  J’habite ici depuis dix ans.  ")
    ((entry, name),) = world.dossier.waiting("appeal", "open", 1)
    assert (entry.id, entry.words["text"], entry.poll) == (made.id, "J’habite ici depuis dix ans.", POLL)
    assert name.startswith("Camille Martin")
    with pytest.raises(OwnCase):
        world.dossier.answer(made.id, True, "yes", subject)
    world.dossier.answer(made.id, False, "La liste était arrêtée.", "agent-1")
    (told,) = world.dossier.of(subject)
    assert (told.state, told.words["answer"], told.decided_by) == ("dismissed", "La liste était arrêtée.", "agent-1")
    with pytest.raises(EntryUnknown):
        world.dossier.answer(made.id, True, "yes", "agent-2")


def test_appeals_say_something_come_from_someone_and_are_not_piled_up(world: World) -> None:
    (subject,) = world.settle(1)
    for text in ("", "   ", "x" * 4001):
        with pytest.raises(BadInput):
            world.dossier.appeal(subject, "", text)
    with pytest.raises(PersonUnknown):
        world.dossier.appeal("stranger", "", "let me vote")
    made = [world.dossier.appeal(subject, "", "let me vote") for _ in range(5)]
    with pytest.raises(TooManyAppeals):
        world.dossier.appeal(subject, "", "let me vote")
    world.dossier.answer(made[0].id, True, "you can now", "agent-1")
    world.dossier.appeal(subject, "", "thank you")


def test_an_appeal_stands_sealed_and_goes_with_the_person(world: World) -> None:
    (subject,) = world.settle(1)
    world.dossier.appeal(subject, POLL, "Maëlle habite ici")
    with world.people.database.transaction(write=False) as tx:
        [(sealed,)] = tx.execute("SELECT sealed FROM entry WHERE subject = ?", (subject,))
    assert "Maëlle".encode() not in bytes(sealed)
    for agent in ("agent-1", "agent-2"):
        world.personal.erase(subject, agent)
    assert world.dossier.of(subject) == [] and world.dossier.waiting("appeal", "open", 1) == []
