"""Cumulative points: shared among options, the most win."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ballot.methods.asking import ask, count, draft, refused_answer, refused_question, steps

QUESTION = ask("cumulative", "abcd", points=5, most=3, seats=2)


def points(**given: int) -> dict[str, Any]:
    return {"points": given}


def test_a_minority_that_gathers_its_points_gets_a_seat() -> None:
    """60 share their five points on two options, 40 put three on one: Dodgson's case for cumulative votes."""
    result = count(QUESTION, [(points(a=3, b=2), 60), (points(c=3), 45), ({"blank": True}, 2)])
    assert result["counts"] == {"a": 180, "b": 120, "c": 135, "d": 0}
    assert (result["winners"], result["blank"], result["expressed"]) == (["a", "c"], 2, 105)


def test_points_may_be_kept_and_equals_go_by_the_tie_break() -> None:
    result = count(QUESTION, [(points(a=1), 2), (points(d=2), 1), (points(b=2), 1)])
    assert result["winners"] == ["a", "b"]
    [tie] = steps(result, "tie")
    assert (tie["between"], tie["chosen"]) == (["a", "b", "d"], ["a", "b"])


@pytest.mark.parametrize(
    "answer, field",
    [(points(a=4), "points.a"), (points(a=0), "points.a"), (points(a=3, b=3), "points"), (points(), "points"),
     (points(z=1), "points.z"), ({"points": {"a": "1"}}, "points.a"), ({"points": 3}, "points")],
)  # fmt: skip
def test_another_answer_is_refused(answer: Any, field: str) -> None:
    assert refused_answer(QUESTION, answer) == field


@pytest.mark.parametrize(
    "change, field",
    [({"points": 0}, "settings.points"), ({"points": 10_001}, "settings.points"), ({"most": 6}, "settings.most"),
     ({"most": 0}, "settings.most"), ({"seats": 4}, "settings.seats")],
)  # fmt: skip
def test_a_wrong_setting_is_refused(change: dict[str, Any], field: str) -> None:
    assert refused_question(draft("cumulative", "abcd", **{"points": 5, "most": 3, "seats": 2} | change)) == field
