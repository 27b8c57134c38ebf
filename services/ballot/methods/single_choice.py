"""One choice among several options (plurality; with several seats, the single non-transferable vote).

The voter marks one option. The options with most votes are elected. Tie: by the question's tie-break. Source: relative
majority, as in the second round of French uninominal elections (Code électoral, L162); for several seats Cox, *Making
Votes Count* (1997).
"""

from __future__ import annotations

from typing import Any

from services.ballot.methods import marks, sums
from services.ballot.methods.method import Json, Method, Profile, Question, check_seats
from services.ballot.protocol.fields import Fields


class SingleChoice(Method):
    name = "single_choice"
    is_sum = True
    settings = ("seats",)

    def check_settings(self, question: Question, settings: Fields) -> None:
        check_seats(question, settings)

    def check_marks(self, question: Question, answer: Any) -> None:
        """{"choice": id of an option}"""
        marks.one(question, answer)

    def sums(self, question: Question, profile: Profile) -> Json:
        return sums.totals(question, profile, lambda answer: {answer["choice"]: 1})

    def add(self, one: Json, other: Json) -> Json:
        return sums.add(one, other)

    def count(self, question: Question, profile: Profile) -> Json:
        return sums.elect_most(question, self.sums(question, profile), question.settings["seats"])
