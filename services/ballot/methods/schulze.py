"""Condorcet by Schulze: strongest paths, by winning votes.

The voter ranks options, equals admitted. In each duel the option that more voters rank above the other wins, with as
much strength as voters did so. A path is as strong as its weakest duel; a stands before b when the strongest path from
a to b is stronger than the one back. Equals go by the question's tie-break. Source: Schulze, *A new monotonic,
clone-independent … single-winner election method*, Social Choice and Welfare 36 (2011), strength by winning votes.
"""

from __future__ import annotations

import numpy as np

from services.ballot.methods import pairwise
from services.ballot.methods.method import Json, Profile, Question
from services.ballot.methods.rankings import Ints, rankings
from services.ballot.methods.ties import TieBreak


class Schulze(pairwise.Condorcet):
    name = "schulze"

    def count(self, question: Question, profile: Profile) -> Json:
        found = rankings(question, profile)
        duels = pairwise.matrix(found)
        head: Json = {"blank": found.blank, "expressed": found.expressed}
        steps: list[Json] = [pairwise.step(found, duels)]
        if not found.expressed:
            return {"winners": [], **head, "ranking": [], "steps": steps}
        paths = strongest_paths(duels)
        steps.append({"step": "paths", "paths": pairwise.table(found.options, paths)})
        ranking = pairwise.rank(found.options, paths > paths.T)
        winners = TieBreak.of(question, steps).seat(ranking, question.settings["seats"])
        steps.append({"step": "elected", "options": winners})
        return {"winners": winners, **head, "ranking": ranking, "steps": steps}


def strongest_paths(duels: Ints) -> Ints:
    """[a, b]: the strength of the strongest path from a to b; 0 where there is none."""
    paths = np.where(duels > duels.T, duels, 0)
    for via in range(len(paths)):
        paths = np.maximum(paths, np.minimum(paths[:, via : via + 1], paths[via : via + 1, :]))
    np.fill_diagonal(paths, 0)
    return paths
