"""Schulze: the strongest paths, by winning votes."""

from __future__ import annotations

from tests.ballot.methods.asking import ask, count, rankings, steps

# The example of Schulze's own paper (section 3.1): 45 voters, E before A before C before B before D.
FORTY_FIVE = {
    "a > c > b > e > d": 5, "a > d > e > c > b": 5, "b > e > d > a > c": 8, "c > a > b > e > d": 3,
    "c > a > e > b > d": 7, "c > b > a > d > e": 2, "d > c > e > b > a": 7, "e > b > a > d > c": 8,
}  # fmt: skip
PATHS = {
    "a": {"b": 28, "c": 28, "d": 30, "e": 24}, "b": {"a": 25, "c": 28, "d": 33, "e": 24},
    "c": {"a": 25, "b": 29, "d": 29, "e": 24}, "d": {"a": 25, "b": 28, "c": 28, "e": 24},
    "e": {"a": 25, "b": 28, "c": 28, "d": 31},
}  # fmt: skip


def test_the_example_of_forty_five_voters() -> None:
    result = count(ask("schulze", "abcde", seats=2), [*rankings(FORTY_FIVE), ({"blank": True}, 1)])
    assert result["ranking"] == [["e"], ["a"], ["c"], ["b"], ["d"]]
    assert result["winners"] == ["e", "a"]
    [duels], [paths] = steps(result, "duels"), steps(result, "paths")
    assert duels["duels"]["a"] == {"b": 20, "c": 26, "d": 30, "e": 22} and duels["condorcet_winner"] is None
    assert paths["paths"] == PATHS
    assert not steps(result, "tie")


def test_those_left_out_stand_together_below() -> None:
    result = count(ask("schulze", "abcd", seats=1), rankings({"c": 2, "a = b": 1}))
    assert steps(result, "duels")[0]["duels"]["c"] == {"a": 2, "b": 2, "d": 2}
    assert steps(result, "duels")[0]["duels"]["a"] == {"b": 0, "c": 1, "d": 1}
    assert result["ranking"] == [["c"], ["a", "b"], ["d"]]


def test_strength_is_winning_votes_and_not_margins() -> None:
    """a beats b 5 to 4, b beats c 4 to 2, c beats a 6 to 3: by margins the duel of a and b would be the weakest, and b
    would win; by winning votes it is that of b and c."""
    result = count(ask("schulze", "abc", seats=1), rankings({"b > c > a": 4, "a > b = c": 3, "c > a > b": 2}))
    assert steps(result, "duels")[0]["duels"] == {"a": {"b": 5, "c": 3}, "b": {"a": 4, "c": 4}, "c": {"a": 6, "b": 2}}
    assert steps(result, "paths")[0]["paths"] == {"a": {"b": 5, "c": 4}, "b": {"a": 4, "c": 4}, "c": {"a": 6, "b": 5}}
    assert result["ranking"] == [["c"], ["a"], ["b"]] and result["winners"] == ["c"]


def test_a_circle_of_equals_goes_by_the_order_then_by_the_lot() -> None:
    circle = rankings({"a > b > c": 1, "b > c > a": 1, "c > a > b": 1})
    result = count(ask("schulze", "bca", seats=1), circle)
    assert result["ranking"] == [["b", "c", "a"]] and result["winners"] == ["b"]
    assert steps(result, "tie") == [
        {"step": "tie", "for": "seat", "between": ["b", "c", "a"], "chosen": ["b"], "by": "order"}
    ]
    winners = {count(ask("schulze", "abc", f"lot:{seed}", seats=1), circle)["winners"][0] for seed in range(30)}
    assert winners == {"a", "b", "c"}
