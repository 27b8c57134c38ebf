"""Borda: with n options, the first of a ballot gets n − 1 points, the next n − 2, and so on.

The voter ranks options, equals admitted, as many as they wish. Options at equal rank share the points of the places
they take together; so do those left unranked, after the ranked ones. Each ballot gives n(n − 1)/2 points in all,
however short. Points are counted in halves, so that sharing needs no fraction: with a rank above and e equal, an option
gets 2·(n − 1 − above) − (e − 1) halves. Tie: by the question's tie-break. Source: Borda, *Mémoire sur les élections au
scrutin* (1781); equal shares for ties: Black (1976).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from services.ballot.methods import marks
from services.ballot.methods.method import Json, Method, Profile, Question, check_seats
from services.ballot.methods.numbers import exact
from services.ballot.methods.pairwise import matrix
from services.ballot.methods.rankings import rankings
from services.ballot.methods.sums import most
from services.ballot.methods.ties import TieBreak
from services.ballot.protocol.fields import Fields


class Borda(Method):
    name = "borda"
    settings = ("seats",)

    def check_settings(self, question: Question, settings: Fields) -> None:
        check_seats(question, settings)

    def check_marks(self, question: Question, answer: Any) -> None:
        """{"ranking": [[ids], …]}, best first, equals together."""
        marks.ranking(question, answer, equals=True)

    def count(self, question: Question, profile: Profile) -> Json:
        found = rankings(question, profile)
        # Against each other option: 2 halves if ranked above it, 1 if equal. The diagonal of the sum is not counted.
        above = matrix(found)
        equal = found.expressed - above - above.T
        np.fill_diagonal(equal, 0)
        halves = dict(zip(found.options, map(int, (2 * above + equal).sum(axis=1)), strict=True))
        points = {option: exact(Fraction(value, 2)) for option, value in halves.items()}
        head: Json = {"counts": points, "blank": found.blank, "expressed": found.expressed}
        steps: list[Json] = [{"step": "counted", **head}]
        # Nobody is elected by no ballot; by some, even who has no points is, when seats are left.
        standing = {option: value + found.expressed for option, value in halves.items()}
        winners = most(standing, question.settings["seats"], TieBreak.of(question, steps))
        steps.append({"step": "elected", "options": winners})
        return {"winners": winners, **head, "steps": steps}
