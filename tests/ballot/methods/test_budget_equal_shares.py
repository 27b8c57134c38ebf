"""Equal shares: who pays what, completions, exact prices, and the definition tried as it stands."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ballot.methods import shares
from services.ballot.methods.ties import TieBreak
from services.ballot.protocol.questions import Question
from tests.ballot.methods.asking import Json, ask, choices, count, draft, refused_question, steps
from tests.ballot.methods.made import Draw, Profile

# Four people, 40 to spend: 10 each. Three want a and b (20 each) and one of them d (10); the fourth wants c (10).
COSTS = {"a": 20, "b": 20, "c": 10, "d": 10}
FOUR = choices({"a b": 2, "a b d": 1, "c": 1})


def question(completion: str, utility: str = "count", costs: Mapping[str, int] = COSTS, budget: int = 40) -> Question:
    ballot = {"kind": "approval", "least": 1, "most": len(costs)}
    return ask("budget_equal_shares", costs, costs=dict(costs), budget=budget, ballot=ballot, completion=completion,
               utility=utility)  # fmt: skip


def test_a_small_example_by_hand() -> None:
    """a: 20 by three, 20/3 each; they keep 10/3 each, which buys neither b nor d. c: 10 by the fourth, all he has."""
    result = count(question("none"), FOUR)
    assert (result["winners"], result["left"], result["expressed"]) == (["a", "c"], 10, 4)
    assert steps(result, "share") == [{"step": "share", "budget": 40, "people": 4, "share": 10}]
    assert steps(result, "bought") == [
        {"step": "bought", "option": "a", "cost": 20, "price": "20/3", "payers": 3, "left": 20},
        {"step": "bought", "option": "c", "cost": 10, "price": 10, "payers": 1, "left": 10},
    ]
    assert steps(result, "tie")[0] == {
        "step": "tie", "for": "project", "between": ["a", "b"], "chosen": ["a"], "by": "order"
    }  # fmt: skip


def test_by_cost_all_cost_the_same_for_each_unit_and_more_supporters_come_first() -> None:
    result = count(question("none", "cost"), FOUR)
    assert [step["price"] for step in steps(result, "bought")] == ["1/3", 1]


def test_the_utilitarian_completion_spends_the_rest_by_votes() -> None:
    result = count(question("utilitarian"), FOUR)
    assert (result["winners"], result["left"]) == (["a", "c", "d"], 0)
    assert [(s["option"], s["funded"]) for s in steps(result, "project")] == [("b", False), ("d", True)]


def test_add1_raises_the_share_until_nothing_more_can_be_paid_or_too_much_would_be() -> None:
    """d is bought when one of three has 20/3 + 10: at 17, raised by 7. But b is bought from 40/3 on: at 14, a, b and c
    cost 50, more than there is. So the share stays at 13, with a and c; the rest buys d by votes."""
    result = count(question("add1"), FOUR)
    assert steps(result, "raised") == [{"step": "raised", "by": 3, "share": 13}]
    assert (result["winners"], result["left"]) == (["a", "c"], 10)
    assert count(question("add1_utilitarian"), FOUR)["winners"] == ["a", "c", "d"]


def test_add1_stops_when_the_money_is_used_up() -> None:
    """Two people, 10 each; the one wants a of 12, the other b of 8: at 12, raised by 2, all is bought."""
    result = count(question("add1", costs={"a": 12, "b": 8}, budget=20), choices({"a": 1, "b": 1}))
    assert (steps(result, "raised")[0]["by"], sorted(result["winners"]), result["left"]) == (2, ["a", "b"], 0)


def test_what_costs_nothing_is_had_for_nothing_if_somebody_wants_it() -> None:
    result = count(question("none", costs={"a": 0, "b": 0, "c": 5}, budget=5), choices({"a c": 1}))
    assert (result["winners"], result["left"]) == (["a", "c"], 0)


def test_the_poor_give_all_and_the_others_more() -> None:
    """12 for three, 4 each. The first pays 2 of a (cost 2 alone), so has 2 of the 9 for b, and the others 3.5 each."""
    profile = choices({"a b": 1, "b": 2})
    result = count(question("none", "cost", {"a": 2, "b": 9}, 12), profile)
    assert [step["option"] for step in steps(result, "bought")] == ["b"]  # 1/3 for b, 1 for a
    result = count(question("none", "count", {"a": 2, "b": 9}, 12), profile)
    assert [(step["option"], step["price"]) for step in steps(result, "bought")] == [("a", 2), ("b", "7/2")]


def test_points_are_utilities() -> None:
    """10 each. By count, a: 6 for 2 + 1 points, 2 a point: 4 and 2. Then b: 4 for 3 points of the second, 4/3."""
    costs = {"a": 6, "b": 4}
    asked = ask("budget_equal_shares", "ab", costs=costs, budget=20, completion="none", utility="count",
                ballot={"kind": "points", "points": 5, "most": 5})  # fmt: skip
    result = count(asked, [({"points": {"a": 2}}, 1), ({"points": {"a": 1, "b": 3}}, 1)])
    assert [(step["option"], step["price"]) for step in steps(result, "bought")] == [("b", "4/3"), ("a", 2)]


def test_large_costs_and_points_are_counted_exactly() -> None:
    """Points × cost × people far beyond 64 bits."""
    large = 2**52 - 1
    costs = {"a": large, "b": large - 2}
    asked = ask("budget_equal_shares", "ab", costs=costs, budget=2 * large, completion="none", utility="cost",
                ballot={"kind": "points", "points": 10_000, "most": 10_000})  # fmt: skip
    result = count(asked, [({"points": {"a": 10_000}}, 10**6), ({"points": {"b": 10_000}}, 10**6)])
    assert [step["price"] for step in steps(result, "bought")] == ["1/10000000000"] * 2
    assert (result["winners"], result["left"]) == (["a", "b"], 2)


def test_a_small_poll_with_a_large_budget_is_raised_in_no_time() -> None:
    """One cent at a time, sixty people and ten million euros would take a million of runs."""
    chance = random.Random(3)
    costs = {name: chance.randint(10**7, 4 * 10**8) for name in "abcdefghij"}
    profile = choices({" ".join(sorted(chance.sample("abcdefghij", 3))): chance.randint(1, 3) for _ in range(25)})
    began = time.monotonic()
    result = count(question("add1", "count", costs, 10**9), profile)
    assert steps(result, "raised")[0]["by"] > 10**5
    assert time.monotonic() - began < 20


MADE = st.tuples(st.integers(0, 2**32), st.integers(1, 7), st.integers(1, 10))


@settings(max_examples=400, deadline=None)
@given(MADE, st.booleans())
def test_the_definition_tried_as_it_stands_buys_the_same(size: tuple[int, int, int], large: bool) -> None:
    seed, options, ballots = size
    draw = Draw(random.Random(seed))
    asked = draw.question("budget_equal_shares", options, tie="order")
    profile = draw.profile(asked, ballots)
    if large:  # floats cannot tell these apart
        asked.settings["costs"].update({name: 10**15 + cost for name, cost in asked.settings["costs"].items() if cost})
        asked.settings["budget"] *= 10**14
    asked.settings["completion"] = "none"
    assert count(asked, profile)["winners"] == plainly(asked, profile, _share(asked, profile))


@settings(max_examples=300, deadline=None)
@given(MADE)
def test_a_share_is_raised_as_far_as_one_unit_at_a_time_would(size: tuple[int, int, int]) -> None:
    seed, options, ballots = size
    draw = Draw(random.Random(seed))
    asked = draw.question("budget_equal_shares", options, tie="order")
    asked.settings["completion"] = "add1"
    profile = draw.profile(asked, ballots)
    share, costs = _share(asked, profile), asked.settings["costs"]
    result = count(asked, profile)
    before, raised = list[str](), 0
    while share:
        bought = plainly(asked, profile, share + raised)
        left = asked.settings["budget"] - sum(costs[name] for name in bought)
        if left < 0:
            break
        before, wanted = bought, [name for name, votes in result["counts"].items() if votes and name not in bought]
        if all(costs[name] > left for name in wanted):
            break
        raised += 1
    assert result["winners"] == before


def _share(asked: Question, profile: Profile) -> Fraction:
    people = sum(times for answer, times in profile if "blank" not in answer)
    return Fraction(asked.settings["budget"], people) if people else Fraction(0)


def plainly(asked: Question, profile: Profile, share: Fraction) -> list[str]:
    """Every price of every project after every purchase, in fractions."""
    costs, by_cost = asked.settings["costs"], asked.settings["utility"] == "cost"
    people = [(dict(answer.get("points") or dict.fromkeys(answer.get("choices", ()), 1)), times)
              for answer, times in profile if "blank" not in answer]  # fmt: skip
    wanted = [name for name in costs if any(name in marks for marks, _ in people)]
    money, bought = [share] * len(people), [name for name in wanted if costs[name] == 0]
    while True:
        found: dict[str, Fraction] = {}
        for name in wanted:
            users = [(i, marks[name] * (costs[name] if by_cost else 1), times)
                     for i, (marks, times) in enumerate(people) if name in marks]  # fmt: skip
            if name not in bought and sum(money[i] * times for i, _, times in users) >= costs[name]:
                found[name] = _price(costs[name], [(money[i], utility, times) for i, utility, times in users])
        if not found:
            return bought
        best = min(found, key=lambda name: (found[name], [option.id for option in asked.options].index(name)))
        bought.append(best)
        for i, (marks, _) in enumerate(people):
            if best in marks:
                money[i] -= min(money[i], found[best] * marks[best] * (costs[best] if by_cost else 1))


def _price(cost: int, users: list[tuple[Fraction, int, int]]) -> Fraction:
    poor: list[tuple[Fraction, int, int]] = []
    while True:
        rich = [user for user in users if user not in poor]
        price = (cost - sum(money * times for money, _, times in poor)) / Fraction(sum(u * t for _, u, t in rich))
        more = [user for user in rich if user[0] < price * user[1]]
        if not more:
            return price
        poor += more


def test_brackets_hold_where_floats_cannot_tell() -> None:
    """Two projects whose prices differ beyond the sixteenth digit: the cheaper one is bought, whatever the order."""
    for names in ("ab", "ba"):
        costs = {"a": 10**15, "b": 10**15 - 1}
        ballots = [({"a": 1, "b": 1}, 10**6)] + [({"a": 1}, 1), ({"b": 1}, 1)]
        wanted = shares.demands(ballots, {name: costs[name] for name in names})
        bought = shares.run(wanted, 3, Fraction(10**15), TieBreak(names, "order"))
        assert bought[0].option == "b" and bought[0].price == Fraction(10**15 - 1, 10**6 + 1)


@pytest.mark.parametrize("change, field", [({"completion": "add2"}, "settings.completion"),
                                           ({"completion": None}, "settings.completion"),
                                           ({"utility": "votes"}, "settings.utility")])  # fmt: skip
def test_a_wrong_setting_is_refused(change: Json, field: str) -> None:
    right: dict[str, Any] = {"budget": 3, "costs": {"a": 1}, "ballot": {"kind": "approval", "least": 1, "most": 1},
                             "completion": "none", "utility": "cost"}  # fmt: skip
    assert refused_question(draft("budget_equal_shares", "a", **right | change)) == field
