"""The voter's side and the ballot service's own code, written apart, must agree byte for byte."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ballot.protocol import credentials, sign
from services.gateway import voting
from services.gateway.pages.words import percent
from services.shared.strict import canonical

POLL = "0b1e6a3c-5d7f-4f0a-8c21-1f2e3d4c5b6a"
seeds = st.binary(min_size=32, max_size=32)


@given(seeds)
def test_a_seed_gives_the_same_credential_and_salt_on_both_sides(seed: bytes) -> None:
    voter = voting.Voter(seed, POLL)
    assert voter.credential == sign.public_key(credentials.credential_key(seed, POLL)).hex()
    assert voter.salt == credentials.salt(seed, POLL).hex()


@given(seeds)
def test_a_code_de_vote_reads_the_same_on_both_sides(seed: bytes) -> None:
    code = voting.print_code(seed)
    assert code == credentials.print_code(seed)
    assert voting.read_code(code.lower().replace("-", " ")) == credentials.parse_code(code) == seed


@given(seeds, st.integers(0, 55), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_a_code_with_one_wrong_character_is_refused(seed: bytes, place: int, wrong: str) -> None:
    code = voting.print_code(seed).replace("-", "")
    if code[place] == wrong:
        return
    with pytest.raises(voting.WrongVotingCode):
        voting.read_code(code[:place] + wrong + code[place + 1 :])


@pytest.mark.parametrize("typed", ["", "A" * 55, "A" * 57, "U" * 56, "é" * 56, "\x00" * 56, "9" * 56])
def test_what_is_not_a_code_is_refused_without_being_repeated(typed: str) -> None:
    with pytest.raises(voting.WrongVotingCode) as refused:
        voting.read_code(typed)
    assert not typed or typed not in refused.value.reason


def test_an_issuer_signature_of_the_ballot_service_holds_here() -> None:
    issuer = credentials.credential_key(b"i" * 32, POLL)
    voter = voting.Voter(b"s" * 32, POLL)
    signature = credentials.issue(issuer, POLL, "habitants", bytes.fromhex(voter.credential)).hex()
    keys = [sign.public_key(issuer).hex()]
    voting.check_issuer(keys, POLL, "habitants", voter.credential, signature)
    for stratum, key in (("autre", keys), ("habitants", ["00" * 32]), ("habitants", [])):
        with pytest.raises(voting.NotVouched):
            voting.check_issuer(key, POLL, stratum, voter.credential, signature)


def test_a_ballot_is_canonical_signed_and_named_by_its_leaf_hash() -> None:
    voter = voting.Voter(b"s" * 32, POLL)
    ballot = voter.ballot("ab" * 32, "habitants", "cd" * 64, [{"choice": "oui"}], seq=0, prev=None)
    again = voter.ballot("ab" * 32, "habitants", "cd" * 64, [{"choice": "oui"}], seq=0, prev=None)
    assert ballot == again
    assert ballot.tracker == sha256(b"\0" + ballot.leaf).hexdigest()
    assert ballot.leaf == canonical(json.loads(ballot.leaf))


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_shares_are_rounded_half_up_without_floating_point(part: int, whole: int) -> None:
    exact = (Decimal(100 * part) / Decimal(whole)).quantize(Decimal("0.1"), ROUND_HALF_UP)
    shown = percent(part, whole).replace("\u202f", "").replace("\u00a0%", "").replace(",", ".")
    assert Decimal(shown) == exact
