"""The audit passes on a sound election, and names the cause of every way to cheat that we know of."""

from __future__ import annotations

from io import BytesIO
from random import Random
from typing import Any

import pytest

from services.ballot.audit.anchors import Held
from services.ballot.audit.auditor import NO_CHECKPOINT, NO_MANIFEST_HASH, NO_PROMISE, Options, audit
from services.ballot.audit.findings import Report
from tests.ballot.audit.tampers import CASES, Given, edited, first_log, newcomer, rewrite
from tests.ballot.builder import Election, election, make_manifest

HASH = make_manifest().hash


def look(given: Given | Election, **options: Any) -> Report:
    if isinstance(given, Election):
        given = Given(given.bundle())
    anchor = (given.manifest_hash or HASH) if given.anchored else None
    known = Options(anchor, given.checkpoints, given.promises, **options)
    return audit(BytesIO(given.bundle), known)


@pytest.fixture
def made() -> Election:
    return election(120)


def test_a_sound_election_passes_and_every_ballot_is_checked(made: Election) -> None:
    report = look(made)
    assert report.passed, report.findings
    assert report.count_line() == "120 ballots checked of 120 expected"
    assert report.result == made.tally


def test_the_sample_holds_re_votes_within_an_epoch_before_the_ballot_they_follow(made: Election) -> None:
    """Else the tests below would never see the hardest order."""
    leaves = first_log(made).leaves
    places = {leaf: i for i, leaf in enumerate(leaves)}
    turned = [v for v in made.voters if len(v.ballots) > 1 and v.stratum == "habitants"]
    assert any(places[a] > places[b] for v in turned for a, b in zip(v.ballots, v.ballots[1:], strict=False))


def test_all_anchors_together_leave_only_what_no_audit_can_exclude(made: Election) -> None:
    notes = [
        Held(f"{size}.txt", first_log(made).note(size).encode()) for size in (0, 1, 20, len(first_log(made).leaves))
    ]
    promises = [Held("p.json", made.promise(voter.ballots[-1])) for voter in made.voters[:3]]
    report = look(Given(made.bundle(), checkpoints=notes, promises=promises))
    assert report.passed, report.findings
    assert len(report.cannot_exclude) == 1


def test_there_are_far_more_than_thirty_ways_to_cheat() -> None:
    assert len(CASES) >= 75


@pytest.mark.parametrize("name", CASES)
def test_cheating_is_found_and_its_cause_named(name: str, made: Election) -> None:
    tamper, finding, field = CASES[name]
    report = look(tamper(made))
    assert not report.passed
    first = report.findings[0]
    assert (first.finding, first.field) == (finding, field), report.findings
    assert first.event, "a finding says where"
    assert first.cause


TALLY_EDITS: dict[str, Any] = {
    "version": 2,
    "poll": "0192f0c1-7a33-7c1e-9d7a-ffffffffffff",
    "manifest_hash": "00" * 32,
    "questions": [],
    "counted": 1,
    "superseded": 1,
    "invalid": 1,
    "turnout": 1,
    "roll": 1,
    "issued": 1,
    "reissued": 1,
    "stations": [],
    "code_hash": "00",
    "signed_off": True,
}


@pytest.mark.parametrize("field", TALLY_EDITS)
def test_a_field_of_the_tally_edited_is_named(field: str, made: Election) -> None:
    made.tally[field] = TALLY_EDITS[field]
    report = look(made)
    assert [(f.finding, f.field) for f in report.findings][:1] == [("WrongTally", field)]


@pytest.mark.parametrize("field", sorted(set(TALLY_EDITS) - {"signed_off"}))
def test_a_field_missing_from_the_tally_is_named(field: str, made: Election) -> None:
    del made.tally[field]
    assert [(f.finding, f.field) for f in look(made).findings][:1] == [("WrongTally", field)]


@pytest.mark.parametrize(
    "path, value",
    [
        (("blank",), 0),
        (("winner",), "non"),
        (("counts", "non"), 0),
        (("steps", 0, "expressed"), 0),
        (("steps", 1, "option"), "non"),
    ],
)
def test_a_result_edited_is_named(path: tuple[Any, ...], value: Any, made: Election) -> None:
    inner = made.tally["questions"][0]["result"]
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    first = look(made).findings[0]
    named = "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in path)
    assert (first.finding, first.field) == ("WrongTally", "questions[0].result" + named)


def test_a_tally_by_another_version_of_the_code_is_a_note_and_a_failure_only_on_request(made: Election) -> None:
    made.tally["code_hash"] = "ab" * 32
    report = look(made)
    assert report.passed
    assert "another version" in report.notes[0]["note"]
    assert [f.field for f in look(made, same_code=True).findings] == ["code_hash"]


def test_a_forged_bundle_passes_without_an_anchor_and_the_audit_says_so() -> None:
    forged = Given(election(60, owner="forger").bundle(), anchored=False)
    report = look(forged)
    assert report.passed
    assert report.cannot_exclude[:3] == [NO_MANIFEST_HASH, NO_CHECKPOINT, NO_PROMISE]


def test_any_byte_changed_fails_and_never_breaks_the_audit() -> None:
    """Bits flipped anywhere: in leaves, notes, events, the bundle's own lines."""
    sound, random = election(24, epochs=2).bundle(), Random(3)
    for _ in range(250):
        place, bit = random.randrange(len(sound)), 1 << random.randrange(8)
        bad = sound[:place] + bytes([sound[place] ^ bit]) + sound[place + 1 :]
        assert not look(Given(bad), same_code=True).passed, f"bit {bit} of byte {place}"


def test_a_bundle_cut_anywhere_fails_and_never_breaks_the_audit() -> None:
    sound, random = election(24, epochs=2).bundle(), Random(4)
    for place in [random.randrange(len(sound)) for _ in range(60)] + [len(sound) - 1]:
        assert not look(Given(sound[:place])).passed


def test_lines_dropped_doubled_or_exchanged_anywhere_fail() -> None:
    lines, random = election(24, epochs=2).bundle().splitlines(keepends=True), Random(5)
    for _ in range(80):
        changed, (a, b) = list(lines), random.sample(range(len(lines)), 2)
        kind = random.randrange(3)
        if kind == 0:
            del changed[a]
        elif kind == 1:
            changed.insert(b, changed[a])
        else:
            changed[a], changed[b] = changed[b], changed[a]
        assert not look(Given(b"".join(changed))).passed, (kind, a, b)


def test_findings_past_a_hundred_are_counted(made: Election) -> None:
    rewrite(made, [[newcomer(made, issuer="x", name=str(i)).cast([]) for i in range(130)]])
    report = look(made)
    assert len(report.findings) == 100
    assert report.more_findings >= 30


def test_an_open_poll_is_audited_as_far_as_it_is_sealed(made: Election) -> None:
    for log in made.logs.values():
        del log.leaves[-1]
        made.notes[log.station] = log.note()
    made.events = []
    assert {f.finding for f in look(made).findings} == {"StationNotClosed", "EventMissing"}
    report = look(made, may_be_open=True)
    assert report.passed, report.findings
    assert report.count_line() == "120 ballots checked of 120 expected"


def test_an_open_poll_with_a_tally_already_is_refused(made: Election) -> None:
    log = first_log(made)
    del log.leaves[-1]
    made.publish()
    assert [f.finding for f in look(made, may_be_open=True).findings] == ["TallyTooEarly"]


def test_credentials_issued_again_may_vote_beside_the_lost_ones(made: Election) -> None:
    """An officer's reissue may double a vote: the tally prints how many, the audit allows no more."""
    log = first_log(made)
    turnout = sum(voter.stratum == "habitants" for voter in made.voters)
    log.leaves[-1] = edited(log.leaves[-1], issued=turnout - 2, reissued=2)
    made.publish()
    made.tally.update(issued=made.tally["issued"] - 2, reissued=2)
    assert look(made).passed
