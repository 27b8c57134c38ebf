"""From what an officer typed to the draft of a poll, as the ballot service takes it, and back again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from services.gateway.pages import words
from services.gateway.pages.kit.form import Typed
from services.gateway.pages.kit.steps import Answers, Kept
from services.gateway.pages.office.forms import ANSWERS, BUDGETS, split_cost

Json = dict[str, Any]
_EPOCHS: Final = {"epoch_seconds": 60, "epoch_min": 20}
_LONGEST_ID: Final = 36


class NotFromPages(Exception):
    """The poll holds what these pages do not ask: it was made over the API, and is changed there."""


def as_draft(answers: Answers, before: Json | None = None) -> Json:
    """`before`: the manifest or draft that this takes the place of, whose stations and epochs stay."""
    subject = answers["sujet"]
    opens, closes = answers["dates"].moments()
    strata, stations = _lists(answers["listes"].strata.data, before or {})
    rounds = enumerate(answers.rounds("question", "reponses"), 1)
    return {
        "title": subject.name.data,
        "description": subject.description.data or "",
        "questions": [_question(f"q{n}", asked, answered) for n, (asked, answered) in rounds],
        "strata": strata,
        "stations": stations,
        "opens_at": opens,
        "closes_at": closes,
        **{name: (before or _EPOCHS)[name] for name in _EPOCHS},
    }


def _lists(chosen: Sequence[str], before: Json) -> tuple[list[Json], list[Json]]:
    """Each list of voters in a station of its own."""
    known = {stratum["id"]: stratum for stratum in before.get("strata", [])}
    labels = {station["id"]: station["label"] for station in before.get("stations", [])}
    strata, stations = [], []
    for stratum in chosen:
        label = known.get(stratum, {}).get("label") or _title(stratum)
        station = known.get(stratum, {}).get("station") or stratum
        strata.append({"id": stratum, "label": label, "station": station})
        stations.append({"id": station, "label": labels.get(station) or f"Bureau de vote : {label}"})
    return strata, stations


def _title(slug: str) -> str:
    return slug.replace("-", " ").replace("_", " ").capitalize()


def _question(id: str, asked: Any, answered: Any) -> Json:
    labels = answered.labels()
    options = [{"id": i, "label": label} for i, label in zip(ids(labels), labels, strict=True)]
    settings = _settings(asked.method.data, answered, [option["id"] for option in options])
    return {
        "id": id,
        "text": asked.text.data,
        "method": asked.method.data,
        "options": options,
        "blank": bool(answered.blank.data),
        "tie_break": _tie(answered),
        **({"settings": settings} if settings else {}),
    }


def _tie(answered: Any) -> str:
    if "tie" not in answered:
        return "none"
    return f"lot:{answered.seed.data}" if answered.tie.data == "lot" else "order"


def _settings(method: str, form: Any, options: Sequence[str]) -> Json:
    if method in BUDGETS:
        costs = [int(split_cost(line)[1]) for line in form.options.data.splitlines() if line.strip()]
        ballot = {"kind": "approval", "least": form.least.value, "most": form.most.value}
        more = {name: form[name].data for name in ("completion", "utility") if name in form}
        return {"budget": form.budget.value, "costs": dict(zip(options, costs, strict=True)), "ballot": ballot, **more}
    names = {"seats": "seats", "threshold": "threshold", "points": "points", "each": "most"}
    names |= {"lowest": "least", "highest": "most", "least": "least", "most": "most"}
    found = {name: form[field].value for field, name in names.items() if field in form}
    if "grades" in form:
        grades = [line.strip() for line in form.grades.data.splitlines() if line.strip()]
        found["grades"] = [{"id": i, "label": label} for i, label in zip(ids(grades), grades, strict=True)]
    return found


def ids(labels: Iterable[str]) -> list[str]:
    """A short id for each label, all different: its letters and digits, with a number where two would be the same."""
    found: list[str] = []
    for label in labels:
        plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
        slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_ID].strip("-") or "o"
        number, id = 2, slug
        while id in found:
            number, id = number + 1, f"{slug}-{number}"
        found.append(id)
    return found


# --- back again ---


def as_typed(says: Mapping[str, Any]) -> Kept:
    """What was typed to make this manifest or draft. Raises NotFromPages."""
    opens, closes = words.local(says["opens_at"]), words.local(says["closes_at"])
    if opens.second or closes.second:
        raise NotFromPages
    kept: dict[str, Typed] = {
        "sujet": {"name": [says["title"]], "description": [says["description"]]},
        "dates": {
            **{f"{name}_day": [f"{at:%d/%m/%Y}"] for name, at in (("opens", opens), ("closes", closes))},
            **{f"{name}_hour": [f"{at:%H:%M}"] for name, at in (("opens", opens), ("closes", closes))},
        },
        "listes": {"strata": [stratum["id"] for stratum in says["strata"]]},
    }
    for n, question in enumerate(says["questions"], 1):
        kept[f"question-{n}"] = {"text": [question["text"]], "method": [question["method"]]}
        kept[f"reponses-{n}"] = _answers(question) | ({"another": ["oui"]} if n < len(says["questions"]) else {})
    return kept


def _answers(question: Json) -> Typed:
    method, settings = question["method"], question.get("settings", {})
    form = ANSWERS.get(method)
    if form is None or settings.get("ballot", {}).get("kind", "approval") != "approval":
        raise NotFromPages
    costs = settings.get("costs", {})
    lines = [f"{o['label']} ; {costs[o['id']]}" if costs else o["label"] for o in question["options"]]
    tie, _, seed = question["tie_break"].partition(":")
    flat = settings | settings.get("ballot", {})
    same = ("seats", "threshold", "points", "budget", "completion", "utility")
    names = {name: name for name in same}
    names |= {"lowest": "least", "highest": "most"} if method == "score" else {"least": "least"}
    names |= {"each": "most"} if method == "cumulative" else {"most": "most"}
    typed: Typed = {field: [str(flat[name])] for field, name in names.items() if name in flat}
    if "grades" in settings:
        typed["grades"] = ["\n".join(grade["label"] for grade in settings["grades"])]
    typed |= {"options": ["\n".join(lines)], "tie": [tie], "seed": [seed]}
    typed |= {"blank": ["oui"]} if question["blank"] else {}
    known = set(form()._fields)
    return {name: values for name, values in typed.items() if name in known}
