"""Majority judgment: each option gets a grade in words; the best majority grade wins.

The voter gives a grade to the options they know; an option left without one gets the worst. An option's majority grade
is its lower median. Equals are told apart by taking one majority grade at a time from each until the medians differ
(the majority value); what is equal in every grade goes by the question's tie-break. Source: Balinski and Laraki,
*Majority Judgment* (2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key
from typing import Any

from services.ballot.methods import marks
from services.ballot.methods.method import Json, Method, Profile, Question, WrongQuestion, check_seats, ids, is_blank
from services.ballot.methods.ties import TieBreak
from services.ballot.protocol.fields import Fields


class MajorityJudgment(Method):
    name = "majority_judgment"
    is_sum = True
    settings = ("grades", "seats")

    def check_settings(self, question: Question, settings: Fields) -> None:
        """`grades`: 2 to 10 of {id, label}, best first."""
        check_seats(question, settings)
        seen: set[str] = set()
        for grade in settings.inner_items("grades", ("id", "label"), least=2, most=10):
            grade.text("label", longest=100)
            if grade.slug("id") in seen:
                raise WrongQuestion("stands twice", field=grade.at("id"))
            seen.add(grade.slug("id"))

    def check_marks(self, question: Question, answer: Any) -> None:
        """{"grades": {id: grade id}}, at least one."""
        marks.grades(question, answer, [grade["id"] for grade in question.settings["grades"]])

    def sums(self, question: Question, profile: Profile) -> Json:
        """{"counts": {option: how many gave each grade, best first}, "blank", "expressed"}"""
        places = {grade["id"]: place for place, grade in enumerate(question.settings["grades"])}
        worst = len(places) - 1
        counts = {option: [0] * len(places) for option in ids(question)}
        blank = expressed = 0
        for answer, times in profile:
            if is_blank(answer):
                blank += times
                continue
            expressed += times
            given = answer["grades"]
            for option, grade in given.items():
                counts[option][places[grade]] += times
        for grades in counts.values():
            grades[worst] += expressed - sum(grades)
        return {"counts": counts, "blank": blank, "expressed": expressed}

    def add(self, one: Json, other: Json) -> Json:
        counts = {
            option: [a + b for a, b in zip(grades, other["counts"][option], strict=True)]
            for option, grades in one["counts"].items()
        }
        both = {name: one[name] + other[name] for name in ("blank", "expressed")}
        return {"counts": counts, **both}

    def count(self, question: Question, profile: Profile) -> Json:
        sums = self.sums(question, profile)
        counts: dict[str, list[int]] = sums["counts"]
        grades = [grade["id"] for grade in question.settings["grades"]]
        steps: list[Json] = [{"step": "counted", **sums}]
        if not sums["expressed"]:
            return {"winners": [], **sums, "majority_grades": {}, "ranking": [], "steps": steps}
        majority = {option: grades[median(votes)] for option, votes in counts.items()}
        steps.append({"step": "majority_grades", "grades": majority})
        ranking = rank(counts)
        winners = TieBreak.of(question, steps).seat(ranking, question.settings["seats"])
        steps.append({"step": "elected", "options": winners})
        return {"winners": winners, **sums, "majority_grades": majority, "ranking": ranking, "steps": steps}


def median(votes: Sequence[int]) -> int:
    """The lower median's place in the scale, best first: the first grade at which those who gave it or better are a
    majority."""
    half, reached = sum(votes), 0
    for place, number in enumerate(votes):
        reached += number
        if 2 * reached > half:
            return place
    return len(votes) - 1


def rank(counts: dict[str, list[int]]) -> list[list[str]]:
    """Best first; those equal in every grade stand together."""

    def by_grades(one: str, other: str) -> int:
        return compare(counts[one], counts[other])

    order = sorted(counts, key=cmp_to_key(by_grades))
    groups: list[list[str]] = []
    for option in order:
        if groups and compare(counts[groups[-1][0]], counts[option]) == 0:
            groups[-1].append(option)
        else:
            groups.append([option])
    return groups


def compare(one: Sequence[int], other: Sequence[int]) -> int:
    """Below 0 if `one` is better. Medians are taken away together, as many at once as cannot change either."""
    a, b = list(one), list(other)
    while sum(a):
        m, n = median(a), median(b)
        if m != n:
            return m - n
        step = max(1, min(_stays(a, m), _stays(b, n)))
        a[m] -= step
        b[n] -= step
    return 0


def _stays(votes: Sequence[int], at: int) -> int:
    """How often the grade `at` can be taken away while it stays the median."""
    better, worse, total = sum(votes[:at]), sum(votes[at + 1 :]), sum(votes)
    # With k taken it still is, if 2·better ≤ total − k and 2·(total − worse − k) > total − k.
    return min(votes[at], total - 2 * better, total - 2 * worse - 1)
