"""Questions of every method with as many options as wanted, as a manifest holds them; and their real results."""

from __future__ import annotations

import random
from typing import Any

from services.ballot.methods import METHODS
from services.ballot.protocol.questions import Question, read_questions

Json = dict[str, Any]
NAMES = (
    *("Jardin partagé des Maraîchers", "Pistes cyclables vers la gare", "Ombre dans les cours d’école"),
    *("Fontaines à boire", "Café associatif de la Halle", "Terrain de pétanque", "Nichoirs et haies champêtres"),
    *("Atelier de réparation de vélos, avec prêt d’outils et bénévoles le samedi matin", "Skatepark", "Verger commun"),
)
GRADES = ("Excellent", "Très bien", "Bien", "Assez bien", "Passable", "Insuffisant", "À rejeter")
ITEMS: list[Json] = [
    {"id": "venir", "text": "Comment venez-vous au marché ?", "kind": "choice", "required": True, "shown_if": None,
     "options": [
         {"id": "pied", "label": "À pied"}, {"id": "velo", "label": "À vélo"}, {"id": "auto", "label": "En voiture"},
     ]},
    {"id": "parking", "text": "Où vous garez-vous ?", "kind": "multiple", "required": True, "least": 1, "most": 2,
     "shown_if": {"item": "venir", "values": ["auto"]},
     "options": [
         {"id": "gare", "label": "À la gare"},
         {"id": "halle", "label": "À la Halle"},
         {"id": "rue", "label": "Dans la rue"},
     ]},
    {"id": "avis", "text": "Êtes-vous content des horaires ?", "kind": "scale", "required": False, "shown_if": None,
     "least": 0, "most": 5, "least_label": "pas du tout", "most_label": "tout à fait"},
    {"id": "foyer", "text": "Combien de personnes vivent chez vous ?", "kind": "number", "required": False,
     "shown_if": None, "least": 1, "most": 20},
]  # fmt: skip


def question(method: str, options: int = 5, *, blank: bool = True, **other: Any) -> Json:
    """As in a manifest."""
    made = [
        {"id": f"o{i}", "label": NAMES[i % len(NAMES)] + (f" n° {i}" if i >= len(NAMES) else "")}
        for i in range(options)
    ]
    ids = [option["id"] for option in made]
    seats = max(1, min(3, options - 1))
    budget = {
        "budget": 400_000,
        "costs": {option: 12_000 + 7_300 * (i % 11) for i, option in enumerate(ids)},
        "ballot": {"kind": "approval", "least": 1, "most": min(4, options)},
    }
    settings: dict[str, Json] = {
        "single_choice": {"seats": 1},
        "multiple_choice": {"least": 1, "most": min(3, options), "seats": seats},
        "approval": {"seats": seats},
        "supports": {"threshold": 20},
        "score": {"least": 0, "most": 5, "seats": seats},
        "cumulative": {"points": 10, "most": 5, "seats": seats},
        "majority_judgment": {"grades": [{"id": f"g{i}", "label": name} for i, name in enumerate(GRADES)], "seats": 1},
        **{name: {"seats": seats} for name in ("borda", "schulze", "ranked_pairs", "stv_scottish", "stv_wigm")},
        "budget_greedy": budget,
        "budget_equal_shares": budget | {"completion": "utilitarian", "utility": "cost"},
        "survey": {"items": ITEMS},
    }
    asked: Json = {
        "id": "q1", "text": "Que faut-il faire d’abord dans notre ville ?", "method": method,
        "options": [] if method == "survey" else made[: 2 if method == "yes_no" else None], "blank": blank,
        "tie_break": "none" if method in ("yes_no", "survey") else "order",
    }  # fmt: skip
    if method in settings:
        asked["settings"] = settings[method] | other
    return asked


def read(asked: Json) -> Question:
    """As the ballot service reads it."""
    [found] = read_questions([asked], METHODS)
    return found


def answer(asked: Json, chance: random.Random) -> Json:
    """Any answer that the question admits, some options liked more than others."""
    if chance.random() < 0.05:
        return {"blank": True}
    ids = [option["id"] for option in asked["options"]]
    liked = sorted(ids, key=lambda o: chance.random() * (3 + ids.index(o) % 4))
    says = asked.get("settings", {})
    match asked["method"]:
        case "yes_no" | "single_choice":
            return {"choice": liked[0]}
        case "multiple_choice" | "approval" | "supports":
            most = says.get("most", len(ids))
            return {"choices": sorted(liked[: chance.randint(1, most)], key=ids.index)}
        case "score":
            return {
                "scores": {o: max(0, 5 - place) for place, o in enumerate(liked) if chance.random() < 0.8}
                or {ids[0]: 5}
            }
        case "cumulative":
            return {"points": dict(zip(liked, (5, 3, 2), strict=False))}
        case "majority_judgment":
            return {"grades": {o: f"g{min(6, place + chance.randint(0, 2))}" for place, o in enumerate(liked)}}
        case "budget_greedy" | "budget_equal_shares":
            return {"choices": sorted(liked[: chance.randint(1, says["ballot"]["most"])], key=ids.index)}
        case "survey":
            return {"items": _survey(chance)}
        case _:
            return {"ranking": [[o] for o in liked[: chance.randint(1, len(liked))]]}


def _survey(chance: random.Random) -> Json:
    given: Json = {"venir": chance.choice(("pied", "velo", "auto"))}
    if given["venir"] == "auto":
        given["parking"] = chance.choice((["gare"], ["gare", "rue"]))
    if chance.random() < 0.7:
        given["avis"] = chance.randint(0, 5)
    if chance.random() < 0.6:
        given["foyer"] = chance.randint(1, 6)
    return given


def result(asked: Json, ballots: int = 300, seed: int = 1) -> Json:
    """What the ballot service counts from so many random ballots."""
    chance = random.Random(seed)
    found = read(asked)
    profile = [(answer(asked, chance), 1) for _ in range(ballots)]
    for given, _ in profile:
        found.rule.check(found, given)
    return found.rule.count(found, profile)
