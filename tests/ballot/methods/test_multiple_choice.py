"""Several choices: how many may be marked, who is elected."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ballot.methods.asking import ask, choices, count, draft, refused_answer, refused_question, steps

QUESTION = ask("multiple_choice", "abcde", least=2, most=3, seats=2)


def test_the_most_marked_are_elected() -> None:
    # a: 4 + 2 = 6, b: 4 + 3 = 7, c: 3 + 2 = 5, d: 2, e: 3.
    result = count(QUESTION, [*choices({"a b": 4, "b c e": 3, "a c d": 2}), ({"blank": True}, 9)])
    assert result["winners"] == ["b", "a"]
    assert result["counts"] == {"a": 6, "b": 7, "c": 5, "d": 2, "e": 3}
    assert (result["expressed"], result["blank"]) == (9, 9)


def test_the_last_seat_of_equals_goes_by_the_order_then_by_the_lot() -> None:
    profile = choices({"a b": 2, "b c": 2, "d e": 1})
    assert count(QUESTION, profile)["winners"] == ["b", "a"]
    drawn = count(ask("multiple_choice", "abcde", "lot:7", least=2, most=3, seats=2), profile)
    [tie] = steps(drawn, "tie")
    assert drawn["winners"] == ["b", *tie["chosen"]] and sorted(tie["between"]) == ["a", "c"]
    assert (tie["chosen"], tie["by"]) == (tie["between"][:1], "lot:7")


@pytest.mark.parametrize(
    "answer, field",
    [({"choices": ["a"]}, "choices"), ({"choices": ["a", "b", "c", "d"]}, "choices"),
     ({"choices": ["b", "a"]}, "choices"),
     ({"choices": ["a", "a"]}, "choices"), ({"choices": ["a", "z"]}, "choices"), ({"choices": "ab"}, "choices"),
     ({"choices": ["a", None]}, "choices"), ({"choices": ["a", ["b"]]}, "choices"), ({"choice": "a"}, "choice"),
     ({"choices": {}}, "choices")],
)  # fmt: skip
def test_another_answer_is_refused(answer: Any, field: str) -> None:
    assert refused_answer(QUESTION, answer) == field


@pytest.mark.parametrize(
    "change, field",
    [({"least": 0}, "settings.least"), ({"least": 4}, "settings.least"), ({"most": 6}, "settings.most"),
     ({"most": 0}, "settings.most"), ({"seats": 5}, "settings.seats"), ({"least": None}, "settings.least")],
)  # fmt: skip
def test_a_wrong_setting_is_refused(change: dict[str, Any], field: str) -> None:
    assert refused_question(draft("multiple_choice", "abcde", **{"least": 2, "most": 3, "seats": 2} | change)) == field
