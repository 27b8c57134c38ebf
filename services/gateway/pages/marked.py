"""What a ballot says, in words: for the page where one checks it before it is cast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from services.gateway.clients.ballot import Question
from services.gateway.pages.language import plural, said, theirs
from services.gateway.pages.numbers import euros, number
from services.gateway.voting import Answer


@dataclass(frozen=True, slots=True)
class Marked:
    """`lines` in order; `ordered`: they are ranks. `notes`: what it comes to, or what leaving out means."""

    lines: Sequence[str]
    ordered: bool = False
    notes: Sequence[str] = field(default_factory=list)


def words(question: Question, answer: Answer) -> Marked:
    labels = {option.id: theirs(option.label) for option in question.options}
    if answer.get("blank"):
        return Marked([said("Vote blanc")])
    if "choice" in answer:
        return Marked([labels.get(answer["choice"], said("Réponse inconnue"))])
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
        return Marked([said("Aucune réponse cochée : aucune ne vous convient")])
    if costs is None:
        return Marked([labels[option] for option in chosen])
    total = sum(costs[option] for option in chosen)
    lines = [_priced(labels[option], costs[option]) for option in chosen]
    budget = euros(question.settings["budget"])
    return Marked(
        lines, notes=[said("En tout %(total)s, sur un budget de %(budget)s.", total=euros(total), budget=budget)]
    )


def _ranking(question: Question, groups: Sequence[Sequence[str]], labels: Mapping[str, str]) -> Marked:
    lines = [
        reduce(
            lambda one, other: said("%(one)s et, à égalité, %(other)s", one=one, other=other),
            (said("« %(answer)s »", answer=labels[option]) for option in group),
        )
        for group in groups
    ]
    left = len(labels) - sum(map(len, groups))
    if not left:
        return Marked(lines, ordered=True)
    return Marked(lines, ordered=True, notes=[_unranked(question, left)])


def _unranked(question: Question, left: int) -> str:
    if question.method == "borda":
        return plural(
            "%(n)s réponse n’est pas classée : elle a les points de la dernière place.",
            "%(n)s réponses ne sont pas classées : elles se partagent les points des dernières places.",
            left,
        )
    if question.method in ("schulze", "ranked_pairs"):
        return plural(
            "%(n)s réponse n’est pas classée : elle vient après toutes les autres.",
            "%(n)s réponses ne sont pas classées : elles viennent après toutes les autres.",
            left,
        )
    return plural(
        "%(n)s réponse n’est pas classée : votre bulletin ne lui ira jamais.",
        "%(n)s réponses ne sont pas classées : votre bulletin ne leur ira jamais.",
        left,
    )


def _priced(answer: str, cost: int) -> str:
    return said("%(answer)s (%(cost)s)", answer=answer, cost=euros(cost))


def _by_option(question: Question, answer: Answer, labels: Mapping[str, str]) -> Marked:
    says = question.settings
    [(kind, given)] = answer.items()
    costs = says.get("costs", {})
    named = {grade["id"]: theirs(grade["label"]) for grade in says.get("grades", [])}
    lines = []
    for option, label in labels.items():
        if option in given:
            value = named[given[option]] if kind == "grades" else str(given[option])
            if kind == "points":
                value = plural("%(n)s point", "%(n)s points", given[option], n=number(given[option]))
            priced = _priced(label, costs[option]) if option in costs else label
            lines.append(said("%(answer)s : %(given)s", answer=priced, given=value))
    if kind == "points":
        return Marked(lines, notes=[_spread(says, sum(given.values()))])
    left = len(labels) - len(lines)
    return Marked(lines, notes=[_unsaid(kind, says, left)] if left else [])


def _spread(says: Mapping[str, Any], total: int) -> str:
    points = says["points"] if "points" in says else says["ballot"]["points"]
    return plural(
        "%(n)s point réparti sur %(all)s.",
        "%(n)s points répartis sur %(all)s.",
        total,
        n=number(total),
        all=points,
    )


def _unsaid(kind: str, says: Mapping[str, Any], left: int) -> str:
    if kind == "grades":
        return plural(
            "%(n)s réponse sans mention reçoit « %(worst)s ».",
            "%(n)s réponses sans mention reçoivent « %(worst)s ».",
            left,
            worst=theirs(says["grades"][-1]["label"]),
        )
    return plural(
        "%(n)s réponse sans note reçoit %(least)s.",
        "%(n)s réponses sans note reçoivent %(least)s.",
        left,
        least=says["least"],
    )


def _survey(question: Question, given: Mapping[str, Any]) -> Marked:
    lines = []
    for item in question.settings["items"]:
        if item["id"] not in given:
            continue
        labels = {option["id"]: option["label"] for option in item.get("options", [])}
        value = given[item["id"]]
        given_for = (
            ", ".join(labels[one] for one in value) if isinstance(value, list) else labels.get(value, str(value))
        )
        lines.append(theirs(f"{item['text']} {given_for}"))
    return Marked(lines or [said("Aucune réponse")])
