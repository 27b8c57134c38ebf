"""Random questions and profiles of every method, by one generator: for properties, for drills against other counts.

`Draw` draws from a `random.Random`, so that a seed makes the same question and profile again.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from services.ballot.methods.budget_equal_shares import COMPLETIONS, UTILITIES
from services.ballot.protocol.questions import Question
from tests.ballot.methods.asking import ask, key

NAMES: Final = "abcdefghijklmnopqrstuvwxyz"
GRADES: Final = ("tb", "b", "ab", "p", "ins", "rej")
Profile = list[tuple[Any, int]]


class Draw:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def question(self, method: str, options: int, tie: str | None = None) -> Question:
        names = list(NAMES[:options])
        self.chance.shuffle(names)
        if method == "survey":
            return ask("survey", (), "none", items=self._items())
        if method == "yes_no":
            return ask("yes_no", ("oui", "non"), "none")
        tie = tie or self.chance.choice(("order", f"lot:{self.chance.randrange(1000)}"))
        return ask(method, names, tie, **self._settings(method, names))

    def profile(self, question: Question, ballots: int, most_times: int = 3) -> Profile:
        """Distinct answers, each with how many chose it; small numbers, so that ties abound."""
        answers = [self.answer(question) for _ in range(ballots)]
        by_key = {key(answer): answer for answer in answers}
        return [(answer, self.chance.randint(1, most_times)) for answer in by_key.values()]

    def answer(self, question: Question) -> Any:
        if self.chance.random() < 0.05:
            return {"blank": True}
        return _ANSWERS[question.method](self, question)

    def _settings(self, method: str, names: list[str]) -> dict[str, Any]:
        chance, size = self.chance, len(names)
        seats = {"seats": chance.randint(1, min(size - 1, 8))} if size > 1 else {}
        if method == "irv":
            return {}
        if method == "supports":
            return {"threshold": chance.randint(1, 8)}
        if method.startswith("budget"):
            return self._budget(method, names)
        own: dict[str, dict[str, Any]] = {
            "multiple_choice": {"least": 1, "most": chance.randint(1, size)},
            "score": {"least": (least := chance.randint(-3, 1)), "most": least + chance.randint(1, 10)},
            "cumulative": {"points": 7, "most": chance.randint(1, 7)},
            "majority_judgment": {"grades": [{"id": g, "label": g} for g in GRADES[: chance.randint(2, 6)]]},
        }
        return seats | own.get(method, {})

    def _budget(self, method: str, names: list[str]) -> dict[str, Any]:
        chance = self.chance
        kinds: list[dict[str, Any]] = [
            {"kind": "approval", "least": 1, "most": chance.randint(1, len(names))},
            {"kind": "points", "points": 7, "most": chance.randint(1, 7)},
        ]
        # Coarse costs make ties, fine ones make long fractions.
        costs = {name: chance.choice((0, 10, 20, 30, chance.randint(1, 60))) for name in names}
        budget = {"budget": chance.randint(1, 30 * len(names)), "costs": costs, "ballot": chance.choice(kinds)}
        if method == "budget_greedy":
            return budget
        return budget | {"completion": chance.choice(COMPLETIONS), "utility": chance.choice(UTILITIES)}

    def _items(self) -> list[dict[str, Any]]:
        options = [{"id": name, "label": name} for name in "xyz"]
        shown = {"item": "one", "values": self.chance.sample("xyz", self.chance.randint(1, 3))}
        items: list[dict[str, Any]] = [
            {"id": "one", "kind": "choice", "options": options},
            {"id": "many", "kind": "multiple", "options": options, "least": 1, "most": self.chance.randint(1, 3)},
            {"id": "scale", "kind": "scale", "least": -2, "most": 2, "least_label": "non", "most_label": "oui"},
            {"id": "number", "kind": "number", "least": 0, "most": 5},
        ]
        return [
            {
                **item,
                "text": "Dites-nous",
                "required": self.chance.random() < 0.5,
                "shown_if": None if item["id"] == "one" or self.chance.random() < 0.5 else shown,
            }
            for item in items
        ]

    def some(self, question: Question, least: int, most: int) -> list[str]:
        """Options in the question's order."""
        names = [option.id for option in question.options]
        chosen = set(self.chance.sample(names, self.chance.randint(least, min(most, len(names)))))
        return [name for name in names if name in chosen]


def _choice(draw: Draw, question: Question) -> Any:
    return {"choice": draw.some(question, 1, 1)[0]}


def _choices(draw: Draw, question: Question) -> Any:
    least = 0 if question.method == "approval" else 1
    return {"choices": draw.some(question, least, question.settings.get("most", len(question.options)))}


def _scores(draw: Draw, question: Question) -> Any:
    least, most = question.settings["least"], question.settings["most"]
    return {"scores": {name: draw.chance.randint(least, most) for name in draw.some(question, 1, 99)}}


def _grades(draw: Draw, question: Question) -> Any:
    known = [grade["id"] for grade in question.settings["grades"]]
    return {"grades": {name: draw.chance.choice(known) for name in draw.some(question, 1, 99)}}


def _points(draw: Draw, question: Question) -> Any:
    ballot = question.settings.get("ballot", question.settings)
    points: Counter[str] = Counter()
    names = draw.some(question, 1, 99)
    for _ in range(draw.chance.randint(1, ballot["points"])):
        name = draw.chance.choice(names)
        points[name] += points[name] < ballot["most"]
    return {"points": dict(points)}


def _budget(draw: Draw, question: Question) -> Any:
    ballot = question.settings["ballot"]
    if ballot["kind"] == "points":
        return _points(draw, question)
    return {"choices": draw.some(question, ballot["least"], ballot["most"])}


def _strict(draw: Draw, question: Question) -> Any:
    names = draw.some(question, 1, 99)
    draw.chance.shuffle(names)
    return {"ranking": [[name] for name in names]}


def _weak(draw: Draw, question: Question) -> Any:
    ranks: dict[int, list[str]] = {}
    for name in draw.some(question, 1, 99):  # in the question's order, as equals must stand
        ranks.setdefault(draw.chance.randint(1, len(question.options)), []).append(name)
    return {"ranking": [ranks[rank] for rank in sorted(ranks)]}


def _survey(draw: Draw, question: Question) -> Any:
    given: dict[str, Any] = {}
    for item in question.settings["items"]:
        condition = item["shown_if"]
        if condition and given.get("one") not in condition["values"]:
            continue
        if not item["required"] and draw.chance.random() < 0.4:
            continue
        if item["kind"] == "choice":
            given[item["id"]] = draw.chance.choice("xyz")
        elif item["kind"] == "multiple":
            given[item["id"]] = sorted(draw.chance.sample("xyz", draw.chance.randint(1, item["most"])))
        else:
            given[item["id"]] = draw.chance.randint(item["least"], item["most"])
    return {"items": given}


_ANSWERS: Final[dict[str, Callable[[Draw, Question], Any]]] = {
    **dict.fromkeys(("yes_no", "single_choice"), _choice),
    **dict.fromkeys(("multiple_choice", "approval", "supports"), _choices),
    **dict.fromkeys(("borda", "schulze", "ranked_pairs"), _weak),
    **dict.fromkeys(("irv", "stv_scottish", "stv_wigm"), _strict),
    **dict.fromkeys(("budget_greedy", "budget_equal_shares"), _budget),
    "score": _scores,
    "cumulative": _points,
    "majority_judgment": _grades,
    "survey": _survey,
}
