"""Duels: how many rank one option above another. What Condorcet's methods and Borda's stand on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from services.ballot.methods import marks
from services.ballot.methods.method import Json, Method, Question, check_seats
from services.ballot.methods.rankings import UNRANKED, Ints, Rankings
from services.ballot.protocol.fields import Fields


class Condorcet(Method):
    """What the voter marks is the same in every Condorcet method: a ranking, equals admitted, of as many options as
    they wish; those left unranked stand together below the ranked ones."""

    settings = ("seats",)

    def check_settings(self, question: Question, settings: Fields) -> None:
        check_seats(question, settings)

    def check_marks(self, question: Question, answer: Any) -> None:
        """{"ranking": [[ids], …]}, best first, equals together."""
        marks.ranking(question, answer, equals=True)


def matrix(found: Rankings) -> Ints:
    """[a, b]: how many rank a above b. A pass over distinct ballots for each pair of options."""
    size = len(found.options)
    duels = np.zeros((size, size), np.int64)
    columns = np.ascontiguousarray(found.ranks.T)
    if columns.size and int(columns[columns < UNRANKED].max(initial=0)) < 126:  # a byte a rank: four times less to read
        columns = np.minimum(columns, 127).astype(np.int8)
    for a in range(size):
        for b in range(a + 1, size):
            duels[a, b] = found.times @ (columns[a] < columns[b])
            duels[b, a] = found.times @ (columns[a] > columns[b])
    return duels


def winner(options: list[str], duels: Ints) -> str | None:
    """Condorcet's winner: the option that beats every other one, if there is any."""
    beaten = (duels > duels.T).sum(axis=1) == len(options) - 1
    return options[int(beaten.argmax())] if beaten.any() else None


def rank(options: list[str], before: npt.NDArray[np.bool_]) -> list[list[str]]:
    """Best first, from [a, b]: whether a stands before b, without circles. Again and again, those that no remaining
    one stands before; they are equals."""
    left = np.ones(len(options), bool)
    ranking = []
    while left.any():
        free = left & ~(before & left[:, None]).any(axis=0)
        ranking.append([options[i] for i in np.flatnonzero(free)])
        left &= ~free
    return ranking


def step(found: Rankings, duels: Ints) -> Json:
    """The first step of every Condorcet count: {option: {other: how many rank it above}}, and Condorcet's winner."""
    return {
        "step": "duels",
        "duels": table(found.options, duels),
        "condorcet_winner": winner(found.options, duels),
    }


def table(options: list[str], numbers: Ints) -> dict[str, dict[str, int]]:
    """{option: {other: number}}"""
    return {a: {b: int(numbers[i, j]) for j, b in enumerate(options) if i != j} for i, a in enumerate(options)}
