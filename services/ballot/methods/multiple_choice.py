"""Several choices, between a least and a most number of them (block or limited vote).

The voter marks `least` to `most` options. The options with most votes are elected, as many as there are seats. Tie: by
the question's tie-break. Source: plurinominal majority vote, as in French communes under 1,000 inhabitants until 2026
(Code électoral, L252 to L257).
"""

from __future__ import annotations

from typing import Any

from services.ballot.methods import marks, sums
from services.ballot.methods.method import Json, Method, Profile, Question, check_seats
from services.ballot.protocol.fields import Fields


class MultipleChoice(Method):
    name = "multiple_choice"
    is_sum = True
    settings = ("least", "most", "seats")

    def check_settings(self, question: Question, settings: Fields) -> None:
        check_seats(question, settings)
        most = settings.integer("most", least=1, most=len(question.options))
        settings.integer("least", least=1, most=most)

    def check_marks(self, question: Question, answer: Any) -> None:
        """{"choices": [ids]}, from `least` to `most` of them."""
        marks.several(question, answer, question.settings["least"], question.settings["most"])

    def sums(self, question: Question, profile: Profile) -> Json:
        return sums.totals(question, profile, lambda answer: dict.fromkeys(answer["choices"], 1))

    def add(self, one: Json, other: Json) -> Json:
        return sums.add(one, other)

    def count(self, question: Question, profile: Profile) -> Json:
        return sums.elect_most(question, self.sums(question, profile), question.settings["seats"])
