"""Borda: points by rank, shared among equals and among those left out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ballot.methods.asking import ask, count, draft, ranked, rankings, refused_answer, refused_question, steps

CITIES = ("m", "n", "c", "k")
TENNESSEE = {"m > n > c > k": 42, "n > c > k > m": 26, "c > k > n > m": 15, "k > c > n > m": 17}


def test_nashville_wins_tennessee_with_194_points() -> None:
    result = count(ask("borda", CITIES, seats=1), [*rankings(TENNESSEE), ({"blank": True}, 3)])
    assert result["counts"] == {"m": 126, "n": 194, "c": 173, "k": 107}
    assert (result["winners"], result["blank"], result["expressed"]) == (["n"], 3, 100)


def test_equals_share_the_points_of_their_places() -> None:
    result = count(ask("borda", "abcd", seats=1), rankings({"a = b > c > d": 1}))
    assert result["counts"] == {"a": "5/2", "b": "5/2", "c": 1, "d": 0}


def test_those_left_out_share_the_last_places() -> None:
    result = count(ask("borda", "abcd", seats=1), rankings({"b": 1, "c > a": 1}))
    # b 3, others 1 each; then c 3, a 2, and b and d half a point each.
    assert result["counts"] == {"a": 3, "b": "7/2", "c": 4, "d": "3/2"}
    assert result["winners"] == ["c"]


def test_a_tie_goes_by_the_order_then_by_the_lot() -> None:
    profile = rankings({"a > b > c": 1, "b > a > c": 1})
    result = count(ask("borda", "abc", seats=1), profile)
    assert result["winners"] == ["a"] and steps(result, "tie")[0]["between"] == ["a", "b"]
    winners = {count(ask("borda", "abc", f"lot:{seed}", seats=1), profile)["winners"][0] for seed in range(20)}
    assert winners == {"a", "b"}


@pytest.mark.parametrize(
    "answer, field",
    [({"ranking": []}, "ranking"), ({"ranking": [[]]}, "ranking[0]"), ({"ranking": ["a"]}, "ranking[0]"),
     ({"ranking": [["b", "a"]]}, "ranking[0]"), ({"ranking": [["a"], ["a"]]}, "ranking[1]"),
     ({"ranking": [["a"], ["z"]]}, "ranking[1]"), ({"ranking": [["a"]] * 4}, "ranking"),
     ({"ranking": [["a", "a"]]}, "ranking[0]"), ({"ranking": [[["a"]]]}, "ranking[0]"),
     (ranked("a > b = z"), "ranking[1]")],
)  # fmt: skip
@pytest.mark.parametrize("method", ["borda", "schulze", "ranked_pairs"])
def test_another_ranking_is_refused(method: str, answer: Any, field: str) -> None:
    assert refused_answer(ask(method, "abc", seats=1), answer) == field


@pytest.mark.parametrize("method", ["borda", "schulze", "ranked_pairs"])
def test_a_wrong_setting_is_refused(method: str) -> None:
    assert refused_question(draft(method, "abc", seats=3)) == "settings.seats"
    assert refused_question(draft(method, "abc")) == "settings.seats"
    assert refused_question(draft(method, "a", seats=1)) == "options"


def test_an_only_candidate_of_a_file_is_elected_by_any_ballot_and_by_none_not() -> None:
    alone = draft("borda", "a", seats=1)  # no poll has one option; a ballot file may
    assert alone.rule.count(alone, rankings({"a": 2}))["winners"] == ["a"]
    assert alone.rule.count(alone, [({"blank": True}, 2)])["winners"] == []
