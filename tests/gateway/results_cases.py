"""Real results to show: every method counts a seeded random profile of 2, 10 or 60 options by the ballot service's own
code. `CASES` are the ids of the polls, `add` puts them into the stub services' world."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID, uuid5

from services.ballot.methods import METHODS
from services.ballot.protocol.questions import read_questions
from services.shared import strict
from tests.gateway.stub_services import Poll, World, tally

Json = dict[str, Any]
SIZES: Final = (2, 10, 60)
_PEOPLE: Final = 900
_PLACES: Final = (
    "Maison des Halles",
    "Ouvrir les berges de la Vilaine aux piétons le dimanche, du pont de Chaulnes au Mail",
    "Le Mabilay",
    "Rénover la salle de quartier et ses abords, avec un accès de plain-pied et une cour",
    "Jardin partagé de Cleunay",
    "Une bibliothèque ouverte jusqu’à minuit en période d’examens, sur le campus de Villejean",
    "Atelier vélo",
    "Planter un verger communal",
    "Fontaines à eau dans les parcs",
    "Anne-Gaëlle Le Quellec-Bertholomé",
)
_GRADES: Final = ("Très bien", "Bien", "Assez bien", "Passable", "Insuffisant", "À rejeter")


def _label(n: int) -> str:
    return _PLACES[n] if n < len(_PLACES) else f"{_PLACES[n % len(_PLACES)]} (n° {n + 1})"


@dataclass(frozen=True)
class Case:
    """One question under one method, with so many options."""

    method: str
    size: int
    variant: str = ""

    @property
    def name(self) -> str:
        return "-".join(filter(None, (self.method, self.variant, str(self.size))))

    @property
    def poll(self) -> str:
        return str(uuid5(UUID(int=7), self.name))

    @property
    def path(self) -> str:
        return f"/scrutins/{self.poll}/resultats"


def _cases() -> list[Case]:
    found = [Case(m, n) for m in METHODS for n in SIZES if not (m == "yes_no" and n > 2)]
    found += [Case("budget_equal_shares", n, "add1") for n in (2, 10)]
    found += [
        Case(m, n, "tie") for m in ("irv", "stv_scottish", "approval", "ranked_pairs", "supports") for n in (2, 10)
    ]
    return found + [Case(m, 10, "nobody") for m in METHODS if m != "yes_no"]


CASES: Final = _cases()


def question(case: Case) -> Json:
    """The question as a manifest has it."""
    n = case.size
    options = [{"id": f"o{i}", "label": _label(i)} for i in range(n)]
    asked: Json = {
        "id": "q1",
        "text": "Que faut-il faire en premier dans le quartier, avec l’argent et le temps de l’année qui vient ?",
        "method": case.method,
        "options": [] if case.method == "survey" else options,
        "blank": True,
        "tie_break": "none" if case.method in ("yes_no", "survey") else "lot:rennes-2026" if n == 10 else "order",
    }
    settings = _settings(case)
    return asked | ({"settings": settings} if settings else {})


def _settings(case: Case) -> Json:
    n = case.size
    seats = max(1, min(n - 1, {2: 1, 10: 3, 60: 8}[n]))
    budget = {
        "budget": 60_000 * n,
        "costs": {f"o{i}": 12_000 + 7_500 * (i * 7 % 23) for i in range(n)},
        "ballot": {"kind": "approval", "least": 1, "most": n},
    }
    grades = [{"id": f"g{i}", "label": label} for i, label in enumerate(_GRADES)]
    known: dict[str, Json] = {
        "multiple_choice": {"least": 1, "most": min(n, 4), "seats": seats},
        "supports": {"threshold": 300},
        "score": {"least": 0, "most": 10, "seats": seats},
        "cumulative": {"points": 10, "most": 6, "seats": seats},
        "majority_judgment": {"grades": grades, "seats": 1},
        "budget_greedy": budget,
        "budget_equal_shares": {**budget, "completion": case.variant or "utilitarian", "utility": "cost"},
        "survey": {"items": _items(n)},
        "single_choice": {"seats": 1},
        "approval": {"seats": 1},
    }
    if case.variant == "nobody" and case.method == "budget_equal_shares":
        known["budget_equal_shares"]["completion"] = "none"
    if case.method in ("irv", "yes_no"):
        return {}
    return known.get(case.method, {"seats": seats})


def _items(n: int) -> list[Json]:
    base = {"required": False, "shown_if": None}
    items: list[Json] = []
    for i in range(n):
        options = [{"id": f"v{k}", "label": _label(k)} for k in range(2 + i % 5)]
        kinds: list[Json] = [
            {"kind": "choice", "options": options},
            {"kind": "number", "least": 0, "most": 3000},
            {"kind": "multiple", "options": options, "least": 1, "most": 2},
            {"kind": "scale", "least": 0, "most": 10, "least_label": "pas du tout", "most_label": "tout à fait"},
        ]
        text = f"Question {i + 1}. Que pensez-vous de « {_label(i % 10)} », pour vous et pour vos proches ?"
        items.append({"id": f"i{i}", "text": text, **base, **kinds[i % 4]})
    if n > 2:
        items[2]["shown_if"] = {"item": "i0", "values": ["v0"]}
    return items


@cache
def profile(case: Case) -> list[tuple[Json, int]]:
    if case.variant == "nobody":
        return [({"blank": True}, 12)]
    if case.variant == "tie":
        return _ties(case)
    draw = random.Random(case.name)
    weights = [1 / (1 + draw.random() * 6) for _ in range(max(case.size, 2))]
    marks = MARKS[case.method]
    counts = Counter(strict.canonical(marks(case, draw, weights)) for _ in range(_PEOPLE))
    return [(strict.parse(answer), times) for answer, times in sorted(counts.items())] + [({"blank": True}, 31)]


def _ties(case: Case) -> list[tuple[Json, int]]:
    """As many for each of the first four (or two), so that only the tie-break can tell them apart."""
    first = [f"o{i}" for i in range(min(4, case.size))]
    if case.method in ("approval", "supports"):
        return [({"choices": [option]}, 320) for option in first]
    turned = [first[i:] + first[:i] for i in range(len(first))]
    return [({"ranking": [[option] for option in order]}, 120) for order in turned]


def _picked(draw: random.Random, weights: list[float], number: int) -> list[int]:
    """So many different places, the heavy ones more often."""
    return sorted(range(len(weights)), key=lambda i: draw.random() ** (1 / weights[i]), reverse=True)[:number]


def _choices(case: Case, draw: random.Random, weights: list[float], most: int) -> Json:
    number = draw.randint(1, min(most, case.size))
    return {"choices": [f"o{i}" for i in sorted(_picked(draw, weights, number))]}


def _ranking(case: Case, draw: random.Random, weights: list[float]) -> Json:
    chosen = _picked(draw, weights, draw.randint(1, min(case.size, 8)))
    return {"ranking": [[f"o{i}"] for i in chosen]}


def _score(case: Case, draw: random.Random, weights: list[float]) -> Json:
    return {"scores": {f"o{i}": min(10, int(weights[i] * 7) + draw.randint(0, 4)) for i in range(case.size)}}


def _points(case: Case, draw: random.Random, weights: list[float]) -> Json:
    chosen = _picked(draw, weights, min(3, case.size))
    return {"points": {f"o{i}": points for i, points in zip(chosen, (5, 3, 2), strict=False)}}


def _graded(case: Case, draw: random.Random, weights: list[float]) -> Json:
    return {
        "grades": {
            f"o{i}": f"g{max(0, min(5, int(5 - 5 * weights[i] + draw.gauss(0, 1.4))))}" for i in range(case.size)
        }
    }


def _answers(case: Case, draw: random.Random, weights: list[float]) -> Json:
    given: Json = {}
    for item in _items(case.size):
        before = item["shown_if"]
        if draw.random() < 0.1 or (before and given.get(before["item"]) not in before["values"]):
            continue
        if "options" in item:
            known = [option["id"] for option in item["options"]]
            mine = draw.sample(known, 1 if item["kind"] == "choice" else draw.randint(1, 2))
            given[item["id"]] = mine[0] if item["kind"] == "choice" else [o for o in known if o in mine]
        else:
            given[item["id"]] = min(item["most"], int(draw.expovariate(1 / 4) * (1 if item["kind"] == "scale" else 90)))
    return {"items": given}


Marks = Callable[[Case, random.Random, list[float]], Json]
MARKS: Final[dict[str, Marks]] = {
    "single_choice": lambda c, d, w: {"choice": f"o{_picked(d, w, 1)[0]}"},
    "yes_no": lambda c, d, w: {"choice": f"o{_picked(d, w, 1)[0]}"},
    "multiple_choice": lambda c, d, w: _choices(c, d, w, 4),
    "approval": lambda c, d, w: _choices(c, d, w, 8),
    "supports": lambda c, d, w: _choices(c, d, w, c.size // 2 + 1),
    "budget_greedy": lambda c, d, w: _choices(c, d, w, 6),
    "budget_equal_shares": lambda c, d, w: _choices(c, d, w, 6),
    "score": _score,
    "cumulative": _points,
    "majority_judgment": _graded,
    "survey": _answers,
    **dict.fromkeys(("borda", "schulze", "ranked_pairs", "irv", "stv_scottish", "stv_wigm"), _ranking),
}


def result(case: Case) -> Json:
    """What the ballot service counts, through the JSON it is published in."""
    counted: Json = json.loads(_counted(case))
    return counted


@cache
def _counted(case: Case) -> bytes:
    asked = read_questions([question(case)], METHODS)[0]
    answers = profile(case)
    for answer, _ in answers:
        asked.rule.check(asked, answer)
    return strict.canonical(asked.rule.count(asked, answers))


def sums(case: Case) -> Json | None:
    asked = read_questions([question(case)], METHODS)[0]
    return asked.rule.sums(asked, profile(case)) if asked.rule.is_sum else None


def add(world: World, case: Case) -> Json:
    """The case as a poll whose results are published; returns its result."""
    found = result(case)
    people = found.get("expressed", _PEOPLE) + found["blank"]
    poll = Poll(
        case.poll,
        f"Le budget du quartier ({case.name})",
        "tallied",
        questions=[question(case)],
        opens=timedelta(days=-30),
        closes=timedelta(days=-10),
        roll=4 * people,
        turnout=people,
    )
    poll.tally = tally(poll, 0, 0, 0, superseded=7, reissued=0) | {
        "questions": [{"id": "q1", "method": case.method, "result": found}],
        "counted": people,
        "turnout": people,
        "issued": people + 9,
    }
    world.add(poll)
    return found
