"""Score: each option gets a note on a scale; the highest total wins.

The voter gives an integer from `least` to `most` to the options they have a view on; an option left without a note
counts as `least`. Tie: by the question's tie-break. Source: range voting, Smith (2000); as utilitarian voting,
Hillinger (2004).
"""

from __future__ import annotations

from typing import Any

from services.ballot.methods import marks, sums
from services.ballot.methods.method import Json, Method, Profile, Question, WrongQuestion, check_seats
from services.ballot.protocol.fields import Fields


class Score(Method):
    name = "score"
    is_sum = True
    settings = ("least", "most", "seats")

    def check_settings(self, question: Question, settings: Fields) -> None:
        check_seats(question, settings)
        least = settings.integer("least", least=-100, most=100)
        if settings.integer("most", least=-100, most=100) <= least:
            raise WrongQuestion("must be greater than least", field="settings.most")

    def check_marks(self, question: Question, answer: Any) -> None:
        """{"scores": {id: integer}}, at least one."""
        marks.numbers(question, answer, "scores", question.settings["least"], question.settings["most"])

    def sums(self, question: Question, profile: Profile) -> Json:
        """Counted above `least`, so that what nobody noted is 0: the total of notes is count + least × expressed."""
        least = question.settings["least"]
        return sums.totals(question, profile, lambda answer: {o: v - least for o, v in answer["scores"].items()})

    def add(self, one: Json, other: Json) -> Json:
        return sums.add(one, other)

    def count(self, question: Question, profile: Profile) -> Json:
        return sums.elect_most(question, self.sums(question, profile), question.settings["seats"])
