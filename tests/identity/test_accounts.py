"""Accounts that people open themselves, and those of organisations."""

from __future__ import annotations

import pytest

from services.identity.application.accounts import SIGN_UPS
from services.identity.application.corrections import PersonAlreadyKnown
from services.identity.application.dossier import EntryUnknown, OwnCase
from services.identity.application.organisations import (
    DelegateUnknown,
    OrganisationDecided,
    OrganisationKnown,
    OrganisationUnknown,
    TooManyRequests,
    number_of,
)
from services.identity.domain import NotOnRoll, PersonUnknown, RoleDates, TooManyTries, written
from services.shared.errors import BadInput
from tests.identity.conftest import POLL, World

NEW = {"family_name": "Lefèvre", "given_name": "Maëlle", "birth_date": "24/05/1987", "address": "12 rue du Lavoir"}
MARK = (b"\x11" * 32, b"\x22" * 32)
RNA, SIREN, SIRET = "W751000001", "732829320", "73282932000074"


def roles(world: World, subject: str) -> tuple[str, ...]:
    return world.people.roles(subject, written(world.clock()))


def test_who_signs_up_can_sign_in_and_cannot_vote(world: World) -> None:
    subject, code = world.accounts.sign_up(NEW, "visitor")
    assert world.sign_in.sign_in(code, "here").subject == subject and roles(world, subject) == ()
    world.settle(1)
    world.publish()
    assert world.standings.of(POLL, subject).reason == "not_attached"
    with pytest.raises(NotOnRoll):
        world.issuance.mark(POLL, subject, *MARK)
    assert world.people.subjects(["habitants"])["habitants"] != [subject]


def test_an_agent_attaches_an_account_and_then_it_is_on_rolls_that_are_prepared(world: World) -> None:
    subject, _ = world.accounts.sign_up(NEW, "visitor")
    ((entry, name),) = world.accounts.requests(1)
    assert name == "Maëlle Lefèvre"
    with pytest.raises(OwnCase):
        world.accounts.attach(entry.id, "habitants", "me", subject)
    world.accounts.attach(entry.id, "habitants", "proof of address seen", "agent-1")
    assert roles(world, subject) == ("resident",) and world.people.subjects(["habitants"])["habitants"] == [subject]
    found = world.roles.find("Lefevre", "Maelle", "1987-05-24")
    assert found is not None and found.subject == subject
    world.publish()
    assert world.standings.of(POLL, subject).reason == "may_vote"
    with pytest.raises(EntryUnknown):
        world.accounts.attach(entry.id, "habitants", "again", "agent-1")


def test_a_request_can_be_refused_and_the_person_reads_why(world: World) -> None:
    subject, _ = world.accounts.sign_up(NEW, "visitor")
    ((entry, _),) = world.accounts.requests(1)
    world.accounts.refuse(entry.id, "lives elsewhere", "agent-1")
    (told,) = world.personal.access(subject)["entries"]
    assert (told["state"], told["words"]["answer"]) == ("refused", "lives elsewhere")
    assert roles(world, subject) == () and list(world.accounts.requests(1)) == []


def test_signing_up_under_known_names_tells_nothing_and_an_agent_sees_the_likeness(world: World) -> None:
    (known,) = world.importing.run(
        "nom;prénom;date de naissance\nLefèvre;Maëlle;24/05/1987\n".encode(), by="x"
    ).subjects
    subject, _ = world.accounts.sign_up(NEW, "visitor")
    ((entry, _),) = world.accounts.requests(1)
    with pytest.raises(PersonAlreadyKnown):
        world.accounts.attach(entry.id, "habitants", "proof seen", "agent-1")
    assert roles(world, subject) == () and len(world.accounts.requests(1)) == 1
    while world.duplicates.look():
        continue
    assert len(world.duplicates.waiting(1)) == 1
    for agent in ("agent-1", "agent-2"):
        world.duplicates.one_person(known, subject, known, "papers seen", agent)
    assert world.people.person(subject) is None and roles(world, known) == ("resident",)


def test_one_source_opens_few_accounts_a_minute(world: World) -> None:
    for _ in range(SIGN_UPS):
        world.accounts.sign_up(NEW, "visitor-1")
    with pytest.raises(TooManyTries):
        world.accounts.sign_up(NEW, "visitor-1")
    world.accounts.sign_up(NEW, "visitor-2")
    world.clock.go(minutes=1)
    world.accounts.sign_up(NEW, "visitor-1")


@pytest.mark.parametrize("field, value", [("family_name", " "), ("birth_date", "31/02/1987"), ("address", "a\x00b")])
def test_what_an_account_cannot_hold_names_its_field(world: World, field: str, value: str) -> None:
    with pytest.raises(BadInput) as refused:
        world.accounts.sign_up({**NEW, field: value}, "visitor")
    assert refused.value.field == field


@pytest.mark.parametrize(
    "kind, number, kept",
    [
        ("rna", "w751 000 001", RNA),
        ("siren", "732 829 320", SIREN),
        ("siret", "732 829 320 00074", SIRET),
        ("rna", "W75100000", None),
        ("rna", "751000001", None),
        ("siren", "732829321", None),
        ("siret", "73282932000075", None),
        ("siret", SIREN, None),
        ("siren", "７32829320", None),
        ("duns", "1", None),
    ],
)
def test_numbers_of_registers_are_checked(kind: str, number: str, kept: str | None) -> None:
    if kept:
        assert number_of(kind, number) == kept
        return
    with pytest.raises(BadInput) as refused:
        number_of(kind, number)
    assert refused.value.field == ("kind" if kind == "duns" else "number")


def test_an_organisation_is_confirmed_and_who_asked_speaks_for_it(world: World) -> None:
    (person,) = world.settle(1)
    made = world.organisations.register("Les Amis du lavoir", "rna", RNA, "1 place de la Halle", person)
    assert roles(world, person) == ("resident",)
    with pytest.raises(OwnCase):
        world.organisations.decide(made.subject, True, "it is mine", person)
    world.organisations.decide(made.subject, True, "in the register", "agent-1", "2026-12-24T00:00:00Z")
    assert roles(world, person) == ("association_delegate", "resident")
    assert {grant.role for grant in world.roles.of(person)} == {"association_delegate", "resident"}
    assert [grant.subject for grant, _ in world.roles.holders("association_delegate")] == [person]
    (told,) = world.personal.access(person)["organisations"]
    assert (told["name"], told["number"], told["until"]) == ("Les Amis du lavoir", RNA, "2026-12-24T00:00:00Z")
    world.clock.go(days=40)
    assert roles(world, person) == ("resident",)
    with pytest.raises(OrganisationDecided):
        world.organisations.decide(made.subject, False, "again", "agent-2")


def test_a_person_may_speak_for_two_organisations_and_end_with_one(world: World) -> None:
    person, other = world.settle(2)
    made = [world.organisations.register(f"Asso {n}", "rna", f"W75100000{n}", "", person) for n in (1, 2)]
    for one in made:
        world.organisations.decide(one.subject, True, "in the register", "agent-1")
    world.organisations.delegate(made[0].subject, other, "agent-1")
    world.organisations.end(made[0].subject, person, "agent-1")
    assert "association_delegate" in roles(world, person)
    world.organisations.end(made[1].subject, person, "agent-1")
    assert roles(world, person) == ("resident",)
    with pytest.raises(DelegateUnknown):
        world.organisations.end(made[1].subject, person, "agent-1")
    told = world.organisations.delegates(made[0].subject)
    assert {(one.subject, bool(one.ended_by)) for one, _ in told} == {(person, True), (other, False)}
    mine, past = made[0].subject, "2020-01-01T00:00:00Z"
    for organisation, subject, until, refusal in (
        ("nowhere", other, "", OrganisationUnknown),
        (mine, "nobody", "", PersonUnknown),
        (mine, other, past, RoleDates),
    ):
        with pytest.raises(refusal):
            world.organisations.delegate(organisation, subject, "agent-1", until=until)


def test_one_number_is_one_organisation_until_it_is_refused(world: World) -> None:
    person, other = world.settle(2)
    made = world.organisations.register("Les Amis", "siret", SIRET, "", person)
    with pytest.raises(OrganisationKnown):
        world.organisations.register("Les Autres", "siret", "732 829 320 00074", "", other)
    refused = world.organisations.decide(made.subject, False, "not in the register", "agent-1")
    assert (refused.state, refused.answer) == ("refused", "not in the register")
    assert roles(world, person) == ("resident",)
    world.organisations.register("Les Autres", "siret", SIRET, "", other)
    assert [one.name for one in world.organisations.listed("asked", 1)] == ["Les Autres"]


def test_a_person_asks_for_few_organisations_at_once(world: World) -> None:
    (person,) = world.settle(1)
    for n in range(3):
        world.organisations.register(f"Asso {n}", "rna", f"W75100000{n}", "", person)
    with pytest.raises(TooManyRequests):
        world.organisations.register("Asso 4", "rna", "W751000004", "", person)


def test_an_organisation_stands_sealed_and_erasing_its_delegate_leaves_it(world: World) -> None:
    (person,) = world.settle(1)
    made = world.organisations.register("Les Amis du lavoir", "rna", RNA, "", person)
    world.organisations.decide(made.subject, True, "in the register", "agent-1")
    with world.people.database.transaction(write=False) as tx:
        [(sealed,)] = tx.execute("SELECT sealed FROM organisation")
    assert b"lavoir" not in bytes(sealed)
    for agent in ("agent-1", "agent-2"):
        world.personal.erase(person, agent)
    assert world.organisations.delegates(made.subject) == []
    assert world.organisations.of(made.subject).name == "Les Amis du lavoir"


def test_a_merge_keeps_what_the_other_account_spoke_for(world: World) -> None:
    (one,) = world.importing.run("nom;prénom;date de naissance\nLefèvre;Maëlle;24/05/1987\n".encode(), by="x").subjects
    other, _ = world.accounts.sign_up(NEW, "visitor")
    made = world.organisations.register("Les Amis du lavoir", "rna", RNA, "", other)
    world.organisations.decide(made.subject, True, "in the register", "agent-1")
    while world.duplicates.look():
        continue
    for agent in ("agent-1", "agent-2"):
        world.duplicates.one_person(one, other, one, "papers seen", agent)
    assert roles(world, one) == ("association_delegate", "resident")
    assert [told["state"] for told in world.personal.access(one)["organisations"]] == ["active"]
