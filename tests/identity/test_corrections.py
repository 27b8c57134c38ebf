"""Corrections: a field, a reason; names and birth date by two; nobody on their own record."""

from __future__ import annotations

import threading

import pytest

from services.identity.application.corrections import ChangedMeanwhile, NotOnARoll, PersonAlreadyKnown
from services.identity.application.dossier import EntryUnknown, OwnCase
from services.identity.domain import Person, PersonUnknown, SecondPersonNeeded
from services.shared.errors import BadInput
from tests.identity.conftest import World

ROLL = """nom;prénom;date de naissance;adresse
Lefèvre;Maëlle;24/05/1987;12 rue du Lavoir
Huet;Zoé;01/02/2003;3 place de la Halle
"""


def settled(world: World) -> tuple[str, str]:
    one, other = world.importing.run(ROLL.encode(), by="test").subjects
    return one, other


def person(world: World, subject: str) -> Person:
    found = world.people.person(subject)
    assert found is not None
    return found


@pytest.mark.parametrize("field, value", [("address", "4 quai"), ("office", "Bureau 3"), ("stratum", "jeunes")])
def test_a_field_is_corrected_at_once_with_a_reason(world: World, field: str, value: str) -> None:
    subject, _ = settled(world)
    entry = world.corrections.correct(subject, field, f" {value} ", "moved house", "agent-1")
    assert entry.state == "applied" and getattr(person(world, subject), field) == value
    (told,) = world.personal.access(subject)["entries"]
    assert told["words"]["reason"] == "moved house" and told["words"]["after"] == value
    if field == "stratum":
        assert world.people.subjects(["jeunes"])["jeunes"] == [subject]


@pytest.mark.parametrize(
    "field, value, kept",
    [
        ("family_name", "Lefebvre", "Lefebvre"),
        ("given_name", "Maël", "Maël"),
        ("birth_date", "25/05/1987", "1987-05-25"),
    ],
)
def test_names_and_birth_date_need_a_second_agent(world: World, field: str, value: str, kept: str) -> None:
    subject, _ = settled(world)
    before = person(world, subject)
    entry = world.corrections.correct(subject, field, value, "birth certificate seen", "agent-1")
    assert entry.state == "asked" and person(world, subject) == before
    assert [(one.id, name) for one, name in world.dossier.waiting("correction", "asked", 1)] == [
        (entry.id, "Maëlle Lefèvre")
    ]
    with pytest.raises(SecondPersonNeeded):
        world.corrections.confirm(entry.id, "agent-1")
    assert world.corrections.confirm(entry.id, "agent-2").decided_by == "agent-2"
    after = person(world, subject)
    assert getattr(after, field) == kept
    found = world.roles.find(after.family_name, after.given_name, after.birth_date)
    assert found is not None and found.subject == subject, "found by the new names"
    assert world.roles.find(before.family_name, before.given_name, before.birth_date) is None
    with pytest.raises(EntryUnknown):
        world.corrections.confirm(entry.id, "agent-3")


def test_a_way_to_reach_somebody_is_held_to_its_form_needs_two_and_the_former_one_is_told(world: World) -> None:
    subject, _ = settled(world)
    for field, value, kept in (
        ("email", " Maelle@EXEMPLE.fr ", "Maelle@exemple.fr"),
        ("phone", "06 39 98 00 12", "+33639980012"),
    ):
        with pytest.raises(BadInput) as refused:
            world.corrections.correct(subject, field, "nowhere", "asked", "agent-1")
        assert refused.value.field == "value"
        entry = world.corrections.correct(subject, field, value, "asked", "agent-1")
        assert entry.state == "asked" and entry.words["after"] == kept
        with pytest.raises(SecondPersonNeeded):
            world.corrections.confirm(entry.id, "agent-1")
        world.corrections.confirm(entry.id, "agent-2")
        assert getattr(person(world, subject), field) == kept
    assert world.desk_store.notices() == [], "there was nobody to tell"
    entry = world.corrections.correct(subject, "email", "", "no longer", "agent-1")
    world.corrections.confirm(entry.id, "agent-2")
    told = [(s, told) for _, s, told in world.desk_store.notices()]
    assert told == [(subject, {"way": "email", "address": "Maelle@exemple.fr"})]


def test_a_correction_can_be_refused_with_a_reason(world: World) -> None:
    subject, _ = settled(world)
    entry = world.corrections.correct(subject, "given_name", "Maël", "said on the phone", "agent-1")
    refused = world.corrections.refuse(entry.id, "no proof", "agent-1")
    assert (refused.state, refused.words["answer"]) == ("refused", "no proof")
    with pytest.raises(EntryUnknown):
        world.corrections.confirm(entry.id, "agent-2")
    assert world.dossier.waiting("correction", "asked", 1) == []


def test_a_correction_asked_for_a_value_that_is_no_more_is_not_applied(world: World) -> None:
    subject, _ = settled(world)
    first, second = (
        world.corrections.correct(subject, "given_name", name, "certificate", "agent-1") for name in ("Maël", "Maé")
    )
    world.corrections.confirm(first.id, "agent-2")
    with pytest.raises(ChangedMeanwhile):
        world.corrections.confirm(second.id, "agent-2")
    assert person(world, subject).given_name == "Maël"


def test_a_correction_that_makes_somebody_who_is_known_is_refused_and_nothing_is_kept(world: World) -> None:
    one, other = settled(world)
    for field, value in (("family_name", "Huet"), ("given_name", "Zoé")):
        entry = world.corrections.correct(one, field, value, "certificate", "agent-1")
        world.corrections.confirm(entry.id, "agent-2")
    entry = world.corrections.correct(one, "birth_date", "01/02/2003", "certificate", "agent-1")
    with pytest.raises(PersonAlreadyKnown):
        world.corrections.confirm(entry.id, "agent-2")
    assert person(world, one).birth_date == "1987-05-24" and person(world, other).birth_date == "2003-02-01"


@pytest.mark.parametrize(
    "field, value, named",
    [
        ("subject", "x", "field"),
        ("display_name", "x", "field"),
        ("given_name", " ", "value"),
        ("given_name", "a\x07b", "value"),
        ("address", "x" * 201, "value"),
        ("birth_date", "31/02/1987", "value"),
        ("stratum", "Habitants !", "value"),
        ("address", "12 rue du Lavoir", "value"),
    ],
)
def test_what_no_field_may_hold_is_refused(world: World, field: str, value: str, named: str) -> None:
    subject, _ = settled(world)
    with pytest.raises(BadInput) as refused:
        world.corrections.correct(subject, field, value, "because", "agent-1")
    assert refused.value.field == named
    assert world.dossier.of(subject) == []


def test_nobody_corrects_themselves_and_a_reason_is_needed(world: World) -> None:
    subject, other = settled(world)
    with pytest.raises(OwnCase):
        world.corrections.correct(subject, "address", "4 quai", "moved", subject)
    with pytest.raises(BadInput):
        world.corrections.correct(subject, "address", "4 quai", "  ", "agent-1")
    with pytest.raises(PersonUnknown):
        world.corrections.correct("stranger", "address", "4 quai", "moved", "agent-1")
    entry = world.corrections.correct(other, "given_name", "Zoë", "certificate", "agent-1")
    with pytest.raises(OwnCase):
        world.corrections.confirm(entry.id, other)


def test_an_account_on_no_roll_is_given_no_stratum_by_a_correction(world: World) -> None:
    subject, _ = world.roles.first_administrator("Le Goff", "Anne", "1980-02-03")
    with pytest.raises(NotOnARoll):
        world.corrections.correct(subject, "stratum", "habitants", "lives here", "agent-1")


def test_two_corrections_at_once_both_stand(world: World) -> None:
    subject, _ = settled(world)
    together = threading.Barrier(2)

    def correct(field: str, value: str) -> None:
        together.wait()
        world.corrections.correct(subject, field, value, "moved", "agent-1")

    threads = [threading.Thread(target=correct, args=pair) for pair in (("address", "4 quai"), ("office", "Bureau 3"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (person(world, subject).address, person(world, subject).office) == ("4 quai", "Bureau 3")
