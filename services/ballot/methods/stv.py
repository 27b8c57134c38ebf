"""The single transferable vote: stages, one surplus or one elimination each. What its variants share.

The voter ranks options, one at each rank, as many as they wish. Quota: ⌊ballots / (seats + 1)⌋ + 1. Who reaches it is
elected; what they have beyond it is passed on, the greatest surplus first, by all of their ballots at a smaller value.
With no surplus left, the last option is eliminated and its ballots pass on at the value they have. When as many options
continue as seats are open, they are elected. Ties: the latest earlier stage where they differ, then the question's
tie-break. Variants say how a value is reduced, and in which numbers.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Generic

from services.ballot.methods import marks
from services.ballot.methods.method import Json, Method, Profile, Question, check_seats
from services.ballot.methods.numbers import Exact
from services.ballot.methods.rankings import Preferences, preferences
from services.ballot.methods.ties import TieBreak
from services.ballot.methods.transfer import Piles, Value, latest_unequal, lowest
from services.ballot.protocol.fields import Fields


class Stv(Method, Generic[Value]):
    settings = ("seats",)

    def check_settings(self, question: Question, settings: Fields) -> None:
        check_seats(question, settings)

    def check_marks(self, question: Question, answer: Any) -> None:
        """{"ranking": [[id], …]}, best first, one option at each rank."""
        marks.ranking(question, answer, equals=False)

    @property
    @abstractmethod
    def unit(self) -> Value:
        """One ballot's first value."""

    @abstractmethod
    def reduced(self, value: Value, surplus: Value, total: Value) -> Value:
        """A ballot's value after the surplus of a total was passed on."""

    @abstractmethod
    def written(self, value: Value) -> Exact: ...

    def count(self, question: Question, profile: Profile) -> Json:
        return self.count_rows(question, preferences(question, profile))

    def count_rows(self, question: Question, found: Preferences) -> Json:
        """The count of a profile that was read already."""
        seats: int = question.settings["seats"]
        quota = found.expressed // (seats + 1) + 1
        head: Json = {"blank": found.blank, "expressed": found.expressed, "quota": quota}
        steps: list[Json] = []
        winners: list[str] = []
        if found.expressed:
            piles: Piles[Value] = Piles(found, self.unit)
            tie = TieBreak.of(question, steps)
            winners = Stages(self, piles, found.expressed, quota, seats, tie, steps).run()
        return {"winners": winners, **head, "steps": steps}


class Stages(Generic[Value]):
    """One count under way."""

    def __init__(
        self,
        rules: Stv[Value],
        piles: Piles[Value],
        expressed: int,
        quota: int,
        seats: int,
        tie: TieBreak,
        steps: list[Json],
    ) -> None:
        self._rules: Stv[Value] = rules
        self._piles: Piles[Value] = piles
        self._tie, self._steps, self._seats = tie, steps, seats
        self._quota: Value = rules.unit * quota
        self._total: Value = rules.unit * expressed
        self._winners: list[str] = []
        self._surpluses: list[str] = []  # elected, with more than the quota still to be passed on
        self._history: list[dict[str, Value]] = []

    def run(self) -> list[str]:
        while True:
            told = self._stage()
            told["elected"] = self._elect()
            self._steps.append(told)
            open_seats = self._seats - len(self._winners)
            going = [option for option in self._piles.options if self._piles.continuing[option]]
            if open_seats and len(going) <= open_seats:
                told["elected"] = told["elected"] + self._take(self._by_votes(going))
                open_seats = 0
            if not open_seats:
                return self._winners
            self._pass_on(told, going)

    def _stage(self) -> Json:
        votes = {option: self._piles.votes[option] for option in self._piles.options}
        shown = {o: v for o, v in votes.items() if v or self._piles.continuing[o]}
        rest = self._total - sum(votes.values(), self._total * 0)
        written = {option: self._rules.written(value) for option, value in shown.items()}
        return {
            "step": "round",
            "round": len(self._history) + 1,
            "votes": written,
            "exhausted": self._rules.written(rest),
            "elected": [],
            "eliminated": [],
            "transfers": [],
        }

    def _elect(self) -> list[str]:
        """Everybody who reached the quota, most votes first."""
        reached = [
            option
            for option, going in self._piles.continuing.items()
            if going and self._piles.votes[option] >= self._quota
        ]
        elected = self._take(self._by_votes(reached))
        self._surpluses += [option for option in elected if self._piles.votes[option] > self._quota]
        return elected

    def _take(self, options: list[str]) -> list[str]:
        for option in options:
            self._piles.leave(option)
        self._winners += options
        return options

    def _by_votes(self, options: list[str]) -> list[str]:
        """Most votes first; among equals who had more at the latest earlier stage, then the tie-break's order."""

        def place(option: str) -> tuple[Value, list[Value], int]:
            earlier: list[Value] = [-votes[option] for votes in reversed(self._history)]
            return -self._piles.votes[option], earlier, self._tie.place(option)

        return sorted(options, key=place)

    def _pass_on(self, told: Json, going: list[str]) -> None:
        self._history.append(dict(self._piles.votes))
        if self._surpluses:
            self._pass_surplus(told)
        else:
            self._eliminate(told, going)

    def _pass_surplus(self, told: Json) -> None:
        votes = self._piles.votes
        most = max(votes[option] for option in self._surpluses)
        tied = [option for option in self._surpluses if votes[option] == most]
        option = self._tie.first(latest_unequal(tied, self._history[:-1], lowest=False), "surplus")
        self._surpluses.remove(option)
        total = votes[option]
        surplus = total - self._quota
        told["transfers"] = [self._move(option, surplus, lambda value: self._rules.reduced(value, surplus, total))]
        self._piles.votes[option] = self._quota

    def _eliminate(self, told: Json, going: list[str]) -> None:
        option = lowest(going, self._piles.votes, self._history[:-1], self._tie)
        self._piles.leave(option)
        told["eliminated"] = [option]
        told["transfers"] = [self._move(option, self._piles.votes[option], lambda value: value)]
        self._piles.votes[option] = self._total * 0

    def _move(self, option: str, passed: Value, value: Callable[[Value], Value]) -> Json:
        """`exhausted`: what the next options do not receive, lost fractions included."""
        values = {number: value(old) for number, old in self._piles.classes(option).items()}
        received = self._piles.move(option, values)
        written = self._rules.written
        return {
            "from": option,
            "to": {to: written(amount) for to, amount in received.items()},
            "exhausted": written(passed - sum(received.values(), passed * 0)),
        }
