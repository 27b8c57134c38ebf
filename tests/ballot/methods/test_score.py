"""Score: notes on a scale, the highest total wins."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ballot.methods.asking import ask, count, draft, refused_answer, refused_question, steps

QUESTION = ask("score", "abc", least=-2, most=3, seats=1)


def scores(**given: int) -> dict[str, Any]:
    return {"scores": given}


def test_tennessee_by_notes_from_0_to_10() -> None:
    """Notes by nearness, as the usual example has them: Nashville wins with 42·4 + 26·10 + 15·2 + 17·1."""
    cities = ("memphis", "nashville", "chattanooga", "knoxville")
    notes = {42: (10, 4, 2, 0), 26: (0, 10, 4, 2), 15: (0, 6, 10, 6), 17: (0, 5, 7, 10)}
    profile = [({"scores": dict(zip(cities, given, strict=True))}, times) for times, given in notes.items()]
    result = count(ask("score", cities, least=0, most=10, seats=1), profile)
    assert result["counts"] == {"memphis": 420, "nashville": 603, "chattanooga": 457, "knoxville": 312}
    assert result["winners"] == ["nashville"]


def test_an_option_without_a_note_counts_as_the_lowest() -> None:
    result = count(QUESTION, [(scores(a=1), 2), (scores(b=3, c=-2), 1), ({"blank": True}, 4)])
    # Above −2: a 3 + 3 + 0, b 0 + 0 + 5, c 0.
    assert (result["counts"], result["winners"]) == ({"a": 6, "b": 5, "c": 0}, ["a"])


def test_equals_go_by_the_tie_break() -> None:
    result = count(QUESTION, [(scores(c=3, b=-1), 1), (scores(b=2), 1)])
    assert (result["counts"], result["winners"]) == ({"a": 0, "b": 5, "c": 5}, ["b"])
    assert steps(result, "tie")[0]["between"] == ["b", "c"]


@pytest.mark.parametrize(
    "answer, field",
    [(scores(a=4), "scores.a"), (scores(a=-3), "scores.a"), ({"scores": {"a": 1.0}}, "scores.a"),
     ({"scores": {"a": True}}, "scores.a"), ({"scores": {"z": 1}}, "scores.z"), ({"scores": {}}, "scores"),
     ({"scores": []}, "scores"), ({"points": {"a": 1}}, "points")],
)  # fmt: skip
def test_another_answer_is_refused(answer: Any, field: str) -> None:
    assert refused_answer(QUESTION, answer) == field


@pytest.mark.parametrize(
    "change, field",
    [({"least": -101}, "settings.least"), ({"most": 101}, "settings.most"), ({"most": -2}, "settings.most"),
     ({"seats": 0}, "settings.seats"), ({"most": True}, "settings.most")],
)  # fmt: skip
def test_a_wrong_setting_is_refused(change: dict[str, Any], field: str) -> None:
    assert refused_question(draft("score", "abc", **{"least": -2, "most": 3, "seats": 1} | change)) == field
