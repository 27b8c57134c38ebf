"""Participatory budget by the method of equal shares: everybody gets the same money, and projects are bought by those
who want them.

The voter approves projects or shares points. The budget is divided equally among those who expressed themselves. Again
and again, the project with the lowest price per unit of utility is bought: each of its supporters pays price × utility,
or all that they have left. `utility` is `cost` (a project is worth its cost; with points, points × cost) or `count`
(1 for each project, or the points). Money left is spent by the `completion`: `none`; `utilitarian` (greedy, most votes
first); `add1` (everybody's share grows by 1 as long as the whole outcome stays within the budget; the last such
outcome stands); `add1_utilitarian` (both). Tie: by the question's tie-break. Source: Peters and Skowron (2020); Peters,
Pierczyński and Skowron, *Proportional participatory budgeting with additive utilities* (2021).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from services.ballot.methods import shares
from services.ballot.methods.budget import Budget, fund_most, given
from services.ballot.methods.method import Json, Profile, Question, WrongQuestion, ids, is_blank
from services.ballot.methods.numbers import exact
from services.ballot.methods.raising import raise_shares
from services.ballot.methods.shares import Demand, Purchase
from services.ballot.methods.ties import TieBreak
from services.ballot.protocol.fields import Fields

COMPLETIONS: Final = ("none", "utilitarian", "add1", "add1_utilitarian")
UTILITIES: Final = ("cost", "count")


class BudgetEqualShares(Budget):
    name = "budget_equal_shares"
    settings = ("budget", "costs", "ballot", "completion", "utility")

    def check_settings(self, question: Question, settings: Fields) -> None:
        super().check_settings(question, settings)
        for name, known in (("completion", COMPLETIONS), ("utility", UTILITIES)):
            if settings.raw(name) not in known:
                raise WrongQuestion(f"must be one of {', '.join(known)}", field=f"settings.{name}")

    def count(self, question: Question, profile: Profile) -> Json:
        says = question.settings
        money, costs, completion = says["budget"], says["costs"], says["completion"]
        sums = self.sums(question, profile)
        head: Json = {**sums, "budget": money}
        steps: list[Json] = [{"step": "counted", **sums}]
        tie = TieBreak.of(question, steps)
        if not sums["expressed"]:
            return {"winners": [], **head, "left": money, "steps": steps}
        free, wanted, voters = _wanted(profile, costs, says["utility"])
        share = Fraction(money, sums["expressed"])
        steps.append({"step": "share", "budget": money, "people": sums["expressed"], "share": exact(share)})
        if completion.startswith("add1"):
            raised = raise_shares(wanted, voters, share, costs, money, tie)
            steps.append({"step": "raised", "by": raised, "share": exact(share + raised)})
            share += raised
        bought = shares.run(wanted, voters, share, tie)
        winners = free + [purchase.option for purchase in bought]
        left = money - sum(costs[option] for option in winners)
        steps += _told(free, bought, costs, money)
        if completion.endswith("utilitarian"):
            rest = [option for option in ids(question) if option not in winners]
            more, told, left = fund_most(rest, sums["counts"], costs, left, tie)
            steps += [{"step": "completion", "by": "utilitarian"}, *told]
            winners = winners + more
        return {"winners": winners, **head, "left": left, "steps": steps}


def _wanted(profile: Profile, costs: Mapping[str, int], utility: str) -> tuple[list[str], list[Demand], int]:
    """Projects that cost nothing and that someone wants; the demand for the others; how many distinct ballots."""
    ballots = [(dict(given(answer)), times) for answer, times in profile if not is_blank(answer)]
    free = [o for o, cost in costs.items() if cost == 0 and any(o in marked for marked, _ in ballots)]
    priced = {option: cost for option, cost in costs.items() if cost}
    worth = [
        ({o: v * (priced[o] if utility == "cost" else 1) for o, v in marked.items() if o in priced}, times)
        for marked, times in ballots
    ]
    return free, shares.demands(worth, priced), len(worth)


def _told(free: list[str], bought: Sequence[Purchase], costs: Mapping[str, int], money: int) -> list[Json]:
    told: list[Json] = [
        {"step": "bought", "option": o, "cost": 0, "price": 0, "payers": 0, "left": money} for o in free
    ]
    for purchase in bought:
        money -= costs[purchase.option]
        told.append(
            {
                "step": "bought",
                "option": purchase.option,
                "cost": costs[purchase.option],
                "price": exact(purchase.price),
                "payers": purchase.payers,
                "left": money,
            }
        )
    return told
