"""Winners, profiles and tallies: the order of ballots and of stations never matters."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.ballot.protocol import ballots, profile, tally
from services.ballot.protocol.leaves import is_ballot
from services.ballot.protocol.profile import Winners, per_question, sums
from services.ballot.protocol.tally import StationCount
from tests.ballot.builder import Voter, election, key, make_manifest

MANIFEST = make_manifest()
ANSWERS = [
    b'[{"choice":"oui"},{"choice":"oui"}]',
    b'[{"choice":"non"},{"choice":"oui"}]',
    b'[{"blank":true},{"choice":"non"}]',
]
votes = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5), st.sampled_from(ANSWERS)), unique_by=lambda v: v[:2])
profiles = st.dictionaries(st.sampled_from(ANSWERS), st.integers(0, 1000)).map(Counter)


def winners(cast: list[tuple[int, int, bytes]]) -> Winners:
    made = Winners()
    for voter, seq, answers in cast:
        made.add(bytes([voter]) * 32, seq, answers)
    return made


@given(votes, st.randoms())
def test_the_highest_seq_of_each_credential_wins_in_any_order(
    cast: list[tuple[int, int, bytes]], random: Random
) -> None:
    last: dict[int, tuple[int, bytes]] = {}
    for voter, seq, answers in cast:
        last[voter] = max(last.get(voter, (-1, b"")), (seq, answers))
    expected = Counter(answers for _, answers in last.values())
    shuffled = list(cast)
    random.shuffle(shuffled)
    for order in (cast, shuffled):
        made = winners(order)
        assert made.profile() == expected
        assert (len(made), made.ballots) == (len(last), len(cast))


@given(profiles, profiles)
def test_adding_profiles_is_counting_together(one: Counter[bytes], other: Counter[bytes]) -> None:
    together = sums(MANIFEST, one + other)
    for i, question in enumerate(MANIFEST.questions):
        a, b = sums(MANIFEST, one)[i], sums(MANIFEST, other)[i]
        assert a is not None and b is not None
        rule = question.rule
        assert rule.add(a, b) == together[i]


def count(station: str, part: Counter[bytes], ballots_: int = 0) -> StationCount:
    return StationCount(station, f"note of {station}", part, ballots_ or part.total(), part.total(), 0)


@given(profiles, profiles)
def test_a_tally_is_the_same_for_any_order_of_stations_and_any_division(
    one: Counter[bytes], other: Counter[bytes]
) -> None:
    made = tally.build(MANIFEST, [count("bureau-1", one), count("bureau-2", other)])
    assert made == tally.build(MANIFEST, [count("bureau-2", other), count("bureau-1", one)])
    divided = tally.build(MANIFEST, [count("bureau-1", other), count("bureau-2", one)])
    assert divided["questions"] == made["questions"]
    assert made["counted"] == made["turnout"] == (one + other).total()


def test_each_question_counts_only_its_own_answers() -> None:
    parts = per_question(MANIFEST, Counter({ANSWERS[0]: 3, ANSWERS[2]: 2, ANSWERS[1]: 0}))
    assert [list(part) for part in parts] == [
        [({"blank": True}, 2), ({"choice": "oui"}, 3)],
        [({"choice": "non"}, 2), ({"choice": "oui"}, 3)],
    ]


def test_superseded_are_the_ballots_that_did_not_win() -> None:
    made = tally.build(MANIFEST, [count("bureau-1", Counter({ANSWERS[0]: 3}), 7), count("bureau-2", Counter())])
    assert (made["counted"], made["superseded"], made["invalid"]) == (3, 4, {})


def test_folding_the_leaves_of_a_log_is_adding_its_ballots() -> None:
    made = election(60)
    cast = [ballot for voter in made.voters for ballot in voter.ballots]
    slow = Winners()
    for one in (ballots.parse(ballot, made.manifest, verify=False) for ballot in reversed(cast)):
        slow.add(one.credential, one.seq, one.answers)
    assert any(len(voter.ballots) > 1 for voter in made.voters), "no re-vote: half of the loop is not looked at"
    quick = profile.fold(leaf for log in made.logs.values() for leaf in log.leaves)
    assert (quick.profile(), len(quick), quick.ballots) == (slow.profile(), len(slow), slow.ballots)


def test_leaves_that_are_no_ballots_are_passed_over() -> None:
    others = [leaf for log in election(60).logs.values() for leaf in log.leaves if not is_ballot(leaf)]
    assert len(others) > 6
    assert profile.fold(others).ballots == 0


def test_a_tenth_ballot_wins_over_the_ninth() -> None:
    voter = Voter(MANIFEST, "habitants", "often", key("parvis/issuer"))
    cast = [voter.cast([{"choice": "oui" if n < 10 else "non"}, {"choice": "oui"}]) for n in range(11)]
    assert profile.fold(reversed(cast)).profile() == Counter({b'[{"choice":"non"},{"choice":"oui"}]': 1})


def test_the_code_hash_is_of_this_very_code() -> None:
    assert len(bytes.fromhex(tally.code_hash())) == 32
    assert tally.code_hash() == tally.code_hash()
