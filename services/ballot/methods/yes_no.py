"""Yes or no: two options, one choice, or a blank vote.

The voter marks one of two options, or *blanc* where it is offered. The option with more votes wins; blank votes are
counted apart and never change who wins. A tie has no winner: a question put to yes or no is then not carried, and no
lot should decide it. Source: simple majority of the votes cast, blank votes apart (Code électoral, L65).
"""

from __future__ import annotations

from typing import Any

from services.ballot.methods.method import Method, Profile, Question, WrongAnswer, WrongQuestion


class YesNo(Method):
    name = "yes_no"
    is_sum = True
    tie_breaks = ("none",)

    def check_question(self, question: Question) -> None:
        if len(question.options) != 2:
            raise WrongQuestion("must hold exactly two options", field="options")

    def check(self, question: Question, answer: Any) -> None:
        """Exactly {"choice": id of an option}, or {"blank": true} where the question offers it."""
        if not isinstance(answer, dict) or len(answer) != 1:
            raise WrongAnswer("must be an object with one field: choice or blank")
        if "choice" in answer:
            choice = answer["choice"]
            for option in question.options:
                if option.id == choice:
                    return
            raise WrongAnswer("is not an option of the question", field="choice")
        if "blank" not in answer:
            raise WrongAnswer("is not a known field", field=next(iter(answer))[:80])
        if answer["blank"] is not True:
            raise WrongAnswer("must be true", field="blank")
        if not question.blank:
            raise WrongAnswer("the question does not offer a blank vote", field="blank")

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
