"""Sign-in codes: easy to type, kept as keyed hashes, and not to be guessed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from services.identity.application.sign_in import normal_code, random_code
from services.identity.domain import CodeUnknown, PersonUnknown, RoleUnknown, TooManyTries
from services.shared.errors import Refusal
from tests.identity.conftest import TRIES, World

CODE = "K7QP-2MXD-9F0T"


@pytest.fixture
def person(world: World) -> str:
    data = f"nom;prénom;date de naissance;code de connexion\nLe Goff;Solène;02/11/1991;{CODE}\n"
    return world.importing.run(data.encode(), by="test").subjects[0]


def test_a_code_opens_the_account_with_its_roles_and_name(world: World, person: str) -> None:
    world.roles.grant(person, "returning_officer", "test")
    found = world.sign_in.sign_in(CODE, "here")
    assert (found.subject, found.name) == (person, "Solène Le Goff")
    assert found.roles == ("resident", "returning_officer")


@pytest.mark.parametrize("typed", ["k7qp2mxd9f0t", " K7QP 2MXD 9FOT ", "K7QP–2MXD".replace("–", "-") + "-9fot"])
def test_case_spaces_dashes_and_look_alikes_do_not_matter(world: World, person: str, typed: str) -> None:
    assert world.sign_in.sign_in(typed, "here").subject == person


@pytest.mark.parametrize("typed", ["", "K7QP", "K7QP-2MXD-9F0S", "x" * 100, "K7QP-2MXD-9F0T\x00", "é" * 12, "--------"])
def test_any_other_code_opens_nothing(world: World, person: str, typed: str) -> None:
    with pytest.raises(CodeUnknown):
        world.sign_in.sign_in(typed, "here")


def test_after_five_wrong_codes_in_a_minute_the_right_one_is_refused_too(world: World, person: str) -> None:
    for _ in range(TRIES):
        with pytest.raises(CodeUnknown):
            world.sign_in.sign_in("AAAA-AAAA-AAAA", "here")
    for typed in (CODE, "AAAA-AAAA-AAAA"):
        with pytest.raises(TooManyTries):
            world.sign_in.sign_in(typed, "here")
    assert world.sign_in.sign_in(CODE, "elsewhere").subject == person
    world.clock.go(minutes=1)
    assert world.sign_in.sign_in(CODE, "here").subject == person


def test_right_codes_are_not_counted(world: World, person: str) -> None:
    for _ in range(3 * TRIES):
        assert world.sign_in.sign_in(CODE, "here").subject == person
    answers = []
    for _ in range(TRIES + 1):
        with pytest.raises(Refusal) as refused:
            world.sign_in.sign_in("AAAA-AAAA-AAAA", "here")
        answers.append(refused.value.code)
    assert answers == ["CodeUnknown"] * TRIES + ["TooManyTries"], "the right ones took none of the tries"


def test_40_wrong_codes_at_once_get_five_tries(world: World, person: str) -> None:
    def guess(number: int) -> str:
        try:
            world.sign_in.sign_in(f"AAAA-AAAA-AA{number:02}", "here")
        except Refusal as refusal:
            return refusal.code
        return "signed in"

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(guess, range(40)))
    assert (answers.count("CodeUnknown"), answers.count("TooManyTries")) == (TRIES, 40 - TRIES)


def test_old_tries_are_forgotten(world: World, person: str) -> None:
    with pytest.raises(CodeUnknown):
        world.sign_in.sign_in("AAAA-AAAA-AAAA", "here")
    world.clock.go(minutes=1)
    world.sign_in.forget_old_tries()
    with world.people.database.transaction(write=False) as tx:
        assert tx.execute("SELECT COUNT(*) FROM sign_in_try")[0][0] == 0


def test_a_new_code_replaces_the_former(world: World, person: str) -> None:
    code = world.sign_in.new_code(person)
    assert world.sign_in.sign_in(code, "here").subject == person
    with pytest.raises(CodeUnknown):
        world.sign_in.sign_in(CODE, "here")


def test_codes_and_sources_are_kept_as_keyed_hashes_only(world: World, person: str) -> None:
    with pytest.raises(CodeUnknown):
        world.sign_in.sign_in("AAAA-AAAA-AAAA", "192.0.2.7")
    with world.people.database.transaction(write=False) as tx:
        kept = repr(tx.execute("SELECT * FROM sign_in_code") + tx.execute("SELECT * FROM sign_in_try"))
    assert CODE.replace("-", "") not in kept and "192.0.2.7" not in kept and "AAAA" not in kept


def test_a_code_of_ours_has_60_bits_and_nothing_to_misread() -> None:
    codes = {random_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert all(len(code) == 14 and not set(code) & set("ILOU") for code in codes)
    assert all(normal_code(code) == code.replace("-", "") for code in codes)


def test_only_known_people_get_codes_and_known_roles(world: World, person: str) -> None:
    with pytest.raises(PersonUnknown):
        world.sign_in.new_code("stranger")
    with pytest.raises(PersonUnknown):
        world.roles.grant("stranger", "agent", "test")
    with pytest.raises(RoleUnknown):
        world.roles.grant(person, "mayor", "test")
