"""Participatory budget, greedy: projects from the most votes down, as long as the money lasts.

The voter approves projects or shares points. A project that the money left cannot pay is passed over and the next one
looked at. Tie: by the question's tie-break. Source: the rule of most French participatory budgets; *greedy* in
Pabulib (Faliszewski et al., 2023).
"""

from __future__ import annotations

from services.ballot.methods.budget import Budget, fund_most
from services.ballot.methods.method import Json, Profile, Question, ids
from services.ballot.methods.ties import TieBreak


class BudgetGreedy(Budget):
    name = "budget_greedy"

    def count(self, question: Question, profile: Profile) -> Json:
        sums = self.sums(question, profile)
        steps: list[Json] = [{"step": "counted", **sums}]
        money, costs = question.settings["budget"], question.settings["costs"]
        winners, told, left = fund_most(ids(question), sums["counts"], costs, money, TieBreak.of(question, steps))
        return {"winners": winners, **sums, "budget": money, "left": left, "steps": steps + told}
