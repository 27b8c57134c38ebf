"""Instant run-off: rounds, transfers, and who is last among equals."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ballot.methods.asking import ask, count, draft, rankings, refused_answer, refused_question, steps

TENNESSEE = {"m > n > c > k": 42, "n > c > k > m": 26, "c > k > n > m": 15, "k > c > n > m": 17}


def test_knoxville_wins_tennessee() -> None:
    result = count(ask("irv", "mnck"), [*rankings(TENNESSEE), ({"blank": True}, 8)])
    first, second, third = steps(result, "round")
    assert first["votes"] == {"m": 42, "n": 26, "c": 15, "k": 17} and first["eliminated"] == ["c"]
    assert first["transfers"] == [{"from": "c", "to": {"k": 15}, "exhausted": 0}]
    assert second["votes"] == {"m": 42, "n": 26, "k": 32} and second["eliminated"] == ["n"]
    assert third["votes"] == {"m": 42, "k": 58} and third["elected"] == ["k"]
    assert (result["winners"], result["blank"], result["expressed"]) == (["k"], 8, 100)


def test_a_majority_is_of_the_votes_still_in_play() -> None:
    result = count(ask("irv", "abc"), rankings({"a": 4, "b": 3, "c": 2}))
    last = result["steps"][-1]
    assert (last["votes"], last["exhausted"], last["elected"]) == ({"a": 4, "b": 3}, 2, ["a"])


def test_options_that_nobody_supports_leave_with_the_last_one() -> None:
    result = count(ask("irv", "zabcy"), rankings({"a": 4, "b": 3, "c > b": 2}))
    assert result["steps"][0]["eliminated"] == ["z", "y", "c"] and result["winners"] == ["b"]


def test_of_equals_who_had_fewer_votes_in_the_latest_round_before_leaves() -> None:
    """b and c have 4 in the second round; b had 3 in the first, c 4."""
    result = count(ask("irv", "abcd"), rankings({"a": 6, "b > c": 3, "c": 4, "d > b > c": 1}))
    assert [step["eliminated"] for step in steps(result, "round")] == [["d"], ["b"], []]
    assert result["winners"] == ["c"] and not steps(result, "tie")


def test_equals_in_every_round_go_by_the_order_then_by_the_lot() -> None:
    profile = rankings({"a": 3, "b > c": 2, "c > b": 2})
    result = count(ask("irv", "abc"), profile)
    assert steps(result, "tie") == [
        {"step": "tie", "for": "elimination", "between": ["b", "c"], "chosen": ["c"], "by": "order"}
    ]
    assert result["winners"] == ["b"]
    assert {count(ask("irv", "abc", f"lot:{n}"), profile)["winners"][0] for n in range(20)} == {"b", "c"}


@pytest.mark.parametrize(
    "answer, field",
    [({"ranking": [["a", "b"]]}, "ranking[0]"), ({"ranking": []}, "ranking"),
     ({"ranking": [["a"], ["a"]]}, "ranking[1]"),
     ({"ranking": [["a"], []]}, "ranking[1]"), ({"ranking": ["a"]}, "ranking[0]"), ({"ranking": {"a": 1}}, "ranking")],
)  # fmt: skip
@pytest.mark.parametrize("method", ["irv", "stv_scottish", "stv_wigm"])
def test_ranks_hold_one_option_each(method: str, answer: Any, field: str) -> None:
    seats = {} if method == "irv" else {"seats": 1}
    assert refused_answer(ask(method, "abc", **seats), answer) == field


def test_it_has_no_settings() -> None:
    assert refused_question(draft("irv", "abc", seats=1)) == "settings.seats"
    assert refused_question(draft("irv", "a")) == "options"
