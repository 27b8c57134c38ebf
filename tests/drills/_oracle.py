"""What a drill against other people's counts keeps: equal, explained by a named convention, or not explained."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from services.ballot.protocol.questions import Question
from tests.ballot.methods.asking import count
from tests.ballot.methods.made import Draw, Profile

Json = dict[str, Any]
EQUAL = ""
UNEXPLAINED = "UNEXPLAINED"
Judge = Callable[[Question, Profile, Json, random.Random], str]
"""The name of the convention that makes the difference, EQUAL, or UNEXPLAINED."""


@dataclass
class Score:
    profiles: int = 0
    equal: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: list[Any] = field(default_factory=list)

    def told(self) -> str:
        names = ", ".join(f"{name}: {number}" for name, number in sorted(self.explained.items()))
        return (
            f"{self.profiles} profiles, {self.equal} equal, {self.explained.total()} explained"
            f"{f' ({names})' if names else ''}, {len(self.unexplained)} unexplained"
        )


def compare(method: str, judge: Judge, profiles: int, chance: random.Random) -> Score:
    """Half of the profiles are small and full of ties, half are large enough to have hardly any."""
    score = Score()
    for question, profile in _profiles(method, profiles, chance):
        found = judge(question, profile, count(question, profile), chance)
        score.profiles += 1
        if found == EQUAL:
            score.equal += 1
        elif found == UNEXPLAINED:
            score.unexplained.append((question, profile))
        else:
            score.explained[found] += 1
    return score


def _profiles(method: str, number: int, chance: random.Random) -> Iterator[tuple[Question, Profile]]:
    draw = Draw(chance)
    while number:
        tied = number % 2 == 0
        question = draw.question(method, chance.randint(2, 4 if tied else 6), tie="order")
        profile = draw.profile(question, chance.randint(1, 7 if tied else 30), 2 if tied else 40)
        expressed = [(answer, times) for answer, times in profile if "blank" not in answer]
        if expressed:
            yield question, expressed  # oracles know no blank vote
            number -= 1


def names(question: Question) -> list[str]:
    return [option.id for option in question.options]


def top(counts: dict[str, int], seats: int) -> tuple[set[str], set[str]]:
    """Who is elected whatever the tie-break, and who may be: with the highest totals above 0."""
    order = sorted((value for value in counts.values() if value > 0), reverse=True)
    last = order[seats - 1] if len(order) >= seats else 1
    may = {option for option, value in counts.items() if value >= last}
    sure = {option for option, value in counts.items() if value > last} if len(may) > seats else may
    return sure, may


def among_tied(winners: list[str], counts: dict[str, int], seats: int) -> str:
    """Ours against an oracle's totals: all who must be elected, and of the tied as many as there are seats left."""
    sure, may = top(counts, seats)
    right = sure <= set(winners) <= may and len(winners) == min(seats, len(may))
    if not right:
        return UNEXPLAINED
    return EQUAL if sure == may else "tie for the last seat, by our tie-break"
