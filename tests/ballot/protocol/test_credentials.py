"""From one seed: credential, salt, code de vote."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ballot.protocol import credentials, promises, sign
from services.ballot.protocol.credentials import WrongIssuerSignature, WrongVotingCode
from services.ballot.protocol.merkle import leaf_hash
from services.shared import strict
from services.shared.errors import BadInput
from tests.ballot.builder import POLL, key, make_manifest

SEED = bytes(range(32))
seeds = st.binary(min_size=32, max_size=32)


def test_hkdf_is_that_of_rfc_5869() -> None:
    """Appendix A.1: the first 32 bytes of its output."""
    made = credentials.hkdf(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)))
    assert made.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"


def test_hkdf_gives_one_block_and_no_more() -> None:
    with pytest.raises(ValueError, match="one block"):
        credentials.hkdf(SEED, b"", b"", 33)


def test_the_derived_values_are_fixed_for_ever() -> None:
    """A change of one of these would take their vote from people who hold a code on paper."""
    credential = sign.public_key(credentials.credential_key(SEED, POLL))
    assert credential.hex() == "c8620ee94262594051c926f5283f004352cd9097c00fd350fe146092778cbd01"
    assert credentials.salt(SEED, POLL).hex() == "7ea31e4b7e07264fc92db39219eb18068e09263991eb68c2bf076116fc901b14"
    assert credentials.print_code(SEED) == "000G-40R4-0M30-E209-185G-R38E-1W81-24GK-2GAH-C5RR-34D1-P70X-3RFZ-PFJK"


def test_another_poll_gives_another_credential_that_nobody_can_link() -> None:
    one, other = (sign.public_key(credentials.credential_key(SEED, poll)) for poll in (POLL, POLL.replace("0", "1")))
    assert one != other


def test_a_commitment_opens_with_salt_and_credential() -> None:
    salt = credentials.salt(SEED, POLL)
    assert credentials.commitment(salt, b"c" * 32) == sha256(salt + b"c" * 32).digest()


def test_an_issuers_signature_is_for_one_poll_stratum_and_credential() -> None:
    issuer = key("issuer")
    public = sign.public_key(issuer)
    signature = credentials.issue(issuer, POLL, "habitants", b"c" * 32)
    message = b"parvis/issue/v1\n" + strict.canonical({"poll": POLL, "stratum": "habitants", "credential": "63" * 32})
    assert signature == sign.sign(issuer, message)
    credentials.verify_issue(public, POLL, "habitants", b"c" * 32, signature, "s")
    for poll, stratum, credential in (
        (POLL.replace("0", "1"), "habitants", b"c" * 32),
        (POLL, "quartiers", b"c" * 32),
        (POLL, "habitants", b"d" * 32),
    ):
        with pytest.raises(WrongIssuerSignature):
            credentials.verify_issue(public, poll, stratum, credential, signature, "s")


# --- code de vote -----------------------------------------------------------------------------------------------------


@given(seeds)
def test_a_code_printed_and_typed_is_the_seed(seed: bytes) -> None:
    code = credentials.print_code(seed)
    assert [len(group) for group in code.split("-")] == [4] * 14
    assert credentials.parse_code(code) == seed
    assert credentials.parse_code(code.lower().replace("-", " ")) == seed
    assert credentials.parse_code(" " + code.replace("-", "").replace("0", "O").replace("1", "l") + "\n") == seed


@given(seeds, st.integers(0, 55), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_a_character_copied_wrongly_is_noticed(seed: bytes, place: int, character: str) -> None:
    code = credentials.print_code(seed).replace("-", "")
    changed = code[:place] + character + code[place + 1 :]
    if changed != code:
        with pytest.raises(WrongVotingCode) as refused:
            credentials.parse_code(changed)
        assert "a character is wrong" in refused.value.reason


@given(seeds, st.integers(0, 54))
def test_two_neighbours_swapped_are_noticed(seed: bytes, place: int) -> None:
    code = credentials.print_code(seed).replace("-", "")
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    if swapped != code:
        with pytest.raises(WrongVotingCode):
            credentials.parse_code(swapped)


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "has 0 characters instead of 56"),
        ("ABCD-EFGH", "has 8 characters instead of 56"),
        ("0" * 57, "has 57 characters instead of 56"),
        ("A" * 60_000, "has 60000 characters instead of 56"),
        ("ABCD-EFUH", "group 2, character 3 is never used in a code"),
        ("ABC\N{LATIN CAPITAL LETTER E WITH ACUTE}", "group 1, character 4 is never used in a code"),
        ("0000 \N{ARABIC-INDIC DIGIT ONE}", "group 2, character 1 is never used in a code"),
    ],
)
def test_a_code_typed_wrongly_is_refused_with_the_place_and_never_with_its_characters(text: str, reason: str) -> None:
    with pytest.raises(WrongVotingCode) as refused:
        credentials.parse_code(text)
    assert (refused.value.field, refused.value.reason) == ("code", reason)


def test_only_a_seed_has_a_code() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        credentials.print_code(b"short")


# --- promises ---------------------------------------------------------------------------------------------------------

MANIFEST = make_manifest()
PROMISE = promises.make(key("parvis/promise"), MANIFEST, leaf_hash(b"a ballot"))


def test_a_ballot_always_gets_the_same_promise() -> None:
    again = promises.make(key("parvis/promise"), MANIFEST, leaf_hash(b"a ballot"))
    assert again.encode() == PROMISE.encode()
    assert again.log_by == "2026-11-30T20:00:00Z"


def test_a_promise_verifies_in_any_layout() -> None:
    assert promises.verify(PROMISE.encode(), MANIFEST) == PROMISE
    assert promises.verify(PROMISE.encode().replace(b",", b" ,\n"), MANIFEST) == PROMISE


@pytest.mark.parametrize(
    "name, value, code",
    [
        ("poll", "0192f0c1-7a33-7c1e-9d7a-ffffffffffff", "WrongShape"),
        ("poll", 1, "WrongShape"),
        ("leaf_hash", "00" * 32, "WrongSignature"),
        ("leaf_hash", "00", "WrongShape"),
        ("log_by", "2030-11-30T20:00:00Z", "WrongShape"),
        ("signature", "00" * 64, "WrongSignature"),
        ("signature", "ff" * 64, "NonCanonicalSignature"),
        ("note", "", "WrongShape"),
    ],
)
def test_a_promise_changed_is_refused(name: str, value: object, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        promises.verify(strict.canonical(PROMISE.as_json() | {name: value}), MANIFEST)
    assert refused.value.code == code
