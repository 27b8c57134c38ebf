"""What methods share whose result is a sum by option: totals, who has most, seats filled from the top."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.ballot.methods.method import Json, Profile, Question, ids, is_blank
from services.ballot.methods.ties import TieBreak

Marks = Callable[[Any], Mapping[str, int]]
"""What an answer adds to each option that it names."""


def totals(question: Question, profile: Profile, marks: Marks) -> Json:
    """{"counts": total by option, "blank", "expressed"}: of two profiles added, it is `add` of both."""
    counts = dict.fromkeys(ids(question), 0)
    blank = expressed = 0
    for answer, times in profile:
        if is_blank(answer):
            blank += times
            continue
        expressed += times
        for option, value in marks(answer).items():
            counts[option] += value * times
    return {"counts": counts, "blank": blank, "expressed": expressed}


def add(one: Json, other: Json) -> Json:
    counts = {option: value + other["counts"][option] for option, value in one["counts"].items()}
    return {
        "counts": counts,
        "blank": one["blank"] + other["blank"],
        "expressed": one["expressed"] + other["expressed"],
    }


def elect_most(question: Question, sums: Json, seats: int) -> Json:
    """The options with the highest totals, as many as there are seats; who was marked by nobody is not elected."""
    counts: dict[str, int] = sums["counts"]
    steps: list[Json] = [{"step": "counted", **sums}]
    winners = most(counts, seats, TieBreak.of(question, steps))
    steps.append({"step": "elected", "options": winners})
    return {"winners": winners, **sums, "steps": steps}


def most(counts: Mapping[str, int], seats: int, tie: TieBreak) -> list[str]:
    """From the highest total down; equals in the order of the tie-break, told as a tie where not all are elected."""
    winners: list[str] = []
    for value in sorted({value for value in counts.values() if value > 0}, reverse=True):
        left = seats - len(winners)
        if left <= 0:
            break
        winners += tie.firsts([option for option, own in counts.items() if own == value], left, "seat")
    return winners
