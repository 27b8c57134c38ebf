"""Participatory budgets: projects with a cost, ballots that approve them or share points. What their methods share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from services.ballot.methods import marks, sums
from services.ballot.methods.cumulative import check_points, shared_points
from services.ballot.methods.method import Json, Method, Profile, Question, WrongQuestion, ids
from services.ballot.methods.ties import TieBreak
from services.ballot.protocol.fields import Fields


class Budget(Method):
    """Settings: `budget` and `costs` by option, integers in one unit of money; `ballot`, how people mark:
    {"kind": "approval", "least", "most"} or {"kind": "points", "points", "most"}."""

    is_sum = True
    settings: ClassVar[Collection[str]] = ("budget", "costs", "ballot")
    least_options = 1

    def check_settings(self, question: Question, settings: Fields) -> None:
        settings.integer("budget", least=1)
        known = ids(question)
        costs = settings.inner("costs", known)
        for option in known:
            costs.integer(option, least=0)
        self._check_ballot(question, settings)

    def _check_ballot(self, question: Question, settings: Fields) -> None:
        ballot = settings.raw("ballot")
        kind = ballot.get("kind") if isinstance(ballot, Mapping) else None
        if kind == "approval":
            inner = settings.inner("ballot", ("kind", "least", "most"))
            most = inner.integer("most", least=1, most=len(question.options))
            inner.integer("least", least=1, most=most)
        elif kind == "points":
            check_points(settings.inner("ballot", ("kind", "points", "most")))
        else:
            raise WrongQuestion("must be approval or points", field="settings.ballot.kind")

    def check_marks(self, question: Question, answer: Any) -> None:
        """{"choices": [ids]} or {"points": {id: integer ≥ 1}}, as `ballot` says."""
        ballot = question.settings["ballot"]
        if ballot["kind"] == "approval":
            marks.several(question, answer, ballot["least"], ballot["most"])
        else:
            shared_points(question, answer, ballot["points"], ballot["most"])

    def sums(self, question: Question, profile: Profile) -> Json:
        return sums.totals(question, profile, given)

    def add(self, one: Json, other: Json) -> Json:
        return sums.add(one, other)


def given(answer: Any) -> Mapping[str, int]:
    """What an answer gives to each project: points, or 1 for each one approved."""
    points: Mapping[str, int] | None = answer.get("points")
    return dict.fromkeys(answer["choices"], 1) if points is None else points


def fund_most(
    options: list[str], totals: Mapping[str, int], costs: Mapping[str, int], money: int, tie: TieBreak
) -> tuple[list[str], list[Json], int]:
    """Projects from the highest total down, each funded if the money that is left pays for it; nobody's project is
    not. Returns those funded, a step for each project looked at, and the money left."""
    funded: list[str] = []
    steps: list[Json] = []
    for option in sorted(options, key=lambda o: (-totals[o], tie.place(o))):
        if totals[option] == 0:
            break
        pays = costs[option] <= money
        money -= costs[option] if pays else 0
        funded += [option] if pays else []
        step = {"step": "project", "option": option, "total": totals[option], "cost": costs[option]}
        steps.append({**step, "funded": pays, "left": money})
    return funded, _told_ties(steps, tie), money


def _told_ties(steps: list[Json], tie: TieBreak) -> list[Json]:
    """Where projects with equal totals were not all treated alike, their order decided."""
    by_total: dict[int, list[Json]] = {}
    for step in steps:
        by_total.setdefault(step["total"], []).append(step)
    told: list[Json] = []
    for equals in by_total.values():
        if len({step["funded"] for step in equals}) > 1:
            between = [step["option"] for step in equals]
            chosen = [step["option"] for step in equals if step["funded"]]
            told.append({"step": "tie", "for": "project", "between": between, "chosen": chosen, "by": tie.rule})
        told += equals
    return told
