"""Greedy budgets: from the most votes down, as long as the money lasts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ballot.methods.asking import ask, choices, count, draft, refused_answer, refused_question, steps

APPROVAL = {"kind": "approval", "least": 1, "most": 2}
POINTS = {"kind": "points", "points": 5, "most": 3}
METHODS = {"budget_greedy": {}, "budget_equal_shares": {"completion": "none", "utility": "cost"}}


def question(costs: dict[str, int], budget: int, ballot: dict[str, Any] = APPROVAL, tie: str = "order") -> Any:
    return ask("budget_greedy", costs, tie, costs=costs, budget=budget, ballot=ballot)


def test_a_project_too_dear_is_passed_over() -> None:
    result = count(question({"parc": 60, "banc": 50, "quai": 40, "rue": 5}, 100),
                   [*choices({"parc banc": 5, "parc quai": 2, "banc": 1}), ({"blank": True}, 3)])  # fmt: skip
    assert result["counts"] == {"parc": 7, "banc": 6, "quai": 2, "rue": 0}
    assert (result["winners"], result["left"], result["blank"]) == (["parc", "quai"], 0, 3)
    assert [(s["option"], s["funded"], s["left"]) for s in steps(result, "project")] == [
        *(("parc", True, 40), ("banc", False, 40), ("quai", True, 0))
    ]  # nobody wants the street, so it is not looked at


def test_points_count_as_votes() -> None:
    profile = [({"points": {"a": 3, "b": 2}}, 2), ({"points": {"c": 3}}, 3)]
    result = count(question({"a": 10, "b": 10, "c": 10}, 20, POINTS), profile)
    assert (result["counts"], result["winners"]) == ({"a": 6, "b": 4, "c": 9}, ["c", "a"])


def test_equals_of_which_one_is_too_dear_then_go_by_the_order_and_it_is_told() -> None:
    profile = choices({"a b": 1, "c": 1})
    result = count(question({"b": 10, "a": 10, "c": 10}, 20), [({"choices": ["b", "a"]}, 1), ({"choices": ["c"]}, 1)])
    assert result["winners"] == ["b", "a"]
    assert steps(result, "tie") == [
        {"step": "tie", "for": "project", "between": ["b", "a", "c"], "chosen": ["b", "a"], "by": "order"}
    ]
    found = {
        frozenset(count(question({"a": 10, "b": 10, "c": 10}, 20, tie=f"lot:{n}"), profile)["winners"])
        for n in range(40)
    }
    assert found == {frozenset("ab"), frozenset("ac"), frozenset("bc")}


def test_what_costs_nothing_is_funded_if_somebody_wants_it() -> None:
    result = count(question({"a": 0, "b": 0, "c": 7}, 5), choices({"a c": 1}))
    assert (result["winners"], result["left"]) == (["a"], 5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "ballot, answer, field",
    [(APPROVAL, {"choices": []}, "choices"), (APPROVAL, {"choices": ["a", "b", "c"]}, "choices"),
     (APPROVAL, {"points": {"a": 1}}, "points"), (APPROVAL, {"choices": ["z"]}, "choices"),
     (POINTS, {"points": {"a": 4}}, "points.a"), (POINTS, {"points": {"a": 3, "b": 3}}, "points"),
     (POINTS, {"choices": ["a"]}, "choices"), (POINTS, {"points": {"a": 0}}, "points.a")],
)  # fmt: skip
def test_another_answer_is_refused(method: str, ballot: Any, answer: Any, field: str) -> None:
    costs = {"a": 1, "b": 1, "c": 1}
    found = ask(method, costs, costs=costs, budget=2, ballot=ballot, **METHODS[method])
    assert refused_answer(found, answer) == field


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "change, field",
    [({"budget": 0}, "settings.budget"), ({"budget": 1.5}, "settings.budget"),
     ({"costs": {"a": 1}}, "settings.costs.b"),
     ({"costs": {"a": 1, "b": -1}}, "settings.costs.b"), ({"costs": {"a": 1, "b": 1, "z": 1}}, "settings.costs.z"),
     ({"costs": []}, "settings.costs"), ({"ballot": {}}, "settings.ballot.kind"),
     ({"ballot": 3}, "settings.ballot.kind"),
     ({"ballot": {"kind": "points", "points": 3}}, "settings.ballot.most"),
     ({"ballot": {"kind": "points", "points": 3, "most": 4}}, "settings.ballot.most"),
     ({"ballot": {"kind": "approval", "least": 3, "most": 2}}, "settings.ballot.least"),
     ({"ballot": {"kind": "approval", "least": 1, "most": 3}}, "settings.ballot.most"),
     ({"ballot": {"kind": "approval", "least": 1, "most": 2, "points": 3}}, "settings.ballot.points")],
)  # fmt: skip
def test_a_wrong_setting_is_refused(method: str, change: dict[str, Any], field: str) -> None:
    right = {"budget": 3, "costs": {"a": 1, "b": 2}, "ballot": APPROVAL, **METHODS[method]}
    assert refused_question(draft(method, "ab", **right | change)) == field
