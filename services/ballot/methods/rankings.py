"""Rankings as arrays: distinct ballots a row, so that every step of a count costs in distinct ballots, not in voters.

Bounds: at most 200 options (int16 is enough for a rank), and counts whose sum stays below 2^53, so that no int64 sum of
them overflows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

import numpy as np
import numpy.typing as npt

from services.ballot.methods.method import Profile, Question, ids, is_blank

Ints = npt.NDArray[np.int64]
Ranks = npt.NDArray[np.int16]
_CHUNK: Final = 8192
UNRANKED: Final = 32767


@dataclass(frozen=True, slots=True)
class Rankings:
    """`ranks[b, o]`: the rank that ballot b gives to option o, 0 the best, UNRANKED if it gives none. `times[b]`: how
    many chose ballot b. `blank`: blank votes, which are in no row."""

    options: list[str]
    ranks: Ranks
    times: Ints
    blank: int

    @property
    def expressed(self) -> int:
        return int(self.times.sum())


@dataclass(frozen=True, slots=True)
class Preferences:
    """`order[b, p]`: the option that ballot b names at place p, −1 after its last one. Strict rankings alone."""

    options: list[str]
    order: Ranks
    times: Ints
    blank: int

    @property
    def expressed(self) -> int:
        return int(self.times.sum())


def rankings(question: Question, profile: Profile) -> Rankings:
    options = ids(question)
    index = {option: place for place, option in enumerate(options)}
    parts: list[Ranks] = []
    times: list[Ints] = []
    blank = 0
    for answers, counts, blanks in _chunks(profile):
        blank += blanks
        ranks = np.full((len(answers), len(options)), UNRANKED, np.int16)
        rows = np.repeat(np.arange(len(answers)), [sum(map(len, groups)) for groups in answers])
        flat = chain.from_iterable(chain.from_iterable(answers))
        columns = np.fromiter(map(index.__getitem__, flat), np.int64, len(rows))
        sizes = [len(group) for groups in answers for group in groups]
        places = np.repeat([place for groups in answers for place in range(len(groups))], sizes)
        ranks[rows, columns] = places
        parts.append(ranks)
        times.append(np.array(counts, np.int64))
    return Rankings(options, _stack(parts, len(options)), _join(times), blank)


def preferences(question: Question, profile: Profile) -> Preferences:
    options = ids(question)
    index = {option: place for place, option in enumerate(options)}
    parts: list[Ranks] = []
    times: list[Ints] = []
    blank = 0
    for answers, counts, blanks in _chunks(profile):
        blank += blanks
        lengths = np.array([len(groups) for groups in answers])
        order = np.full((len(answers), len(options)), -1, np.int16)
        flat = chain.from_iterable(chain.from_iterable(answers))
        named = np.fromiter(map(index.__getitem__, flat), np.int16, int(lengths.sum()))
        order[np.arange(len(options)) < lengths[:, None]] = named
        parts.append(order)
        times.append(np.array(counts, np.int64))
    return Preferences(options, _stack(parts, len(options)), _join(times), blank)


def first_places(preferences: Preferences) -> dict[str, int]:
    """How many name each option first."""
    votes = np.zeros(len(preferences.options), np.int64)
    if len(preferences.times):
        np.add.at(votes, preferences.order[:, 0], preferences.times)
    return dict(zip(preferences.options, map(int, votes), strict=True))


def _chunks(profile: Profile) -> Iterator[tuple[list[list[list[str]]], list[int], int]]:
    """(rankings, how many chose each, blank votes), a few thousand at a time: the profile is never held whole."""
    pairs = iter(profile)
    while part := list(islice(pairs, _CHUNK)):
        answers, counts, blank = [], [], 0
        for answer, times in part:
            if is_blank(answer):
                blank += times
            else:
                answers.append(answer["ranking"])
                counts.append(times)
        yield answers, counts, blank


def _stack(parts: list[Ranks], width: int) -> Ranks:
    return np.concatenate(parts) if parts else np.zeros((0, width), np.int16)


def _join(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
