"""What the cast door takes and what it refuses, by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ballot.protocol import ballots, leaves, sign
from services.ballot.protocol.ballots import Ballot
from services.ballot.protocol.merkle import leaf_hash
from services.shared import strict
from services.shared.errors import BadInput, Refusal
from tests.ballot.builder import Voter, key, make_manifest, public

MANIFEST = make_manifest()
YES: list[Any] = [{"choice": "oui"}, {"choice": "non"}]
VOTER = Voter(MANIFEST, "habitants", "a voter", key("parvis/issuer"))
FIRST = VOTER.ballot(YES)
SECOND = VOTER.ballot(YES, seq=1, prev=leaf_hash(FIRST))


def refusal(data: bytes) -> Refusal:
    with pytest.raises(Refusal) as refused:
        ballots.parse(data, make_manifest())
    return refused.value


def signed(**changes: Any) -> bytes:
    """A ballot that differs, canonical and signed by its voter."""
    value = strict.parse(FIRST)
    value.update(changes)
    del value["signature"]
    message = b"parvis/ballot/v1\n" + MANIFEST.hash + strict.canonical(value)
    return strict.canonical(value | {"signature": sign.sign(VOTER.key, message).hex()})


def test_a_good_ballot_tells_what_the_stores_need() -> None:
    ballot = ballots.parse(FIRST, MANIFEST)
    assert ballot.leaf == FIRST
    assert ballot.leaf_hash == leaf_hash(FIRST)
    assert ballot.credential == VOTER.credential
    assert (ballot.stratum.id, ballot.station) == ("habitants", "bureau-1")
    assert (ballot.seq, ballot.prev) == (0, None)
    assert ballot.answers == b'[{"choice":"oui"},{"choice":"non"}]'


def test_a_re_vote_names_the_ballot_before() -> None:
    ballot = ballots.parse(SECOND, MANIFEST)
    assert (ballot.seq, ballot.prev) == (1, leaf_hash(FIRST))


def test_the_bytes_are_fixed_for_ever() -> None:
    """A change of this value is a change of a stored format: old ballots could no longer be audited."""
    assert leaf_hash(FIRST).hex() == "28be9f50e5c05a999917abedb291dce79fd1b77c8a4c31859575adf73d22ff52"


def test_two_issuers_sign_each() -> None:
    strata = [dict(stratum.as_json()) for stratum in MANIFEST.strata]
    strata[0]["issuer_keys"] = [public("parvis/issuer"), public("second/issuer")]
    manifest = make_manifest(strata=strata)
    one, two = (Voter(manifest, "habitants", "v", key(name)) for name in ("parvis/issuer", "second/issuer"))
    both = one.ballot(YES, issuer_signatures=[one.issued, two.issued])
    assert ballots.parse(both, manifest) == ballots.parse(both, manifest)
    for issued, field in (
        ([two.issued, one.issued], "issuer_signatures[0]"),
        ([one.issued] * 2, "issuer_signatures[1]"),
    ):
        with pytest.raises(ballots.WrongIssuerSignature) as refused:
            ballots.parse(one.ballot(YES, issuer_signatures=issued), manifest)
        assert refused.value.field == field


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "Ballot"}, "WrongShape", "type"),
    ({"version": 2}, "WrongShape", "version"),
    ({"version": True}, "WrongShape", "version"),
    ({"poll": "0192f0c1-7a33-7c1e-9d7a-ffffffffffff"}, "WrongPoll", "poll"),
    ({"poll": 1}, "WrongPoll", "poll"),
    ({"credential": "ab"}, "WrongShape", "credential"),
    ({"credential": VOTER.credential.hex().upper()}, "WrongShape", "credential"),
    ({"credential": "00" * 32}, "SmallOrderKey", "credential"),
    ({"credential": "f0" + "ff" * 30 + "7f"}, "NonCanonicalKey", "credential"),
    ({"credential": public("another")}, "WrongIssuerSignature", "issuer_signatures[0]"),
    ({"stratum": "touristes"}, "UnknownStratum", "stratum"),
    ({"stratum": ["habitants"]}, "UnknownStratum", "stratum"),
    ({"stratum": "quartiers"}, "WrongIssuerSignature", "issuer_signatures[0]"),
    ({"issuer_signatures": []}, "WrongShape", "issuer_signatures"),
    ({"issuer_signatures": ["00" * 63]}, "WrongShape", "issuer_signatures[0]"),
    ({"issuer_signatures": ["00" * 64]}, "WrongIssuerSignature", "issuer_signatures[0]"),
    ({"issuer_signatures": ["ff" * 64]}, "NonCanonicalSignature", "issuer_signatures[0]"),
    ({"issuer_signatures": [VOTER.issued.hex()] * 2}, "WrongShape", "issuer_signatures"),
    ({"seq": -1}, "WrongShape", "seq"),
    ({"seq": 1000, "prev": "00" * 32}, "WrongShape", "seq"),
    ({"seq": "0"}, "WrongShape", "seq"),
    ({"seq": False}, "WrongShape", "seq"),
    ({"seq": 1}, "WrongPrevious", "prev"),
    ({"prev": "00" * 32}, "WrongPrevious", "prev"),
    ({"seq": 1, "prev": "00" * 31}, "WrongShape", "prev"),
    ({"body": []}, "WrongShape", "body"),
    ({"body": {}}, "WrongShape", "body.answers"),
    ({"body": {"answers": YES, "note": ""}}, "WrongShape", "body.note"),
    ({"body": {"answers": {}}}, "WrongShape", "body.answers"),
    ({"body": {"answers": YES[:1]}}, "WrongShape", "body.answers"),
    ({"body": {"answers": [*YES, YES[0]]}}, "WrongShape", "body.answers"),
    ({"body": {"answers": [YES[0], {"choice": "peut-être"}]}}, "WrongAnswer", "body.answers[1].choice"),
    ({"body": {"answers": [YES[0], "oui"]}}, "WrongAnswer", "body.answers[1]"),
    ({"body": {"answers": [YES[0], {"blank": True}]}}, "WrongAnswer", "body.answers[1].blank"),
    ({"colour": "blue"}, "WrongShape", "colour"),
]


@pytest.mark.parametrize("changes, code, field", WRONG)
def test_a_wrong_ballot_is_refused_by_name_though_its_voter_signed_it(
    changes: dict[str, Any], code: str, field: str
) -> None:
    refused = refusal(signed(**changes))
    assert (refused.code, refused.field) == (code, field)


def test_a_missing_field_is_named() -> None:
    for name in strict.parse(FIRST):
        value = strict.parse(FIRST)
        del value[name]
        assert refusal(strict.canonical(value)).field == name


def test_only_the_canonical_bytes_are_taken() -> None:
    value = strict.parse(FIRST)
    backwards = json.dumps(dict(reversed(value.items())), separators=(",", ":"))
    for other in (json.dumps(value), backwards, FIRST.decode() + "\n"):
        assert refusal(other.encode()).code == "NotCanonical"
    assert refusal(FIRST.replace(b"habitants", b"habitant\\u0073")).code == "NotCanonical"


def test_a_ballot_signed_for_another_manifest_does_not_count_here() -> None:
    """A correction of the manifest, say of a question's text, voids what was signed before."""
    other = make_manifest(title="Une autre question")
    ballot = Voter(other, "habitants", "a voter", key("parvis/issuer")).ballot(YES)
    assert refusal(ballot).code == "WrongSignature"


def test_a_ballot_too_large_is_refused_before_it_is_read() -> None:
    assert refusal(b"x" * (16 * 1024 + 1)).code == "TooLarge"


MUTATIONS: list[Callable[[bytes, int, int], bytes]] = [
    lambda data, place, byte: data[:place] + bytes([byte]) + data[place + 1 :],
    lambda data, place, byte: data[:place] + bytes([byte]) + data[place:],
    lambda data, place, byte: data[:place] + data[place + 1 + byte % 9 :],
    lambda data, place, byte: data[:place],
]


@given(st.sampled_from([FIRST, SECOND]), st.integers(0, len(FIRST)), st.integers(0, 255), st.sampled_from(MUTATIONS))
def test_any_byte_changed_is_refused_and_never_an_accident(
    ballot: bytes, place: int, byte: int, mutate: Callable[[bytes, int, int], bytes]
) -> None:
    changed = mutate(ballot, place, byte)
    if changed != ballot:
        with pytest.raises(Refusal):
            ballots.parse(changed, MANIFEST)


@given(st.sampled_from([FIRST, SECOND]), st.integers(0, len(FIRST)), st.integers(0, 255), st.sampled_from(MUTATIONS))
def test_the_quick_way_accepts_nothing_that_reading_refuses(
    ballot: bytes, place: int, byte: int, mutate: Callable[[bytes, int, int], bytes]
) -> None:
    """The pattern for usual ballots, once it knows their answers, and the JSON reader give one verdict."""
    fresh, warm = make_manifest(), make_manifest()
    ballots.parse(FIRST, warm, verify=False)
    assert warm.answers_seen
    changed = mutate(ballot, place, byte)
    verdicts: list[Ballot | tuple[str, str | None]] = []
    for manifest in (fresh, warm):
        try:
            verdicts.append(ballots.parse(changed, manifest, verify=False))
        except BadInput as refused:
            verdicts.append((refused.code, refused.field))
    assert verdicts[0] == verdicts[1]


def test_answers_in_another_form_than_canonical_are_not_learnt() -> None:
    manifest = make_manifest()
    spaced = FIRST.replace(b'{"choice":"oui"}', b'{"choice": "oui"}')
    for _ in range(2):
        with pytest.raises(ballots.NotCanonical):
            ballots.parse(spaced, manifest)
    assert not manifest.answers_seen


@given(st.integers(0, 999), st.booleans())
def test_peeking_reads_what_parsing_reads(seq: int, blank: bool) -> None:
    answers = [{"blank": True} if blank else {"choice": "non"}, {"choice": "oui"}]
    data = VOTER.ballot(answers, seq=seq, prev=b"\x05" * 32 if seq else None)
    ballot = ballots.parse(data, MANIFEST, verify=False)
    credential, found, answered = ballots.peek(data)
    assert (bytes.fromhex(credential.decode()), found, answered) == (ballot.credential, ballot.seq, ballot.answers)


def test_a_ballot_as_a_leaf_must_stand_in_its_own_stations_log() -> None:
    assert leaves.parse(FIRST, MANIFEST, "bureau-1") == ballots.parse(FIRST, MANIFEST)
    with pytest.raises(leaves.WrongPlace) as refused:
        leaves.parse(FIRST, MANIFEST, "bureau-2")
    assert refused.value.field == "stratum"
