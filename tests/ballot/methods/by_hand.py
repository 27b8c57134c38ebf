"""The single transferable vote counted one paper at a time, each with a value of its own, as tellers do it.

It shares nothing with the service's count. Its conventions can be set to those of others, so that a drill can say
which one makes the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from services.ballot.protocol.questions import Question
from tests.ballot.methods.made import Profile

Votes = dict[str, Fraction]


@dataclass(frozen=True)
class Conventions:
    """`cut`: values keep five decimals. `together`: all surpluses of a stage are passed on at once. `by_papers`: what
    is passed on is shared equally by papers, whatever each was worth. `droop`: the quota is ⌊n / (seats + 1)⌋ + 1, else
    more than n / (seats + 1). `choose`: who of equals leaves, or passes on first; None: by the stages before, then the
    order of the question. `near`: votes that differ by no more are equal to `choose`."""

    cut: bool = False
    together: bool = False
    by_papers: bool = False
    droop: bool = True
    near: Fraction = Fraction(0)
    choose: Callable[[list[str]], str] | None = None


def by_hand(question: Question, profile: Profile, rules: Conventions | None = None) -> list[str]:
    """The winners, in order of election. Of a question by order."""
    papers = [
        [[group[0] for group in answer["ranking"]], Fraction(1)]
        for answer, times in profile
        if "ranking" in answer
        for _ in range(times)
    ]
    if not papers:
        return []
    names = [option.id for option in question.options]
    seats = question.settings.get("seats", 1)
    hand = Hand(names, papers, seats, rules or Conventions(cut=question.method == "stv_scottish"))
    while len(hand.winners) < seats:
        hand.stage()
    return hand.winners


class Hand:
    def __init__(self, names: list[str], papers: list[list[Any]], seats: int, rules: Conventions) -> None:
        self.names, self.seats, self.rules = names, seats, rules
        self.quota = Fraction(len(papers) // (seats + 1) + 1) if rules.droop else Fraction(len(papers), seats + 1)
        self.going, self.waiting = list(names), list[str]()
        self.winners: list[str] = []
        self.piles: dict[str, list[list[Any]]] = {name: [] for name in names}
        self.kept = dict.fromkeys(names, Fraction(0))
        self.stages: list[Votes] = []
        self.lay(papers)

    def lay(self, papers: list[list[Any]]) -> None:
        for paper in papers:
            following = next((name for name in paper[0] if name in self.going), None)
            if following is not None:
                self.piles[following].append(paper)

    def votes(self) -> Votes:
        return {name: self.kept[name] + sum((p[1] for p in self.piles[name]), Fraction(0)) for name in self.names}

    def stage(self) -> None:
        self.stages.append(votes := self.votes())
        best = sorted(self.going, key=lambda name: (self._before(name, -1), self.names.index(name)))
        reached = [
            name for name in best if votes[name] > self.quota or (self.rules.droop and votes[name] == self.quota)
        ]
        self.winners += reached
        self.going = [name for name in self.going if name not in reached]
        self.waiting += [name for name in reached if votes[name] > self.quota]
        open_seats = self.seats - len(self.winners)
        if open_seats > 0 and len(self.going) <= open_seats:
            self.winners += [name for name in best if name in self.going]
        elif open_seats > 0 and self.waiting:
            for name in list(self.waiting) if self.rules.together else [self._greatest(votes)]:
                self.surplus(name, votes[name])
        elif open_seats > 0:
            last = self._last(votes)
            self.going.remove(last)
            papers, self.piles[last] = self.piles[last], []
            for paper in papers if self.rules.by_papers else ():
                paper[1] = votes[last] / len(papers)
            self.lay(papers)

    def surplus(self, name: str, total: Fraction) -> None:
        self.waiting.remove(name)
        papers, self.piles[name], self.kept[name] = self.piles[name], [], self.quota
        for paper in papers:
            value = (
                (total - self.quota) / len(papers) if self.rules.by_papers else paper[1] * (total - self.quota) / total
            )
            paper[1] = Fraction(int(value * 100_000), 100_000) if self.rules.cut else value
        self.lay(papers)

    def _before(self, name: str, sign: int) -> list[Fraction]:
        """Votes at this stage, then at those before, the latest first."""
        return [sign * votes[name] for votes in reversed(self.stages)]

    def _last(self, votes: Votes) -> str:
        if self.rules.choose:
            fewest = min(votes[name] for name in self.going)
            return self.rules.choose([name for name in self.going if votes[name] <= fewest + self.rules.near])
        return min(self.going, key=lambda name: (self._before(name, 1), -self.names.index(name)))

    def _greatest(self, votes: Votes) -> str:
        if self.rules.choose:
            most = max(votes[name] for name in self.waiting)
            return self.rules.choose([name for name in self.waiting if votes[name] >= most - self.rules.near])
        return max(self.waiting, key=lambda name: (self._before(name, 1), -self.names.index(name)))
