"""The single transferable vote, Scottish and in exact fractions: examples counted by hand, and another way to count."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ballot.methods.asking import Json, ask, count, draft, rankings, refused_question, steps
from tests.ballot.methods.by_hand import by_hand
from tests.ballot.methods.made import Draw

VARIANTS = ("stv_scottish", "stv_wigm")
# 19 ballots, 2 seats: the quota is ⌊19 / 3⌋ + 1 = 7; a has 11, so 4 to pass on by 11 ballots.
NINETEEN = {"a > b": 7, "a > c": 4, "b": 3, "c": 3, "d > c": 2}


def test_a_surplus_of_scotland_by_hand() -> None:
    """4 / 11 is 0.36363 once cut: b gets 7 × 0.36363 = 2.54541, c gets 1.45452, and 0.00007 is lost."""
    result = count(ask("stv_scottish", "abcd", seats=2), [*rankings(NINETEEN), ({"blank": True}, 2)])
    assert (result["quota"], result["winners"], result["blank"]) == (7, ["a", "c"], 2)
    first, second, third, fourth = steps(result, "round")
    assert first["elected"] == ["a"] and first["eliminated"] == []
    assert first["transfers"] == [{"from": "a", "to": {"b": "2.54541", "c": "1.45452"}, "exhausted": "0.00007"}]
    assert second["votes"] == {"a": 7, "b": "5.54541", "c": "4.45452", "d": 2}
    assert second["exhausted"] == "0.00007" and second["eliminated"] == ["d"]
    assert third["votes"] == {"a": 7, "b": "5.54541", "c": "6.45452"} and third["eliminated"] == ["b"]
    assert fourth["elected"] == ["c"] and fourth["votes"] == {"a": 7, "c": "6.45452"}


def test_the_same_in_exact_fractions() -> None:
    result = count(ask("stv_wigm", "abcd", seats=2), rankings(NINETEEN))
    assert result["winners"] == ["a", "c"]
    assert steps(result, "round")[0]["transfers"] == [{"from": "a", "to": {"b": "28/11", "c": "16/11"}, "exhausted": 0}]
    assert steps(result, "round")[2]["votes"] == {"a": 7, "b": "61/11", "c": "71/11"}


def test_a_second_surplus_multiplies_what_ballots_are_worth_and_cuts_again() -> None:
    """15 ballots, 3 seats, quota 4. a: 7, surplus 3, 3 / 7 = 0.42857; b: 3 + 7 × 0.42857 = 5.99999, surplus 1.99999.
    A ballot that came from a passes on at 1.99999 × 0.42857 / 5.99999 = 0.14285; b's own at 0.33333."""
    votes = {"a > b > c": 7, "b > c": 3, "c": 1, "d": 2, "e": 2}
    result = count(ask("stv_scottish", "abcde", seats=3), rankings(votes))
    first, second = steps(result, "round")[:2]
    assert first["transfers"][0]["to"] == {"b": "2.99999"}
    assert second["votes"]["b"] == "5.99999" and second["elected"] == ["b"]
    assert second["transfers"] == [
        {"from": "b", "to": {"c": "1.99994"}, "exhausted": "0.00005"}
    ]  # 7 × 0.14285 + 3 × 0.33333


def test_the_greatest_surplus_goes_first() -> None:
    """20 ballots, 3 seats, quota 6: a has 7, b 9, so b's three are passed on before a's one."""
    result = count(ask("stv_scottish", "abcd", seats=3), rankings({"a > c": 7, "b > d": 9, "c": 2, "d": 2}))
    assert [step["transfers"][0]["from"] for step in steps(result, "round")[:2]] == ["b", "a"]
    assert result["winners"] == ["b", "a", "d"]


def test_equal_surpluses_go_by_the_order_then_by_the_lot() -> None:
    profile = rankings({"a > c": 6, "b > d": 6, "c": 1, "d": 1})
    result = count(ask("stv_scottish", "bacd", seats=2), profile)
    assert result["winners"] == ["b", "a"] and result["quota"] == 5
    seats = ask("stv_scottish", "bacd", seats=3)
    longer = count(seats, profile)
    assert steps(longer, "tie")[0] == {
        "step": "tie", "for": "surplus", "between": ["b", "a"], "chosen": ["b"], "by": "order"
    }  # fmt: skip
    drawn = [steps(count(ask("stv_wigm", "bacd", f"lot:{n}", seats=3), profile), "tie")[0] for n in range(20)]
    assert {tie["chosen"][0] for tie in drawn} == {"a", "b"}


@pytest.mark.parametrize("method", VARIANTS)
def test_of_equals_who_had_fewer_votes_at_the_latest_stage_before_leaves(method: str) -> None:
    """As in instant run-off: b and c have 4 each once d has left; b had 3 before."""
    result = count(ask(method, "abcd", seats=1), rankings({"a": 6, "b > c": 3, "c": 4, "d > b > c": 1}))
    assert [step["eliminated"] for step in steps(result, "round")] == [["d"], ["b"], []]
    assert result["winners"] == ["c"] and not steps(result, "tie")


@pytest.mark.parametrize("method", VARIANTS)
def test_the_last_to_continue_are_elected_without_the_quota(method: str) -> None:
    result = count(ask(method, "abc", seats=2), rankings({"a": 5, "b": 1}))
    assert result["winners"] == ["a", "b"]  # c, without a vote, leaves
    assert steps(result, "round")[-1]["elected"] == ["b"]


def test_fractions_are_for_eight_seats_at_most() -> None:
    """Their digits double with each surplus: ten seats would write some thousand, twenty some million."""
    names = "abcdefghijkl"
    assert refused_question(draft("stv_wigm", names, seats=9)) == "settings.seats"
    ask("stv_wigm", names, seats=8)
    ask("stv_scottish", names, seats=11)
    assert refused_question(draft("stv_scottish", names, seats=12)) == "settings.seats"
    chance = random.Random(5)
    orders = [" > ".join(chance.sample(names, len(names))) for _ in range(300)]
    profile = rankings({order: chance.randint(1, 10**7) for order in orders})
    result = count(ask("stv_wigm", names, seats=8), profile)
    assert len(result["winners"]) == 8
    assert max(len(str(votes)) for step in steps(result, "round") for votes in step["votes"].values()) < 2000


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(VARIANTS), st.integers(0, 2**32), st.integers(2, 7), st.integers(1, 14))
def test_a_count_ballot_by_ballot_elects_the_same(method: str, seed: int, options: int, ballots: int) -> None:
    draw = Draw(random.Random(seed))
    question = draw.question(method, options, tie="order")
    profile = draw.profile(question, ballots, most_times=5)
    result = count(question, profile)
    assert result["winners"] == by_hand(question, profile)


def test_the_count_by_hand_knows_the_example() -> None:
    """Else two ways to count could be wrong together."""
    profile: list[tuple[Json, int]] = rankings(NINETEEN)
    assert by_hand(ask("stv_scottish", "abcd", seats=2), profile) == ["a", "c"]
