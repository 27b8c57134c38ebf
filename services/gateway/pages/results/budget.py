"""Participatory budgets: the money filling up, project by project, and why each one is funded or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.gateway.pages.language import plural, said, strung
from services.gateway.pages.results.model import (
    Block,
    Cell,
    Column,
    Heading,
    Key,
    Labels,
    Row,
    Shown,
    Span,
    Strip,
    Table,
    Words,
)
from services.gateway.pages.results.numbers import along, euros, exact, votes
from services.gateway.pages.results.outcome import Json, ballots, expressed, ties
from services.gateway.pages.words import number

HOW: Final = {
    "budget_greedy": "Les projets sont pris du plus voté au moins voté ; chacun est financé si l’argent qui reste "
    "suffit, sinon on passe au suivant.",
    "budget_equal_shares": "Le budget est partagé à parts égales entre les votants. Un projet est financé par ceux qui "
    "l’ont choisi, chacun selon sa part ; on commence par celui qui leur coûte le moins (méthode des parts égales).",
}
_COMPLETION: Final = {
    "none": "L’argent qui reste n’est pas dépensé.",
    "utilitarian": "L’argent qui reste finance ensuite les projets les plus votés, tant qu’il suffit.",
    "add1": "Les parts sont augmentées euro par euro, tant que le total tient dans le budget.",
    "add1_utilitarian": "Les parts sont augmentées euro par euro, tant que le total tient dans le budget ; puis "
    "l’argent qui reste finance les projets les plus votés.",
}


def view(labels: Labels, method: str, result: Json) -> Shown:
    winners, budget = list(result["winners"]), result["budget"]
    spent = budget - result["left"]
    if winners:
        heading = plural(
            "%(n)s projet financé pour %(spent)s ; il reste %(left)s",
            "%(n)s projets financés pour %(spent)s ; il reste %(left)s",
            len(winners),
            n=number(len(winners)),
            spent=euros(spent),
            left=euros(result["left"]),
        )
    else:
        heading = said("Aucun projet financé") if expressed(result) else said("Aucune voix exprimée")
    how = [said(HOW[method])]
    if method == "budget_equal_shares":
        how.append(said(_COMPLETION[labels.question.settings["completion"]]))
    blocks: list[Block] = [_filled(labels, result, winners), *_shares(result), _projects(labels, result)]
    if told := ties(labels, result):
        blocks.append(Words(said("Égalités"), told))
    return Shown(heading, strung(how), blocks)


def _filled(labels: Labels, result: Json, winners: Sequence[str]) -> Strip:
    """The whole budget as one bar: the projects in the order of their funding, then what is left."""
    costs, budget = labels.question.settings["costs"], result["budget"]
    pieces, before = [], 0
    for place, option in enumerate(winners, 1):
        start, end = along(before, budget), along(before + costs[option], budget)
        before += costs[option]
        middle = (start + end) // 2 if end - start >= 60 else None
        pieces.append(Span(start, end - start, "cost", str(place), middle))
    pieces.append(Span(along(before, budget), 1000 - along(before, budget), "left", ""))
    left = euros(result["left"])
    told = said(
        "Budget de %(budget)s : %(spent)s dépensés, %(left)s de reste. Chaque part est un projet financé ; le tableau "
        "qui suit les donne dans le même ordre.",
        budget=euros(budget),
        spent=euros(budget - result["left"]),
        left=left,
    )
    legend = [
        Key("1…", said("projets financés, dans l’ordre"), "cost"),
        Key("", said("reste : %(left)s", left=left), "left"),
    ]
    return Strip(said("Le budget de %(budget)s", budget=euros(budget)), told, pieces, legend)


def _shares(result: Json) -> list[Block]:
    """What everybody has to spend, where the method shares the money out."""
    told = []
    for step in result["steps"]:
        if step["step"] == "share":
            told.append(
                plural(
                    "%(budget)s partagés entre %(n)s votant : %(share)s chacun.",
                    "%(budget)s partagés entre %(n)s votants : %(share)s chacun.",
                    step["people"],
                    budget=euros(step["budget"]),
                    n=number(step["people"]),
                    share=euros(step["share"]),
                )
            )
        elif step["step"] == "raised" and step["by"]:
            by, share = euros(step["by"]), euros(step["share"])
            told.append(said("Les parts sont augmentées de %(by)s, à %(share)s.", by=by, share=share))
        elif step["step"] == "raised":
            told.append(said("Les parts n’ont pas pu être augmentées sans dépasser le budget."))
    return [Heading(said("La part de chacun"), strung(told))] if told else []


def _projects(labels: Labels, result: Json) -> Table:
    """Projects as they were looked at, then those that nobody could pay."""
    looked, phase = list[Row](), ""
    spent, place, done = 0, 0, set[str]()
    for step in result["steps"]:
        if step["step"] == "completion":
            phase = said("Au complément, avec l’argent qui reste.")
        if step["step"] not in ("bought", "project"):
            continue
        option, funded = step["option"], step.get("funded", True)
        place += funded
        before = spent
        spent += step["cost"] if funded else 0
        done.add(option)
        cells = [_cost(result, option, step["cost"])]
        bar = _fill(before, step["cost"], funded, result["budget"])
        why = _paid(labels, step) if step["step"] == "bought" else phase
        note = strung(filter(None, (_decision(step, funded), why)))
        tag = said("Financé") if funded else ""
        looked.append(Row(labels[option], cells, str(place) if funded else "–", tag, bar=bar, note=note))
    for option in sorted((o for o in labels.ids if o not in done), key=lambda o: -result["counts"][o]):
        if result["counts"][option]:
            note = said("Non financé : ses soutiens n’ont plus assez.")
        else:
            note = said("Non financé : aucune voix.")
        cost = _cost(result, option, labels.question.settings["costs"][option])
        looked.append(Row(labels[option], [cost], "–", note=note))
    columns = [Column(said("Projet")), Column(said("Coût"), said("et voix"))]
    notes = [said("La barre se remplit de projet en projet : ce qui est déjà dépensé, puis ce projet.")]
    if any(not step.get("funded", True) for step in result["steps"]):
        notes.append(said("Un contour en tirets dépasserait ce qui reste."))
    caption = strung([said("Les projets, dans l’ordre où ils sont examinés."), ballots(result)])
    return Table(caption, columns, looked, "bars money", note=strung(notes))


def _cost(result: Json, option: str, cost: int) -> Cell:
    return Cell(euros(cost), small=votes(result["counts"][option]), strong=True)


def _decision(step: Json, funded: bool) -> str:
    left = euros(step["left"])
    if funded:
        return said("Il reste %(left)s.", left=left)
    return said("Non financé : il ne restait que %(left)s.", left=left)


def _paid(labels: Labels, step: Json) -> str:
    """Who paid, and how much for one unit of what a supporter gets."""
    if not step["cost"]:
        return said("Ce projet ne coûte rien.")
    each = euros(step["price"], 2 if exact(step["price"]) >= 1 else 5)
    if labels.question.settings["utility"] == "cost":
        price = said("%(each)s par euro de projet", each=each)
    else:
        price = said("%(each)s par unité", each=each)
    return plural(
        "%(n)s payeur, à %(price)s ou tout ce qui leur reste.",
        "%(n)s payeurs, à %(price)s ou tout ce qui leur reste.",
        step["payers"],
        n=number(step["payers"]),
        price=price,
    )


def _fill(before: int, cost: int, funded: bool, budget: int) -> list[Span]:
    """What was spent before, then this project's cost; one that is not funded shows how far beyond it would go."""
    start, end = along(before, budget), along(before + cost, budget)
    spent = [Span(0, start, "spent")] if start else []
    return [*spent, Span(start, max(2, end - start), "won" if funded else "beyond")]
