"""What a ballot says, in words: for the page where one checks it before it is cast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.gateway.clients.ballot import Question
from services.gateway.pages.numbers import count, euros
from services.gateway.voting import Answer


@dataclass(frozen=True, slots=True)
class Marked:
    """`lines` in order; `ordered`: they are ranks. `notes`: what it comes to, or what leaving out means."""

    lines: Sequence[str]
    ordered: bool = False
    notes: Sequence[str] = field(default_factory=list)


def words(question: Question, answer: Answer) -> Marked:
    labels = {option.id: option.label for option in question.options}
    if answer.get("blank"):
        return Marked(["Vote blanc"])
    if "choice" in answer:
        return Marked([labels.get(answer["choice"], "Réponse inconnue")])
    if "choices" in answer:
        return _choices(question, answer["choices"], labels)
    if "ranking" in answer:
        return _ranking(question, answer["ranking"], labels)
    if "items" in answer:
        return _survey(question, answer["items"])
    return _by_option(question, answer, labels)


def _choices(question: Question, chosen: Sequence[str], labels: Mapping[str, str]) -> Marked:
    costs = question.settings.get("costs")
    if not chosen:
        return Marked(["Aucune réponse cochée : aucune ne vous convient"])
    if costs is None:
        return Marked([labels[option] for option in chosen])
    total = sum(costs[option] for option in chosen)
    lines = [f"{labels[option]} ({euros(costs[option])})" for option in chosen]
    return Marked(lines, notes=[f"En tout {euros(total)}, sur un budget de {euros(question.settings['budget'])}."])


def _ranking(question: Question, groups: Sequence[Sequence[str]], labels: Mapping[str, str]) -> Marked:
    lines = [" et, à égalité, ".join(f"« {labels[option]} »" for option in group) for group in groups]
    left = len(labels) - sum(map(len, groups))
    if not left:
        return Marked(lines, ordered=True)
    what = count(left, "réponse n’est pas classée", "réponses ne sont pas classées")
    after = {
        "borda": "elles se partagent les points des dernières places",
        "schulze": "elles viennent après toutes les autres",
        "ranked_pairs": "elles viennent après toutes les autres",
    }.get(question.method, "votre bulletin ne leur ira jamais")
    return Marked(lines, ordered=True, notes=[f"{what} : {after if left > 1 else _singular(after)}."])


def _singular(text: str) -> str:
    return (
        text.replace("elles se partagent les points des dernières places", "elle a les points de la dernière place")
        .replace("elles viennent", "elle vient")
        .replace("leur ira", "lui ira")
    )


def _by_option(question: Question, answer: Answer, labels: Mapping[str, str]) -> Marked:
    says = question.settings
    [(kind, given)] = answer.items()
    costs = says.get("costs", {})
    named = {grade["id"]: grade["label"] for grade in says.get("grades", [])}
    lines = []
    for option, label in labels.items():
        if option in given:
            value = named[given[option]] if kind == "grades" else str(given[option])
            value = count(given[option], "point", "points") if kind == "points" else value
            cost = f" ({euros(costs[option])})" if option in costs else ""
            lines.append(f"{label}{cost} : {value}")
    left = len(labels) - len(lines)
    notes = []
    if kind == "points":
        points = says["points"] if "points" in says else says["ballot"]["points"]
        notes = [f"{count(sum(given.values()), 'point réparti', 'points répartis')} sur {points}."]
    elif left and kind == "grades":
        without = count(left, "réponse sans mention reçoit", "réponses sans mention reçoivent")
        notes = [f"{without} « {says['grades'][-1]['label']} »."]
    elif left:
        notes = [f"{count(left, 'réponse sans note reçoit', 'réponses sans note reçoivent')} {says['least']}."]
    return Marked(lines, notes=notes)


def _survey(question: Question, given: Mapping[str, Any]) -> Marked:
    lines = []
    for item in question.settings["items"]:
        if item["id"] not in given:
            continue
        labels = {option["id"]: option["label"] for option in item.get("options", [])}
        value = given[item["id"]]
        said = ", ".join(labels[one] for one in value) if isinstance(value, list) else labels.get(value, str(value))
        lines.append(f"{item['text']} {said}")
    return Marked(lines or ["Aucune réponse"])
