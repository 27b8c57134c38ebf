"""Ranked pairs: the clearest duels first; what would close a circle is left out."""

from __future__ import annotations

from tests.ballot.methods.asking import Json, ask, count, rankings, steps

TENNESSEE = {"m > n > c > k": 42, "n > c > k > m": 26, "c > k > n > m": 15, "k > c > n > m": 17}


def duels(result: Json) -> list[tuple[str, int, bool]]:
    return [(step["winner"] + step["loser"], step["votes"], step["locked"]) for step in steps(result, "duel")]


def test_tennessee() -> None:
    result = count(ask("ranked_pairs", "mnck", seats=1), rankings(TENNESSEE))
    assert result["ranking"] == [["n"], ["c"], ["k"], ["m"]] and result["winners"] == ["n"]
    assert steps(result, "duels")[0]["condorcet_winner"] == "n"
    # n and c, n and k: 68 to 32; the three of the east each beat Memphis 58 to 42; c beats k 83 to 17.
    assert duels(result) == [("ck", 83, True), *((two, 68, True) for two in ("nc", "nk")),
                             *((two, 58, True) for two in ("nm", "cm", "km"))]  # fmt: skip


def test_the_weakest_duel_of_a_circle_is_not_locked() -> None:
    """b beats c 12 to 4, a beats b 11 to 5, c beats a 9 to 7."""
    result = count(ask("ranked_pairs", "abc", seats=2), rankings({"a > b > c": 7, "b > c > a": 5, "c > a > b": 4}))
    assert duels(result) == [("bc", 12, True), ("ab", 11, True), ("ca", 9, False)]
    assert result["winners"] == ["a", "b"] and not steps(result, "tie")


def test_of_equal_winning_votes_fewer_votes_against_go_first() -> None:
    """b beats c 5 to 4; a beats b 4 to 3 and c beats a 4 to 2, so that c and a are locked, though a stands first."""
    result = count(ask("ranked_pairs", "abc", seats=1), rankings({"c > a > b": 4, "a = b > c": 2, "b > a = c": 3}))
    assert duels(result) == [("bc", 5, True), ("ca", 4, True), ("ab", 4, False)]
    assert result["winners"] == ["b"] and not steps(result, "tie")


def test_equal_duels_go_by_the_order_and_the_tie_that_decided_is_told() -> None:
    circle = rankings({"a > b > c": 1, "b > c > a": 1, "c > a > b": 1})
    result = count(ask("ranked_pairs", "bca", seats=1), circle)
    # In the order of the question: b before c, c before a are locked; a before b would close the circle.
    assert duels(result) == [("bc", 2, True), ("ca", 2, True), ("ab", 2, False)]
    assert result["winners"] == ["b"]
    [tie] = steps(result, "tie")
    assert (tie["for"], tie["by"], tie["between"]) == ("duel", "order", [["b", "c"], ["c", "a"], ["a", "b"]])
    winners = {count(ask("ranked_pairs", "abc", f"lot:{seed}", seats=1), circle)["winners"][0] for seed in range(30)}
    assert winners == {"a", "b", "c"}


def test_who_nobody_stands_before_are_equals() -> None:
    result = count(ask("ranked_pairs", "abc", seats=1), rankings({"a > c > b": 1, "c > a > b": 1}))
    assert result["ranking"] == [["a", "c"], ["b"]] and result["winners"] == ["a"]
    assert steps(result, "tie")[0]["for"] == "seat"
