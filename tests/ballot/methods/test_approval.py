"""Approval: any number of options, none included."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ballot.methods.asking import ask, choices, count, draft, refused_answer, refused_question, steps

CITIES = ("memphis", "nashville", "chattanooga", "knoxville")


def test_nashville_wins_where_each_approves_the_two_nearest() -> None:
    """Tennessee's capital: those of Memphis approve it alone or with Nashville; here all approve two."""
    profile = choices({"memphis nashville": 42, "nashville chattanooga": 26, "chattanooga knoxville": 32, "": 7})
    result = count(ask("approval", CITIES, seats=1), profile)
    assert result["counts"] == {"memphis": 42, "nashville": 68, "chattanooga": 58, "knoxville": 32}
    assert result["winners"] == ["nashville"]
    assert result["expressed"] == 107  # to approve of nothing is to express oneself


def test_equals_go_by_the_tie_break() -> None:
    result = count(ask("approval", "abc", seats=1), choices({"a c": 2, "b c": 1, "b": 1, "a": 1}))
    assert (result["winners"], result["counts"]["c"]) == (["a"], 3)
    assert steps(result, "tie")[0]["between"] == ["a", "c"]


def test_only_empty_approvals_elect_nobody() -> None:
    assert count(ask("approval", "abc", seats=2), choices({"": 3}))["winners"] == []


@pytest.mark.parametrize(
    "answer, field",
    [({"choices": ["b", "a"]}, "choices"), ({"choices": ["z"]}, "choices"), ({"choices": None}, "choices"),
     ({"choices": ["a", "b", "c", "a"]}, "choices"), ([], None)],
)  # fmt: skip
def test_another_answer_is_refused(answer: Any, field: str | None) -> None:
    assert refused_answer(ask("approval", "abc", seats=1), answer) == field


def test_a_wrong_setting_is_refused() -> None:
    assert refused_question(draft("approval", "abc", seats=3)) == "settings.seats"
