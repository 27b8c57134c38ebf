"""Approval: any number of options, each approved or not.

The voter marks every option they could accept. The options with most approvals are elected. Tie: by the question's
tie-break. Source: Brams and Fishburn, *Approval Voting* (1983).
"""

from __future__ import annotations

from typing import Any

from services.ballot.methods import marks, sums
from services.ballot.methods.method import Json, Method, Profile, Question, check_seats
from services.ballot.protocol.fields import Fields


class Approval(Method):
    name = "approval"
    is_sum = True
    settings = ("seats",)

    def check_settings(self, question: Question, settings: Fields) -> None:
        check_seats(question, settings)

    def check_marks(self, question: Question, answer: Any) -> None:
        """{"choices": [ids]}; none is an answer too: no option is acceptable."""
        marks.several(question, answer, 0, len(question.options))

    def sums(self, question: Question, profile: Profile) -> Json:
        return sums.totals(question, profile, lambda answer: dict.fromkeys(answer["choices"], 1))

    def add(self, one: Json, other: Json) -> Json:
        return sums.add(one, other)

    def count(self, question: Question, profile: Profile) -> Json:
        return sums.elect_most(question, self.sums(question, profile), question.settings["seats"])
