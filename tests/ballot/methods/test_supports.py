"""Supports to proposals: a threshold, no seats."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ballot.methods.asking import ask, choices, count, draft, refused_answer, refused_question, steps


def test_every_proposal_that_reaches_the_threshold_is_retained_most_supports_first() -> None:
    result = count(ask("supports", "abcd", threshold=5), choices({"a b": 4, "b c": 5, "d": 6}))
    assert result["counts"] == {"a": 4, "b": 9, "c": 5, "d": 6}
    assert result["winners"] == ["b", "d", "c"]
    assert steps(result, "threshold") == [{"step": "threshold", "threshold": 5, "options": ["b", "d", "c"]}]


def test_equals_are_all_retained_in_the_order_of_the_tie_break() -> None:
    result = count(ask("supports", "abc", threshold=2), choices({"a b c": 2}))
    assert result["winners"] == ["a", "b", "c"] and not steps(result, "tie")
    drawn = count(ask("supports", "abc", "lot:1", threshold=2), choices({"a b c": 2}))["winners"]
    assert sorted(drawn) == ["a", "b", "c"]
    assert drawn == count(ask("supports", "cba", "lot:1", threshold=2), choices({"c b a": 2}))["winners"]


def test_one_proposal_alone_can_be_put() -> None:
    assert count(ask("supports", "a", threshold=10), choices({"a": 9}))["winners"] == []
    assert count(ask("supports", "a", threshold=10), choices({"a": 10}))["winners"] == ["a"]


@pytest.mark.parametrize("answer", [{"choices": []}, {"choices": ["b", "a"]}, {"choices": ["a", "a"]}])
def test_another_answer_is_refused(answer: Any) -> None:
    assert refused_answer(ask("supports", "abc", threshold=1), answer) == "choices"


@pytest.mark.parametrize("threshold", [0, -1, None, "3", 2**53])
def test_the_threshold_is_a_number_of_people(threshold: Any) -> None:
    assert refused_question(draft("supports", "abc", threshold=threshold)) == "settings.threshold"
    assert refused_question(draft("supports", "", threshold=1)) == "options"
