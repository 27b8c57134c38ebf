"""Instant run-off: the last option is eliminated, its ballots go to the next one they name, until one has most.

The voter ranks options, one at each rank, as many as they wish. Options that nobody supports in a round are eliminated
together with its last one, since they pass nothing on. An option with more than half of the votes that are still in
play is elected. Tie for the last place: fewest votes in the latest earlier round where they differ, then the question's
tie-break. Source: Ware's method; as in Minneapolis Code of Ordinances, ch. 167, eliminating one at a time.
"""

from __future__ import annotations

from typing import Any

from services.ballot.methods import marks
from services.ballot.methods.method import Json, Method, Profile, Question
from services.ballot.methods.rankings import preferences
from services.ballot.methods.ties import TieBreak
from services.ballot.methods.transfer import Piles, lowest


class Irv(Method):
    name = "irv"

    def check_marks(self, question: Question, answer: Any) -> None:
        """{"ranking": [[id], …]}, best first, one option at each rank."""
        marks.ranking(question, answer, equals=False)

    def count(self, question: Question, profile: Profile) -> Json:
        found = preferences(question, profile)
        head: Json = {"blank": found.blank, "expressed": found.expressed}
        steps: list[Json] = []
        winners: list[str] = []
        if found.expressed:
            winners = _rounds(Piles(found, 1), found.expressed, TieBreak.of(question, steps), steps)
        return {"winners": winners, **head, "steps": steps}


def _rounds(piles: Piles[int], expressed: int, tie: TieBreak, steps: list[Json]) -> list[str]:
    """One step a round: votes as they stand, then who is elected, or who is eliminated and where their ballots go."""
    history: list[dict[str, int]] = []
    while True:
        votes = {option: piles.votes[option] for option in piles.options if piles.continuing[option]}
        active = sum(votes.values())
        told: Json = {
            "step": "round",
            "round": len(history) + 1,
            "votes": votes,
            "exhausted": expressed - active,
            "elected": [option for option, number in votes.items() if 2 * number > active],
            "eliminated": [],
            "transfers": [],
        }
        if told["elected"]:
            steps.append(told)
            return list(told["elected"])
        behind = [option for option, number in votes.items() if number == 0]
        behind.append(lowest([option for option, number in votes.items() if number], votes, history, tie))
        steps.append(told)
        history.append(votes)
        for option in behind:
            piles.leave(option)
        told["eliminated"] = behind
        told["transfers"] = [_moved(piles, option) for option in behind if votes[option]]


def _moved(piles: Piles[int], option: str) -> Json:
    number = piles.votes[option]
    received = piles.move(option, piles.classes(option))
    piles.votes[option] = 0
    return {"from": option, "to": received, "exhausted": number - sum(received.values())}
