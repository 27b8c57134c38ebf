"""Participatory budgets: the money filling up, project by project, and why each one is funded or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

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
from services.gateway.pages.results.numbers import about, along, euros, precise
from services.gateway.pages.results.outcome import Json, ballots, expressed, ties
from services.gateway.pages.words import NBSP, count, number

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
        heading = (
            f"{count(len(winners), 'projet financé', 'projets financés')} pour {euros(spent)}{NBSP}; "
            f"il reste {euros(result['left'])}"
        )
    else:
        heading = "Aucun projet financé" if expressed(result) else "Aucune voix exprimée"
    how = HOW[method]
    if method == "budget_equal_shares":
        how = f"{how} {_COMPLETION[labels.question.settings['completion']]}"
    blocks: list[Block] = [_filled(labels, result, winners), *_shares(result), _projects(labels, method, result)]
    if told := ties(labels, result):
        blocks.append(Words("Égalités", told))
    return Shown(heading, how, blocks)


def _filled(labels: Labels, result: Json, winners: Sequence[str]) -> Strip:
    """The whole budget as one bar: the projects in the order of their funding, then what is left."""
    costs, budget = labels.question.settings["costs"], result["budget"]
    pieces, before = [], 0
    for place, option in enumerate(winners, 1):
        start, end = along(before, budget), along(before + costs[option], budget)
        before += costs[option]
        pieces.append(Span(start, end - start, f"b{place % 2}", str(place) if end - start >= 60 else ""))
    pieces.append(Span(along(before, budget), 1000 - along(before, budget), "left", ""))
    said = (
        f"Budget de {euros(budget)}{NBSP}: {euros(budget - result['left'])} dépensés, {euros(result['left'])} de "
        "reste. Chaque part est un projet financé ; le tableau qui suit les donne dans le même ordre."
    )
    legend = [
        Key("1…", "projets financés, dans l’ordre", "b1"),
        Key("", f"reste{NBSP}: {euros(result['left'])}", "left"),
    ]
    return Strip(f"Le budget de {euros(budget)}", said, pieces, legend)


def _shares(result: Json) -> list[Block]:
    """What everybody has to spend, where the method shares the money out."""
    said = []
    for step in result["steps"]:
        if step["step"] == "share":
            said.append(
                f"{euros(step['budget'])} partagés entre {count(step['people'], 'votant', 'votants')}{NBSP}: "
                f"{euros(step['share'])} chacun."
            )
        elif step["step"] == "raised" and step["by"]:
            said.append(f"Les parts sont augmentées de {euros(step['by'])}, à {euros(step['share'])}.")
        elif step["step"] == "raised":
            said.append("Les parts n’ont pas pu être augmentées sans dépasser le budget.")
    return [Heading("La part de chacun", " ".join(said))] if said else []


def _projects(labels: Labels, method: str, result: Json) -> Table:
    """Projects as they were looked at, then those that nobody could pay."""
    shares = method == "budget_equal_shares"
    looked, phase = list[Row](), ""
    spent, place, done = 0, 0, set[str]()
    for step in result["steps"]:
        if step["step"] == "completion":
            phase = "au complément"
        if step["step"] not in ("bought", "project"):
            continue
        option, funded = step["option"], step.get("funded", True)
        place += funded
        before = spent
        spent += step["cost"] if funded else 0
        done.add(option)
        cells = _cells(labels, result, step, shares, phase)
        bar = _fill(before, step["cost"], funded, result["budget"])
        looked.append(Row(labels[option], cells, str(place) if funded else "–", "Financé" if funded else "", bar))
    for option in sorted((o for o in labels.ids if o not in done), key=lambda o: -result["counts"][o]):
        why = "ses soutiens n’ont plus assez" if result["counts"][option] else "aucune voix"
        looked.append(_missed(labels, result, option, why, shares))
    columns = [Column("Projet"), Column("Voix"), Column("Coût"), Column("Décision")]
    if shares:
        columns.insert(3, Column("Prix par unité"))
    note = ""
    if shares:
        unit = "euro de projet" if labels.question.settings["utility"] == "cost" else "projet"
        note = f"Prix par unité{NBSP}: ce que chaque soutien paie par {unit}, ou tout ce qui lui reste si c’est moins."
    return Table(
        f"Les projets, dans l’ordre où ils sont examinés. {ballots(result)}",
        columns,
        looked,
        "bars money",
        wide=True,
        note=note,
    )


def _cells(labels: Labels, result: Json, step: Json, shares: bool, phase: str) -> list[Cell | str]:
    funded = step.get("funded", True)
    cells: list[Cell | str] = [Cell(number(result["counts"][step["option"]])), Cell(euros(step["cost"]))]
    if shares and step["step"] == "bought":
        paid = f"{count(step['payers'], 'payeur', 'payeurs')}"
        cells.append(Cell(f"{about(step['price'], 3)}{NBSP}€", precise(step["price"]), paid))
    elif shares:
        cells.append(phase)
    left = f"il reste {euros(step['left'])}"
    cells.append(Cell("Financé", small=left) if funded else Cell("Non", small=f"il restait {euros(step['left'])}"))
    return cells


def _missed(labels: Labels, result: Json, option: str, why: str, shares: bool) -> Row:
    costs: Mapping[str, Any] = labels.question.settings["costs"]
    cells = [Cell(number(result["counts"][option])), Cell(euros(costs[option])), Cell("Non", small=why)]
    return Row(labels[option], [*cells[:2], *([""] if shares else []), cells[2]], "–")


def _fill(before: int, cost: int, funded: bool, budget: int) -> list[Span]:
    """What was spent before, then this project's cost; one that is not funded shows how far beyond it would go."""
    start, end = along(before, budget), along(before + cost, budget)
    spent = [Span(0, start, "spent")] if start else []
    return [*spent, Span(start, max(2, end - start), "won" if funded else "beyond")]
