"""At the desk: a proof that was seen opens a session once; new contacts take two agents; all of it stays in a trail."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.identity.application.contacts import ContactRefused
from services.identity.application.desk import ChangeUnknown, NothingChanges, OwnAccount, ProofUnknown
from services.identity.domain import CodeUnknown, PersonUnknown, SecondPersonNeeded
from services.shared.errors import Refusal
from tests.identity.conftest import World
from tests.identity.test_api import Api, refusal
from tests.identity.test_codes import EMAIL, FILE, PHONE, Outbox

NEW = "nouvelle@exemple.fr"


@pytest.fixture
def person(world: World) -> str:
    return world.importing.run(FILE, by="test").subjects[0]


def acts(world: World) -> list[tuple[str, str, str, str]]:
    return [(act.act, act.by, act.subject, act.proof) for act, _, _ in reversed(world.desk.acts(1)[0])]


def test_a_desk_code_opens_one_session_on_a_shared_computer(world: World, person: str) -> None:
    code = world.desk.open(person, "identity_card", "agent-1")
    found = world.codes.sign_in_once(code.lower(), "terminal")
    assert (found.subject, found.method, found.level, found.shared) == (person, "desk", "substantial", True)
    with pytest.raises(CodeUnknown):
        world.codes.sign_in_once(code, "terminal")
    assert acts(world) == [("sign_in", "agent-1", person, "identity_card")]


def test_a_desk_code_lives_ten_minutes_and_the_next_replaces_it(world: World, person: str) -> None:
    first = world.desk.open(person, "passport", "agent-1")
    second = world.desk.open(person, "passport", "agent-1")
    with pytest.raises(CodeUnknown):
        world.codes.sign_in_once(first, "terminal")
    world.clock.go(minutes=10)
    with pytest.raises(CodeUnknown):
        world.codes.sign_in_once(second, "terminal")


def test_no_agent_comes_to_a_colleagues_roles_by_the_desk(world: World, person: str) -> None:
    for role in ("administrator", "agent", "returning_officer", "helper"):
        world.roles.grant(person, role, "test")
    code = world.desk.open(person, "identity_card", "agent-1")
    assert world.codes.sign_in_once(code, "terminal").roles == ("helper", "resident")
    with pytest.raises(OwnAccount):
        world.desk.open(person, "identity_card", person)


@pytest.mark.parametrize(
    "subject, proof, refused", [("stranger", "passport", PersonUnknown), ("", "a friend's word", ProofUnknown)]
)
def test_without_a_person_or_a_proof_nothing_is_opened(
    world: World, person: str, subject: str, proof: str, refused: type[Refusal]
) -> None:
    with pytest.raises(refused):
        world.desk.open(subject or person, proof, "agent-1")
    assert acts(world) == []


def ask(world: World, person: str, email: str = NEW, phone: str = "06 39 98 00 99", by: str = "agent-1") -> str:
    return world.desk.ask_change(person, email, phone, "passport", by)


def test_new_contacts_wait_for_another_agent_and_the_former_ones_are_told(
    world: World, person: str, outbox: Outbox
) -> None:
    change = ask(world, person)
    before = world.people.person(person)
    assert before is not None and before.email == EMAIL
    ((waits, known),) = world.desk.waiting()
    assert (waits.email, waits.phone, known.email, known.phone) == (NEW, "+33639980099", EMAIL, PHONE)
    with pytest.raises(SecondPersonNeeded):
        world.desk.confirm_change(change, "agent-1")
    with pytest.raises(OwnAccount):
        world.desk.confirm_change(change, person)
    world.desk.confirm_change(change, "agent-2")
    after = world.people.person(person)
    assert after is not None and (after.email, after.phone) == (NEW, "+33639980099")
    with pytest.raises(ChangeUnknown):
        world.desk.confirm_change(change, "agent-3")
    assert [act for act, _, _, _ in acts(world)] == ["contacts_asked", "contacts_confirmed"]
    outbox.fails, outbox.lost = 1, True
    for _ in range(3):
        world.notices.send(outbox)
    assert sorted((m.kind, m.address, m.template) for m in outbox.messages) == [
        ("email", EMAIL, "contacts_changed"), ("sms", PHONE, "contacts_changed"),
    ]  # fmt: skip
    assert outbox.calls == 3


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


def test_a_code_goes_to_the_new_address_alone(world: World, person: str, outbox: Outbox) -> None:
    former = world.codes.ask(EMAIL, "here")
    world.codes.send(outbox)
    code = outbox.code()
    world.desk.confirm_change(ask(world, person), "agent-2")
    with pytest.raises(CodeUnknown):
        world.codes.sign_in(former, code, "here")
    world.codes.ask(EMAIL, "here")
    assert world.codes.send(outbox) == 0
    world.codes.ask(NEW, "here")
    assert world.codes.send(outbox) == 1


def test_what_the_second_agent_saw_is_what_is_confirmed(world: World, person: str) -> None:
    seen = ask(world, person)
    ask(world, person, "another@exemple.fr")
    with pytest.raises(ChangeUnknown):
        world.desk.confirm_change(seen, "agent-2")
    assert len(world.desk.waiting()) == 1


def test_a_change_can_be_withdrawn(world: World, person: str) -> None:
    change = ask(world, person)
    world.desk.withdraw_change(change, "agent-1")
    assert world.desk.waiting() == []
    with pytest.raises(ChangeUnknown):
        world.desk.withdraw_change(change, "agent-1")
    assert acts(world)[-1][0] == "contacts_withdrawn"


def test_nothing_that_changes_nothing_or_is_no_contact_waits(world: World, person: str) -> None:
    with pytest.raises(NothingChanges):
        ask(world, person, EMAIL, "06 39 98 00 12")
    for email, phone in (("nobody", ""), ("", "12")):
        with pytest.raises(ContactRefused):
            ask(world, person, email, phone)
    assert world.desk.waiting() == [] and acts(world) == []


def test_what_waits_is_sealed_and_goes_with_the_person(world: World, person: str) -> None:
    ask(world, person)
    world.desk_store.put_notice(person, "n1", "email", EMAIL)
    with world.people.database.transaction(write=False) as tx:
        kept = repr(tx.execute("SELECT * FROM contact_change") + tx.execute("SELECT * FROM notice"))
    assert "exemple" not in kept
    world.desk.open(person, "passport", "agent-1")
    world.personal.erase(person, "agent-1")
    world.personal.erase(person, "agent-2")
    assert world.desk.waiting() == [] and world.desk_store.notices() == []
    with world.people.database.transaction(write=False) as tx:
        assert tx.execute("SELECT COUNT(*) FROM one_time_code")[0][0] == 0
    (_, by_name, name), _ = world.desk.acts(1)[0]
    assert (by_name, name) == ("", ""), "the trail keeps what agents did, under opaque subjects"


# --- over HTTP ---


def test_an_agent_signs_in_a_person_and_the_trail_is_for_administrators(
    world: World, tmp_path: Path, person: str
) -> None:
    api = Api(world, tmp_path)
    body = {"subject": person, "proof": "passport"}
    told = api("POST", "/desk/sign-ins", body, by="agent-1", roles="agent").get_json()
    assert told["minutes"] == 10
    used = {"code": told["code"], "source": "terminal"}
    answer = api("POST", "/sign-in/one-time-codes", used, by="gateway", roles="gateway").get_json()
    assert answer == {
        "subject": person, "roles": ["resident"], "name": "Maëlle Quéguiner", "method": "desk",
        "level": "substantial", "shared": True,
    }  # fmt: skip
    (act,) = api("GET", "/desk/acts", by="boss", roles="administrator").get_json()["acts"]
    assert (act["act"], act["by"], act["name"], act["proof"]) == ("sign_in", "agent-1", "Maëlle Quéguiner", "passport")
    assert refusal(api("GET", "/desk/acts", by="agent-1", roles="agent"))[0] == 403


def test_two_agents_change_contacts(world: World, tmp_path: Path, person: str) -> None:
    api = Api(world, tmp_path)
    body = {"subject": person, "proof": "passport", "email": NEW, "phone": ""}
    change = api("POST", "/desk/contacts", body, by="agent-1", roles="agent").get_json()
    (shown,) = api("GET", "/desk/contacts", by="agent-2", roles="agent").get_json()["changes"]
    assert (shown["change"], shown["email"], shown["former_email"]) == (change["change"], NEW, EMAIL)
    alone = api("POST", "/desk/contacts/confirmations", change, by="agent-1", roles="agent")
    assert refusal(alone)[:2] == (409, "SecondPersonNeeded")
    done = api("POST", "/desk/contacts/confirmations", change, by="agent-2", roles="agent")
    assert done.get_json() == {"state": "confirmed"}
    assert refusal(api("POST", "/desk/contacts", {**body, "email": "x"}, by="agent-1", roles="agent")) == (
        400, "ContactRefused", "email",
    )  # fmt: skip


def test_the_gateway_alone_asks_for_codes_and_is_told_when_to_come_back(
    world: World, tmp_path: Path, person: str
) -> None:
    api = Api(world, tmp_path)
    body = {"contact": EMAIL, "source": "visitor"}
    assert refusal(api("POST", "/sign-in/codes", body))[0] == 401
    assert refusal(api("POST", "/sign-in/codes", body, by="x", roles="resident administrator"))[0] == 403
    answers = [api("POST", "/sign-in/codes", body, by="gateway", roles="gateway") for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert set(answers[0].get_json()) == {"request", "minutes"}
    assert answers[3].headers["Retry-After"] == "600" and answers[3].get_json()["refusal"] == "TooOften"
    unknown = api("POST", "/sign-in/codes", {**body, "contact": "nobody@exemple.fr"}, by="gateway", roles="gateway")
    assert {k: type(v) for k, v in unknown.get_json().items()} == {k: type(v) for k, v in answers[0].get_json().items()}
