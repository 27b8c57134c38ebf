"""Yes or no: two options, one choice, or a blank vote.

The voter marks one of two options, or *blanc* where it is offered. The option with more votes wins; blank votes are
counted apart and never change who wins. A tie has no winner: a question put to yes or no is then not carried, and no
lot should decide it. Source: simple majority of the votes cast, blank votes apart (Code électoral, L65).
"""

from __future__ import annotations

from typing import Any

from services.ballot.methods import marks
from services.ballot.methods.method import Method, Profile, Question, WrongQuestion


class YesNo(Method):
    name = "yes_no"
    is_sum = True
    tie_breaks = ("none",)

    def check_question(self, question: Question) -> None:
        if len(question.options) != 2:
            raise WrongQuestion("must hold exactly two options", field="options")
        super().check_question(question)

    def check_marks(self, question: Question, answer: Any) -> None:
        """{"choice": id of an option}"""
        marks.one(question, answer)

    def sums(self, question: Question, profile: Profile) -> dict[str, Any]:
        counts = {option.id: 0 for option in question.options}
        blank = 0
        for answer, times in profile:
            if "choice" in answer:
                counts[answer["choice"]] += times
            else:
                blank += times
        return {"counts": counts, "blank": blank}

    def add(self, one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        counts = {option: votes + other["counts"][option] for option, votes in one["counts"].items()}
        return {"counts": counts, "blank": one["blank"] + other["blank"]}

    def count(self, question: Question, profile: Profile) -> dict[str, Any]:
        sums = self.sums(question, profile)
        counts: dict[str, int] = sums["counts"]
        most = max(counts.values())
        first = [option.id for option in question.options if counts[option.id] == most]
        winner = first[0] if len(first) == 1 else None
        steps = [
            {"step": "counted", "counts": dict(counts), "blank": sums["blank"], "expressed": sum(counts.values())},
            {"step": "won", "option": winner} if winner else {"step": "tied", "options": first},
        ]
        return {"counts": counts, "blank": sums["blank"], "winner": winner, "steps": steps}
