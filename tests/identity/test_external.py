"""Accounts at providers: linked once, to the one person whom they certainly are, and known by keyed hashes alone."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest

from services.identity.application.external import AccountTaken, AnotherAccountLinked, NamesDiffer, NotOnAnyRoll
from services.identity.domain import RoleUnknown
from services.identity.store.external import EXTERNAL_STEP, ExternalAccounts
from tests.identity.conftest import World
from tests.identity.test_api import Api, refusal

ISSUER = "https://provider.test"
VOUCHED = {"given_name": "Solène", "family_name": "LE GOFF", "birth_date": "1991-11-02"}
HOW = {"method": "provider", "level": "low", "shared": False}
BODY = {"issuer": ISSUER, "sub": "pairwise-1", **VOUCHED}


@pytest.fixture
def person(world: World) -> str:
    data = "nom;prénom;date de naissance\nLe Goff;Solène;02/11/1991\nLe Goff;Anne;02/11/1991\n"
    return world.importing.run(data.encode(), by="test").subjects[0]


def signed_in(world: World, **change: str) -> str:
    return world.external.sign_in(**{**BODY, **change}).subject


def accounts(world: World) -> int:
    with world.people.database.transaction(write=False) as tx:
        return int(tx.execute("SELECT COUNT(*) FROM external_account")[0][0])


def erase(world: World, subject: str) -> None:
    world.personal.erase(subject, "agent-1")
    assert world.personal.erase(subject, "agent-2")


def test_the_first_sign_in_finds_the_person_of_these_names_and_this_date(world: World, person: str) -> None:
    found = world.external.sign_in(**BODY)
    assert (found.subject, found.roles, found.name) == (person, ("resident",), "Solène Le Goff")


def test_later_ones_go_by_the_account_whatever_the_names_have_become(world: World, person: str) -> None:
    signed_in(world)
    assert signed_in(world, family_name="Moreau", birth_date="") == person


@pytest.mark.parametrize(
    "change",
    [
        {"given_name": "Solenn"},
        {"given_name": "Solène Marie"},
        {"family_name": "Goff"},
        {"birth_date": "1991-02-11"},
        {"birth_date": "1991-00-00"},
        {"birth_date": ""},
        {"given_name": ""},
    ],
)
def test_who_is_only_nearly_the_same_is_on_no_roll_and_is_linked_to_nobody(
    world: World, person: str, change: dict[str, str]
) -> None:
    with pytest.raises(NotOnAnyRoll):
        signed_in(world, **change)
    assert accounts(world) == 0


def test_a_second_account_of_the_same_provider_is_not_merged(world: World, person: str) -> None:
    signed_in(world)
    with pytest.raises(AnotherAccountLinked):
        signed_in(world, sub="pairwise-2")
    assert signed_in(world, issuer="https://other.test", sub="pairwise-2") == person


def test_the_same_sub_elsewhere_is_another_account(world: World, person: str) -> None:
    signed_in(world)
    with pytest.raises(NotOnAnyRoll):
        signed_in(world, issuer="https://other.test", given_name="Personne")


def test_nothing_of_what_the_provider_said_is_kept(world: World, person: str) -> None:
    signed_in(world)
    with world.people.database.transaction(write=False) as tx:
        ((account, subject, of_person),) = tx.execute("SELECT hash, subject, of_person FROM external_account")
    assert subject == person and len(account) == len(of_person) == 32
    assert not any(word.encode() in bytes(account + of_person) for word in BODY.values())


def test_who_is_signed_in_links_an_account_that_tells_no_birth_date(world: World, person: str) -> None:
    told = {**BODY, "birth_date": ""}
    with pytest.raises(NotOnAnyRoll):
        world.external.sign_in(**told)
    world.external.link(person, **told)
    world.external.link(person, **told)
    assert world.external.sign_in(**told).subject == person
    assert accounts(world) == 1


@pytest.mark.parametrize("change", [{"given_name": "Anne"}, {"family_name": ""}, {"birth_date": "1991-11-03"}])
def test_an_account_of_other_names_is_not_linked(world: World, person: str, change: dict[str, str]) -> None:
    """Whoever sat at this computer before may still be signed in at the provider."""
    with pytest.raises(NamesDiffer):
        world.external.link(person, **{**BODY, **change})
    assert accounts(world) == 0


def test_an_account_stays_with_the_person_whom_it_was_linked_to(world: World, person: str) -> None:
    signed_in(world)
    data = "nom;prénom;date de naissance\nLe Goff;Solène;03/11/1991\n"
    (namesake,) = world.importing.run(data.encode(), by="test").subjects
    with pytest.raises(AccountTaken):
        world.external.link(namesake, **{**BODY, "birth_date": ""})
    with pytest.raises(AnotherAccountLinked):
        world.external.link(person, **{**BODY, "sub": "pairwise-2"})
    erase(world, person)
    with pytest.raises(NotOnAnyRoll):
        world.external.link(person, **BODY)


def test_the_accounts_of_a_person_who_is_erased_go_too(world: World, person: str) -> None:
    signed_in(world)
    signed_in(world, issuer="https://other.test")
    signed_in(world, sub="pairwise-2", given_name="Anne")
    erase(world, person)
    assert accounts(world) == 1, "the other person's"
    with pytest.raises(NotOnAnyRoll):
        signed_in(world)
    assert accounts(world) == 1


def test_no_account_is_linked_to_a_person_who_was_erased_meanwhile(world: World, person: str) -> None:
    erase(world, person)
    assert not ExternalAccounts(world.people.database).link(b"\x01" * 32, b"\x02" * 32, person)
    assert accounts(world) == 0


def test_a_first_sign_in_amid_an_erasure_waits_for_it_and_leaves_no_account(world: World, person: str) -> None:
    accounts_of, linked = ExternalAccounts(world.people.database), list[bool]()
    linking = threading.Thread(target=lambda: linked.append(accounts_of.link(b"\x01" * 32, b"\x02" * 32, person)))
    with world.people.database.transaction() as tx:
        tx.execute("UPDATE account SET likeness = NULL, sealed = NULL WHERE subject = ?", (person,))
        tx.execute("DELETE FROM external_account WHERE subject = ?", (person,))
        linking.start()
        linking.join(0.5)
        assert linking.is_alive(), "it did not wait"
    linking.join(20)
    assert linked == [False]
    assert accounts(world) == 0


@pytest.fixture
def api(world: World, tmp_path: Path) -> Api:
    return Api(world, tmp_path)


def test_the_gateway_alone_may_say_whom_a_provider_vouches_for(api: Api, person: str) -> None:
    answer = api("POST", "/sign-in/external", BODY, by="gateway", roles="gateway")
    assert answer.get_json() == {"subject": person, "roles": ["resident"], "name": "Solène Le Goff", **HOW}
    assert "X-Request-Id" not in answer.headers
    assert refusal(api("POST", "/sign-in/external", BODY))[0] == 401
    everyone_else = "resident returning_officer agent auditor administrator"
    assert refusal(api("POST", "/sign-in/external", BODY, by=person, roles=everyone_else))[0] == 403


def test_the_gateway_alone_links_an_account_to_the_person_whom_its_token_names(api: Api, person: str) -> None:
    told = {**BODY, "birth_date": ""}
    assert refusal(api("POST", "/sign-in/external/links", told, by=person, roles="resident administrator"))[0] == 403
    assert api("POST", "/sign-in/external/links", told, by=person, roles="gateway").get_json() == {"state": "linked"}
    answer = api("POST", "/sign-in/external", told, by="gateway", roles="gateway")
    assert answer.get_json()["subject"] == person


def test_nobody_can_be_given_the_gateways_role(world: World, person: str) -> None:
    with pytest.raises(RoleUnknown):
        world.roles.grant(person, "gateway", "admin")


def test_refusals_have_their_codes(api: Api, person: str) -> None:
    def told(**change: Any) -> tuple[int, str, str | None]:
        return refusal(api("POST", "/sign-in/external", {**BODY, **change}, by="gateway", roles="gateway"))

    assert told(given_name="Personne") == (403, "NotOnAnyRoll", None)
    api("POST", "/sign-in/external", BODY, by="gateway", roles="gateway")
    assert told(sub="pairwise-2") == (409, "AnotherAccountLinked", None)
    assert told(sub="")[:2] == (400, "BadInput")
    assert told(phone="0")[:2] == (400, "BadInput")


def test_the_store_of_the_release_before_gets_the_table(world: World, person: str) -> None:
    before, steps = world.people.database, world.people.steps
    done = steps.index(EXTERNAL_STEP)
    later = re.findall(r"CREATE TABLE (\w+)", "".join(step for step in steps[done:] if isinstance(step, str)))
    assert "external_account" in later
    with before.transaction() as tx:
        tx.execute("DROP VIEW role_held")
        tx.execute("DROP INDEX account_unlooked")
        tx.execute("ALTER TABLE account DROP COLUMN looked")
        for table in later:
            tx.execute(f"DROP TABLE {table}")
        tx.execute("UPDATE schema_version SET version = ?", (done,))
    before.migrate(world.people.steps)
    assert signed_in(world) == person
