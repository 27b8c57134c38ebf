"""What the demo town's residents think: each draws an answer, some options being liked more than others."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, Final

Json = dict[str, Any]
Opinion = Callable[[random.Random], Json]
_BLANK: Final = 0.06


def options(*labels: str) -> list[dict[str, str]]:
    return [{"id": f"r{place}", "label": label} for place, label in enumerate(labels, start=1)]


def yes_no(text: str) -> Json:
    options = [{"id": "oui", "label": "Oui"}, {"id": "non", "label": "Non"}]
    return {"text": text, "method": "yes_no", "options": options, "tie_break": "none"}


def opinions(yes: int, no: int, blank: int) -> Opinion:
    return lambda chance: chance.choices(({"choice": "oui"}, {"choice": "non"}, {"blank": True}), (yes, no, blank))[0]


def _liking(weights: Sequence[float], chance: random.Random) -> list[str]:
    """Options from the most to the least liked: some are liked more than others, by everybody in their own way."""
    return [
        f"r{place}" for place in sorted(range(1, len(weights) + 1), key=lambda p: -weights[p - 1] * chance.random())
    ]


def _or_blank(opinion: Opinion) -> Opinion:
    return lambda chance: {"blank": True} if chance.random() < _BLANK else opinion(chance)


def ranking(weights: Sequence[float]) -> Opinion:
    def opinion(chance: random.Random) -> Json:
        liked = _liking(weights, chance)
        return {"ranking": [[option] for option in liked[: chance.randint(1, len(liked))]]}

    return _or_blank(opinion)


def some(weights: Sequence[float], most: int) -> Opinion:
    def opinion(chance: random.Random) -> Json:
        liked = _liking(weights, chance)[: chance.randint(1, most)]
        return {"choices": sorted(liked, key=lambda option: int(option[1:]))}

    return _or_blank(opinion)


def grading(weights: Sequence[float], grades: int) -> Opinion:
    def opinion(chance: random.Random) -> Json:
        given = {}
        for place, weight in enumerate(weights, start=1):
            drawn = round((1 - weight * chance.random()) * grades)
            given[f"r{place}"] = f"m{min(grades, max(1, drawn))}"
        return {"grades": given}

    return _or_blank(opinion)


def market(chance: random.Random) -> Json:
    if chance.random() < _BLANK:
        return {"blank": True}
    given: Json = {"venir": chance.choices(("pied", "velo", "bus", "auto"), (40, 20, 8, 32))[0]}
    if given["venir"] == "auto":
        given["garer"] = [one for one in ("gare", "halle", "rue") if chance.random() < 0.5] or ["rue"]
    given["horaires"] = chance.choices(range(6), (3, 5, 10, 25, 35, 22))[0]
    if chance.random() < 0.8:
        given["foyer"] = chance.choices(range(1, 7), (30, 32, 17, 14, 5, 2))[0]
    return {"items": given}
