"""Ballots in piles, moved from option to option: what instant run-off and the single transferable vote stand on.

A pile's ballots have values: those that came together are of one class, with one value. A move costs in the distinct
ballots of the pile, whatever was counted before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from services.ballot.methods.rankings import Ints, Preferences
from services.ballot.methods.ties import TieBreak

Value = TypeVar("Value", int, Fraction)


class Piles(Generic[Value]):
    """Every ballot lies with the first continuing option that it names, or is exhausted."""

    def __init__(self, found: Preferences, value: Value) -> None:
        self.options = found.options
        self._order, self._times = found.order, found.times
        self._width = found.order.shape[1]
        self._at = np.zeros(len(found.times), np.int64)
        self._class = np.zeros(len(found.times), np.int64)
        self._values: list[Value] = [value]
        self._rows: dict[str, list[npt.NDArray[np.int64]]] = {option: [] for option in found.options}
        self.continuing = dict.fromkeys(found.options, True)
        self.votes: dict[str, Value] = dict.fromkeys(found.options, value * 0)
        self._lay(np.arange(len(found.times)), {})

    def leave(self, option: str) -> None:
        """The option takes no more ballots: it is elected or eliminated."""
        self.continuing[option] = False

    def classes(self, option: str) -> dict[int, Value]:
        """The classes of the option's pile, with the value of each."""
        rows = self._pile(option)
        return {int(number): self._values[number] for number in np.unique(self._class[rows])}

    def move(self, option: str, values: Mapping[int, Value]) -> dict[str, Value]:
        """Takes the option's ballots to the next continuing option that each names, at a new value by class; those
        whose value becomes 0 go nowhere. Returns what each option received."""
        rows = self._pile(option)
        self._rows[option] = []
        numbers = {old: self._number(old, value) for old, value in values.items()}
        if any(old != new for old, new in numbers.items()):
            self._class[rows] = np.vectorize(numbers.__getitem__, otypes=[np.int64])(self._class[rows])
        self._at[rows] += 1
        return self._lay(rows, self.votes)

    def _number(self, old: int, value: Value) -> int:
        if self._values[old] == value:
            return old
        self._values.append(value)
        return len(self._values) - 1

    def _pile(self, option: str) -> Ints:
        parts = self._rows[option]
        if len(parts) > 1:
            self._rows[option] = parts = [np.concatenate(parts)]
        return parts[0] if parts else np.zeros(0, np.int64)

    def _lay(self, rows: Ints, before: Mapping[str, Value]) -> dict[str, Value]:
        going = np.array([self.continuing[option] for option in self.options])
        held = np.full(len(rows), -1, np.int64)
        open_ = np.arange(len(rows))
        while len(open_):
            place = self._at[rows[open_]]
            within = place < self._width
            open_, place = open_[within], place[within]
            named = self._order[rows[open_], place].astype(np.int64)
            open_, named = open_[named >= 0], named[named >= 0]
            lies = going[named]
            held[open_[lies]] = named[lies]
            open_ = open_[~lies]
            self._at[rows[open_]] += 1
        received: dict[str, Value] = {}
        for index in np.unique(held[held >= 0]).tolist():
            mine = rows[held == index]
            option = self.options[index]
            self._rows[option].append(mine)
            received[option] = self._worth(mine)
            self.votes[option] += received[option]
        return received

    def _worth(self, rows: Ints) -> Value:
        classes, inverse = np.unique(self._class[rows], return_inverse=True)
        ballots = np.zeros(len(classes), np.int64)
        np.add.at(ballots, inverse, self._times[rows])
        worth = self._values[0] * 0
        for number, times in zip(classes.tolist(), ballots.tolist(), strict=True):
            worth += self._values[number] * times
        return worth


def latest_unequal(tied: Sequence[str], history: Sequence[Mapping[str, Value]], *, lowest: bool) -> list[str]:
    """Those of the tied that had the fewest (or most) votes at the latest earlier stage where they were unequal.

    More than one is left only if they were equal at every stage.
    """
    left = list(tied)
    for votes in reversed(history):
        if len(left) == 1:
            break
        wanted = (min if lowest else max)(votes[option] for option in left)
        left = [option for option in left if votes[option] == wanted]
    return left


def lowest(
    options: Collection[str], votes: Mapping[str, Value], history: Sequence[Mapping[str, Value]], tie: TieBreak
) -> str:
    """Who is eliminated: the fewest votes, then the fewest at the latest earlier stage, then the tie-break's last."""
    fewest = min(votes[option] for option in options)
    tied = [option for option in options if votes[option] == fewest]
    return tie.last(latest_unequal(tied, history, lowest=True), "elimination")
