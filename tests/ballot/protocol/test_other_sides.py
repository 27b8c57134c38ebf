"""The gateway writes and the identity service signs by their own code: what they make is what the protocol reads."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ballot.protocol import ballots, credentials, promises, sign
from services.gateway import voting
from tests.ballot.builder import POLL, key, make_manifest

MANIFEST = make_manifest()
seeds = st.binary(min_size=32, max_size=32)


@given(seeds)
def test_both_sides_derive_the_same_from_a_seed(seed: bytes) -> None:
    voter = voting.Voter(seed, POLL)
    assert voter.credential == sign.public_key(credentials.credential_key(seed, POLL)).hex()
    assert voter.salt == credentials.salt(seed, POLL).hex()
    assert voting.print_code(seed) == credentials.print_code(seed)
    assert voting.read_code(credentials.print_code(seed)) == credentials.parse_code(voting.print_code(seed)) == seed


def test_a_ballot_of_the_gateway_passes_the_door() -> None:
    voter = voting.Voter(bytes(32), POLL)
    issued = credentials.issue(key("parvis/issuer"), POLL, "habitants", bytes.fromhex(voter.credential)).hex()
    voting.check_issuer([sign.public_key(key("parvis/issuer")).hex()], POLL, "habitants", voter.credential, issued)
    answers: list[dict[str, Any]] = [{"blank": True}, {"choice": "non"}]
    cast = voter.ballot(MANIFEST.hash.hex(), "habitants", issued, answers, seq=0, prev=None)
    again = voter.ballot(MANIFEST.hash.hex(), "habitants", issued, answers, seq=1, prev=cast.tracker)
    for made in (cast, again):
        assert ballots.parse(made.leaf, MANIFEST).leaf_hash.hex() == made.tracker


def test_the_gateway_believes_the_manifest_and_the_promises_of_the_door() -> None:
    voting.check_manifest(MANIFEST.as_json(), MANIFEST.hash.hex())
    made = promises.make(key("parvis/promise"), MANIFEST, b"t" * 32).as_json()
    promise = voting.Promise(**made)
    voting.check_promise(promise, MANIFEST.promise_key.hex(), POLL, (b"t" * 32).hex())
