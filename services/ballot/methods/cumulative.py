"""Cumulative points: a number of points to share among options.

The voter shares at most `points` points, at most `most` on one option. The options with most points are elected. Tie:
by the question's tie-break. Source: cumulative voting, as for shareholders and in
participatory budgets (Dodgson, 1884).
"""

from __future__ import annotations

from typing import Any

from services.ballot.methods import marks, sums
from services.ballot.methods.method import Json, Method, Profile, Question, WrongAnswer, check_seats
from services.ballot.protocol.fields import Fields


class Cumulative(Method):
    name = "cumulative"
    is_sum = True
    settings = ("points", "most", "seats")

    def check_settings(self, question: Question, settings: Fields) -> None:
        check_seats(question, settings)
        check_points(settings)

    def check_marks(self, question: Question, answer: Any) -> None:
        """{"points": {id: integer ≥ 1}}, at most `points` in all."""
        shared_points(question, answer, question.settings["points"], question.settings["most"])

    def sums(self, question: Question, profile: Profile) -> Json:
        return sums.totals(question, profile, lambda answer: answer["points"])

    def add(self, one: Json, other: Json) -> Json:
        return sums.add(one, other)

    def count(self, question: Question, profile: Profile) -> Json:
        return sums.elect_most(question, self.sums(question, profile), question.settings["seats"])


def check_points(settings: Fields) -> None:
    """`points` to share, of which `most` at the most on one option."""
    points = settings.integer("points", least=1, most=10_000)
    settings.integer("most", least=1, most=points)


def shared_points(question: Question, answer: Any, points: int, most: int) -> dict[str, int]:
    given = marks.numbers(question, answer, "points", 1, most)
    if sum(given.values()) > points:
        raise WrongAnswer(f"holds {sum(given.values())} points, {points} are to be shared", field="points")
    return given
