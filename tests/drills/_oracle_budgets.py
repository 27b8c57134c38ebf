"""Participatory budgets against pabutools, with our tie-break."""

from __future__ import annotations

import random
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from pabutools.election import (
    ApprovalBallot,
    ApprovalProfile,
    Cardinality_Sat,
    Cost_Sat,
    CumulativeBallot,
    CumulativeProfile,
    Instance,
    Project,
)
from pabutools.election.satisfaction.additivesatisfaction import Additive_Cardinal_Sat, AdditiveSatisfaction
from pabutools.rules import greedy_utilitarian_welfare, method_of_equal_shares
from pabutools.tiebreaking import TieBreakingRule

from services.ballot.protocol.questions import Question
from tests.ballot.methods.made import Profile
from tests.drills._oracle import EQUAL, UNEXPLAINED, Json, Judge, names


class PointsCost(AdditiveSatisfaction):
    """Points × cost: what a euro of a project gives to a voter is the points given to it."""

    def __init__(self, instance: Any, profile: Any, ballot: Any) -> None:
        super().__init__(instance, profile, ballot, lambda _i, _p, b, project, _c: b.get(project, 0) * project.cost)


SATISFACTION = {
    ("approval", "cost"): Cost_Sat,
    ("approval", "count"): Cardinality_Sat,
    ("points", "cost"): PointsCost,
    ("points", "count"): Additive_Cardinal_Sat,
}


class Oracle:
    """An instance and a profile of pabutools that say what a question and a profile of ours do."""

    def __init__(self, question: Question, profile: Profile) -> None:
        says = question.settings
        self.kind = says["ballot"]["kind"]
        self.place = {name: at for at, name in enumerate(names(question))}
        self.projects = {name: Project(name, says["costs"][name]) for name in self.place}
        self.instance = Instance(self.projects.values(), budget_limit=says["budget"])
        made = ApprovalProfile if self.kind == "approval" else CumulativeProfile
        ballots = [self._ballot(answer) for answer, times in profile for _ in range(times)]
        self.profile = made(ballots, instance=self.instance).as_multiprofile()
        self.tie = TieBreakingRule(lambda _instance, _profile, project: self.place[project.name])

    def _ballot(self, answer: Json) -> Any:
        if self.kind == "approval":
            return ApprovalBallot(self.projects[name] for name in answer["choices"])
        return CumulativeBallot({self.projects[name]: points for name, points in answer["points"].items()})

    def greedy(self, before: Iterable[Any] = ()) -> list[str]:
        """By total votes: density is satisfaction / cost, so satisfaction is votes × cost."""
        found = greedy_utilitarian_welfare(
            self.instance,
            self.profile,
            sat_class=SATISFACTION[self.kind, "cost"],
            tie_breaking=self.tie,
            initial_budget_allocation=list(before),
        )
        return [project.name for project in found]

    def equal_shares(self, utility: str, completion: str) -> list[str]:
        found = method_of_equal_shares(
            self.instance,
            self.profile,
            sat_class=SATISFACTION[self.kind, utility],
            tie_breaking=self.tie,
            voter_budget_increment=1 if completion.startswith("add1") else None,
        )
        return self.greedy(found) if completion.endswith("utilitarian") else [project.name for project in found]


def judge(question: Question, profile: Profile, ours: Json, _: random.Random) -> str:
    oracle, says = Oracle(question, profile), question.settings
    if question.method == "budget_greedy":
        found = oracle.greedy()
    else:
        found = oracle.equal_shares(says["utility"], says["completion"])
    return verdict(question, ours, found)


def verdict(question: Question, ours: Json, found: list[str]) -> str:
    """pabutools' greedy goes on to projects that nobody wants, which cost money and change nothing for the others;
    its equal shares by cost leave out what costs nothing, since it gives nobody anything."""
    if set(found) == set(ours["winners"]):
        return EQUAL
    counts, costs = ours["counts"], question.settings["costs"]
    wanted = {name for name in found if counts[name]}
    if wanted == set(ours["winners"]):
        return "oracle funds what nobody wants"
    free = {name for name in ours["winners"] if costs[name] == 0}
    if wanted | free == set(ours["winners"]):
        return "oracle leaves out what costs nothing"
    return UNEXPLAINED


def share(ours: Json) -> Fraction:
    return next(Fraction(step["share"]) for step in ours["steps"] if step["step"] == "share")


JUDGES: dict[tuple[str, str], Judge] = {
    ("budget_greedy", "pabutools greedy"): judge,
    ("budget_equal_shares", "pabutools equal shares"): judge,
}
