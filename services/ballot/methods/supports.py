"""Supports to proposals: people back the proposals they want to see examined.

The voter marks any number of proposals, at least one. Every proposal that reaches the threshold is retained, however
many there are, most supports first; so no tie decides who is in, only the order in which equals are read. Source: the
initiative's threshold of signatures (as art. 11 of the Constitution, or a town's right of petition: CGCT, L1112-16).
"""

from __future__ import annotations

from typing import Any

from services.ballot.methods import marks, sums
from services.ballot.methods.method import Json, Method, Profile, Question
from services.ballot.methods.ties import TieBreak
from services.ballot.protocol.fields import Fields


class Supports(Method):
    name = "supports"
    is_sum = True
    settings = ("threshold",)
    least_options = 1

    def check_settings(self, question: Question, settings: Fields) -> None:
        settings.integer("threshold", least=1)

    def check_marks(self, question: Question, answer: Any) -> None:
        """{"choices": [ids]}, at least one."""
        marks.several(question, answer, 1, len(question.options))

    def sums(self, question: Question, profile: Profile) -> Json:
        return sums.totals(question, profile, lambda answer: dict.fromkeys(answer["choices"], 1))

    def add(self, one: Json, other: Json) -> Json:
        return sums.add(one, other)

    def count(self, question: Question, profile: Profile) -> Json:
        found, threshold = self.sums(question, profile), question.settings["threshold"]
        counts: dict[str, int] = found["counts"]
        steps: list[Json] = [{"step": "counted", **found}]
        tie = TieBreak.of(question, steps)
        reached = [option for option, votes in counts.items() if votes >= threshold]
        winners = sorted(reached, key=lambda option: (-counts[option], tie.place(option)))
        steps.append({"step": "threshold", "threshold": threshold, "options": winners})
        return {"winners": winners, **found, "steps": steps}
