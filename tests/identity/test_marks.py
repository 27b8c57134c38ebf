"""A person takes one credential: the same one as often as they ask, never a second one, whoever asks at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from nacl.signing import VerifyKey

from services.identity.domain import (
    AnotherCredentialMarked,
    IssuanceNotOpen,
    NothingToReissue,
    NotOnRoll,
    PollUnknown,
    SecondPersonNeeded,
)
from services.shared.errors import Refusal
from services.shared.strict import canonical
from tests.identity.conftest import POLL, World

CREDENTIAL, SALT = bytes([1]) * 32, bytes([2]) * 32


@pytest.fixture
def person(world: World) -> str:
    (subject,) = world.settle(1)
    world.publish()
    return subject


def mark(world: World, person: str, credential: bytes = CREDENTIAL, salt: bytes = SALT) -> str:
    return world.issuance.mark(POLL, person, credential, salt).signature


def test_the_signature_is_the_issuers_over_poll_stratum_and_credential(world: World, person: str) -> None:
    made = world.issuance.mark(POLL, person, CREDENTIAL, SALT)
    claim = canonical({"poll": POLL, "stratum": made.stratum, "credential": CREDENTIAL.hex()})
    key = VerifyKey(bytes.fromhex(world.keys.issuer_key(POLL)))
    key.verify(b"parvis/issue/v1\n" + claim, bytes.fromhex(made.signature))


def test_the_same_credential_gets_the_same_signature(world: World, person: str) -> None:
    assert mark(world, person) == mark(world, person)
    assert world.rolls.totals(POLL) == {"habitants": (1, 0)}


def test_another_credential_or_another_salt_is_refused(world: World, person: str) -> None:
    mark(world, person)
    with pytest.raises(AnotherCredentialMarked):
        mark(world, person, credential=b"x" * 32)
    with pytest.raises(AnotherCredentialMarked):
        mark(world, person, salt=b"x" * 32)


def at_once(world: World, person: str, credential: Callable[[int], bytes]) -> list[Any]:
    barrier = Barrier(16)

    def ask(number: int) -> Any:
        barrier.wait()
        try:
            return mark(world, person, credential(number))
        except Refusal as refusal:
            return refusal.code

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(ask, range(16)))


def test_16_requests_at_once_for_one_credential_get_one_signature(world: World, person: str) -> None:
    answers = at_once(world, person, lambda _: CREDENTIAL)
    assert len(set(answers)) == 1 and len(answers[0]) == 128
    assert world.rolls.totals(POLL) == {"habitants": (1, 0)}


def test_of_16_credentials_that_one_person_asks_for_at_once_one_is_signed(world: World, person: str) -> None:
    answers = at_once(world, person, lambda number: bytes([number]) * 32)
    assert sorted(len(answer) for answer in answers)[-1] == 128
    assert answers.count("AnotherCredentialMarked") == 15
    assert world.rolls.totals(POLL) == {"habitants": (1, 0)}


def test_someone_who_is_not_on_the_roll_gets_nothing(world: World, person: str) -> None:
    with pytest.raises(NotOnRoll):
        mark(world, "stranger")


def test_someone_who_arrived_after_the_publication_is_not_on_the_roll(world: World, person: str) -> None:
    (late,) = world.settle(1)
    with pytest.raises(NotOnRoll):
        mark(world, late)
    assert world.issuance.stratum(POLL, person) == "habitants"
    assert world.issuance.stratum(POLL, late) is None


def test_an_unknown_poll_is_told_apart(world: World, person: str) -> None:
    with pytest.raises(PollUnknown):
        world.issuance.mark("00000000-0000-4000-8000-000000000000", person, CREDENTIAL, SALT)


def test_nothing_is_given_out_before_the_opening_nor_before_the_publication(world: World, person: str) -> None:
    world.clock.go(hours=-3)
    with pytest.raises(IssuanceNotOpen):
        mark(world, person)
    other = "11111111-1111-4111-8111-111111111111"
    world.clock.go(hours=3)
    world.issuance.prepare(other, ["habitants"], "2026-11-23T10:00:00Z", "2026-11-23T18:00:00Z", "officer")
    with pytest.raises(IssuanceNotOpen):
        world.issuance.mark(other, person, CREDENTIAL, SALT)


def test_after_the_closing_time_only_a_repeat_is_served_even_when_nobody_has_closed_yet(world: World) -> None:
    early, late = world.settle(2)
    world.publish()
    signature = mark(world, early)
    world.clock.go(hours=6)
    assert mark(world, early) == signature
    with pytest.raises(IssuanceNotOpen):
        mark(world, late)
    world.issuance.close_due()
    assert mark(world, early) == signature


def test_a_lost_seed_is_reissued_by_two_different_officers(world: World, person: str) -> None:
    mark(world, person)
    assert world.issuance.reissue(POLL, person, "officer-1") is False
    with pytest.raises(SecondPersonNeeded):
        world.issuance.reissue(POLL, person, "officer-1")
    with pytest.raises(AnotherCredentialMarked):
        mark(world, person, credential=b"x" * 32)
    assert world.issuance.reissue(POLL, person, "officer-2") is True
    mark(world, person, credential=b"x" * 32)
    assert world.rolls.totals(POLL) == {"habitants": (1, 1)}
    with pytest.raises(AnotherCredentialMarked):
        mark(world, person)


def test_each_reissue_needs_two_officers_again(world: World, person: str) -> None:
    for number in range(2):
        mark(world, person, credential=bytes([number]) * 32)
        assert world.issuance.reissue(POLL, person, "officer-1") is False
        assert world.issuance.reissue(POLL, person, "officer-2") is True
    assert world.rolls.totals(POLL) == {"habitants": (1, 2)}


def test_who_has_taken_nothing_needs_no_reissue(world: World, person: str) -> None:
    with pytest.raises(NothingToReissue):
        world.issuance.reissue(POLL, person, "officer-1")
    with pytest.raises(NotOnRoll):
        world.issuance.reissue(POLL, "stranger", "officer-1")


def test_what_is_noted_opens_only_with_the_salt(world: World, person: str) -> None:
    mark(world, person)
    with world.rolls.database.transaction(write=False) as tx:
        ((commitment,),) = tx.execute("SELECT commitment FROM roll")
    assert bytes(commitment) == hashlib.sha256(SALT + CREDENTIAL).digest()


def test_the_roll_stands_in_the_same_order_whoever_marks_first(world: World) -> None:
    people = world.settle(30)
    world.publish()
    before = order(world)
    for person in reversed(people):
        world.issuance.mark(POLL, person, os.urandom(32), SALT)
    assert order(world) == before == sorted(before)


def order(world: World) -> list[bytes]:
    sql = "SELECT roll_ref FROM roll" + (" ORDER BY roll_ref" if world.rolls.database.engine == "postgres" else "")
    with world.rolls.database.transaction(write=False) as tx:
        return [bytes(ref) for (ref,) in tx.execute(sql)]
