"""One choice among several: who has most, and how equals are told apart by order or lot."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from tests.ballot.methods.asking import Json, ask, count, draft, refused_answer, refused_question, steps

CITIES = ("memphis", "nashville", "chattanooga", "knoxville")
TENNESSEE = dict(zip(CITIES, (42, 26, 15, 17), strict=True))


def votes(found: dict[str, int]) -> list[tuple[Json, int]]:
    return [({"choice": option}, times) for option, times in found.items()]


def test_the_most_votes_win_without_a_majority() -> None:
    result = count(ask("single_choice", CITIES, seats=1), votes(TENNESSEE) + [({"blank": True}, 500)])
    assert result["winners"] == ["memphis"]
    assert (result["counts"], result["blank"], result["expressed"]) == (TENNESSEE, 500, 100)
    assert [step["step"] for step in result["steps"]] == ["counted", "elected"]


def test_seats_go_from_the_top() -> None:
    assert count(ask("single_choice", CITIES, seats=3), votes(TENNESSEE))["winners"] == [
        *("memphis", "nashville", "knoxville")
    ]


def test_nobody_without_a_vote_is_elected() -> None:
    assert count(ask("single_choice", "abc", seats=2), votes({"b": 3}))["winners"] == ["b"]


def test_a_tie_goes_by_the_order_of_the_question_and_is_told() -> None:
    result = count(ask("single_choice", "abcd", seats=2), votes({"d": 4, "c": 4, "b": 9, "a": 4}))
    assert result["winners"] == ["b", "a"]
    assert steps(result, "tie") == [
        {"step": "tie", "for": "seat", "between": ["a", "c", "d"], "chosen": ["a"], "by": "order"}
    ]


@pytest.mark.parametrize("seed", ["2026", "tirage-1", "tirage-2", "a"])
def test_a_lot_is_drawn_as_the_protocol_says(seed: str) -> None:
    """SHA-256 of `parvis/lot/v1`, the seed and the option's id, a line each: the smallest goes first."""
    drawn = sorted("abcd", key=lambda o: sha256(b"parvis/lot/v1\n" + seed.encode() + b"\n" + o.encode()).hexdigest())
    result = count(ask("single_choice", "abcd", f"lot:{seed}", seats=2), votes(dict.fromkeys("abcd", 1)))
    assert result["winners"] == drawn[:2]
    assert steps(result, "tie") == [
        {"step": "tie", "for": "seat", "between": drawn, "chosen": drawn[:2], "by": f"lot:{seed}"}
    ]


def test_equals_who_are_all_elected_are_no_tie() -> None:
    assert not steps(count(ask("single_choice", "abc", seats=2), votes({"a": 3, "b": 3, "c": 1})), "tie")


@pytest.mark.parametrize(
    "answer, field",
    [(None, None), ({}, None), ({"choice": "z"}, "choice"), ({"choice": ["a"]}, "choice"),
     ({"choices": ["a"]}, "choices"),
     ({"choice": "a", "choices": []}, None), ({"blank": 1}, "blank"), ({"blank": True, "choice": "a"}, None)],
)  # fmt: skip
def test_another_answer_is_refused(answer: Any, field: str | None) -> None:
    assert refused_answer(ask("single_choice", "abc", seats=1), answer) == field


@pytest.mark.parametrize("seats", [0, 3, 4, -1, True, "1", None, 1.0])
def test_seats_are_fewer_than_options(seats: Any) -> None:
    assert refused_question(draft("single_choice", "abc", seats=seats)) == "settings.seats"


def test_there_are_two_options_at_least() -> None:
    assert refused_question(draft("single_choice", "a", seats=1)) == "options"
    assert refused_question(draft("single_choice", "ab")) == "settings.seats"
    assert refused_question(draft("single_choice", "ab", seats=1, colour=2)) == "settings.colour"
