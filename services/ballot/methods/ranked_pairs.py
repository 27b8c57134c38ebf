"""Condorcet by Ranked Pairs (Tideman): the clearest duels are locked first, those that would close a circle are not.

The voter ranks options, equals admitted. Duels are taken from the greatest strength down: winning votes; then the
smaller number of votes for the loser; duels equal in both go by the question's tie-break, winner first, then loser.
One is locked unless those locked before already lead from its loser to its winner. Who no locked duel leads to stands
first. Source: Tideman, *Independence of clones* (1987); strength by winning votes as in Zavist and Tideman (1989) with
winning votes.
"""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.ballot.methods import pairwise
from services.ballot.methods.method import Json, Profile, Question
from services.ballot.methods.rankings import Ints, rankings
from services.ballot.methods.ties import TieBreak

Reach = npt.NDArray[np.bool_]


class Duel(NamedTuple):
    winner: str
    loser: str
    votes: int
    against: int


class RankedPairs(pairwise.Condorcet):
    name = "ranked_pairs"

    def count(self, question: Question, profile: Profile) -> Json:
        found = rankings(question, profile)
        duels = pairwise.matrix(found)
        head: Json = {"blank": found.blank, "expressed": found.expressed}
        steps: list[Json] = [pairwise.step(found, duels)]
        if not found.expressed:
            return {"winners": [], **head, "ranking": [], "steps": steps}
        tie = TieBreak.of(question, steps)
        reach = lock(found.options, strongest_first(found.options, duels, tie), tie, steps)
        ranking = pairwise.rank(found.options, reach)
        winners = tie.seat(ranking, question.settings["seats"])
        steps.append({"step": "elected", "options": winners})
        return {"winners": winners, **head, "ranking": ranking, "steps": steps}


def strongest_first(options: list[str], duels: Ints, tie: TieBreak) -> list[Duel]:
    won = [
        Duel(options[a], options[b], int(duels[a, b]), int(duels[b, a]))
        for a, b in np.argwhere(duels > duels.T).tolist()
    ]
    return sorted(won, key=lambda d: (-d.votes, d.against, tie.place(d.winner), tie.place(d.loser)))


def lock(options: list[str], duels: list[Duel], tie: TieBreak, steps: list[Json]) -> Reach:
    """[a, b]: whether locked duels lead from a to b. Each duel is told, locked or not; where one is not locked only
    because of an equally strong one, the tie-break decided."""
    index = {option: place for place, option in enumerate(options)}
    reach: Reach = np.eye(len(options), dtype=bool)
    for _, group in groupby(duels, key=lambda duel: (duel.votes, duel.against)):
        before, equals = reach.copy(), list(group)
        for duel in equals:
            a, b = index[duel.winner], index[duel.loser]
            locked = not bool(reach[b, a])
            if locked:
                reach |= np.outer(reach[:, a], reach[b])
            elif not before[b, a]:
                between = [[one.winner, one.loser] for one in equals]
                steps.append({"step": "tie", "for": "duel", "between": between, "chosen": between[:1], "by": tie.rule})
            steps.append({"step": "duel", **duel._asdict(), "locked": locked})
    np.fill_diagonal(reach, False)
    return reach
