"""Condorcet's methods: who beats whom. Schulze's strongest paths, Tideman's duels one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from services.gateway.pages.language import plural, said, strung
from services.gateway.pages.results.model import (
    Block,
    Cell,
    Column,
    Folded,
    Heading,
    Labels,
    Row,
    Shown,
    Table,
    Words,
)
from services.gateway.pages.results.outcome import Json, ballots, expressed, outcome, tie
from services.gateway.pages.words import NBSP, number

_SHOWN: Final = 12
"""So many options, the first of the ranking, stand in a matrix on the page: more is legible neither at 320 pixels nor
on paper. The files hold all of it."""
_LISTED: Final = 45
HOW: Final = {
    "schulze": "Chaque personne classe les options. On compare les options deux à deux ; si les duels tournent en "
    "rond, on compare les chemins de duels gagnés, un chemin valant son duel le plus faible (méthode de Schulze).",
    "ranked_pairs": "Chaque personne classe les options. On compare les options deux à deux ; on retient les duels du "
    "plus net au moins net, en écartant ceux qui contredisent les précédents (méthode des paires ordonnées).",
}
Matrix = Mapping[str, Mapping[str, int]]


def view(labels: Labels, method: str, result: Json) -> Shown:
    heading, more = outcome(labels, list(result["winners"]), expressed(result))
    if not expressed(result):
        return Shown(heading, said(HOW[method]), [], more)
    steps = {step["step"]: step for step in result["steps"]}
    order = [option for group in result["ranking"] for option in group]
    blocks: list[Block] = [_ranking(labels, result), *_condorcet(labels, steps["duels"], order)]
    if method == "schulze":
        blocks += _paths(labels, steps["paths"]["paths"], order)
    else:
        blocks += _locked(labels, result)
    told = [tie(labels, s) for s in result["steps"] if s["step"] == "tie" and s["for"] == "seat"]
    return Shown(heading, said(HOW[method]), [*blocks, *([Words(said("Égalités"), told)] if told else [])], more)


def _ranking(labels: Labels, result: Json) -> Table:
    rows: list[Row] = []
    place = 1
    for group in result["ranking"]:
        for option in group:
            equal = said("à égalité") if len(group) > 1 else ""
            beaten = _beaten(result, option)
            tag = said("En tête") if option in result["winners"] else ""
            rows.append(Row(labels[option], [Cell(number(beaten), small=equal)], number=str(place), tag=tag))
        place += len(group)
    caption = strung([said("Classement."), ballots(result)])
    return Table(caption, [Column(said("Option")), Column(said("Duels gagnés"))], rows)


def _beaten(result: Json, option: str) -> int:
    duels = result["steps"][0]["duels"]
    return sum(votes > duels[other][option] for other, votes in duels[option].items())


def _condorcet(labels: Labels, step: Json, order: list[str]) -> list[Block]:
    winner = step["condorcet_winner"]
    if winner:
        told = said("%(option)s gagne tous ses duels : c’est le vainqueur de Condorcet.", option=labels.quoted(winner))
    else:
        told = said("Aucune option ne gagne tous ses duels : il n’y a pas de vainqueur de Condorcet.")
    caption = said("Combien de personnes préfèrent l’option de la ligne à celle de la colonne")
    return [Heading(said("Les duels"), told), _matrix(labels, step["duels"], order, caption, said("gagne"))]


def _paths(labels: Labels, paths: Matrix, order: list[str]) -> list[Block]:
    told = said(
        "D’une option à une autre, on suit les duels gagnés ; un chemin vaut son duel le plus faible. "
        "L’option dont le chemin est le plus fort passe devant."
    )
    caption = said("Force du plus fort chemin, de l’option de la ligne à celle de la colonne")
    return [Heading(said("Les chemins"), told), _matrix(labels, paths, order, caption, said("plus fort"))]


def _matrix(labels: Labels, numbers: Matrix, order: list[str], caption: str, won: str) -> Table:
    """Options by number, in the ranking's order. A tick stands where the row's option wins."""
    first = order[:_SHOWN]
    rows = [
        Row(
            labels[a],
            ["–" if a == b else _duel(numbers[a][b], numbers[b][a]) for b in first],
            number=str(place),
        )
        for place, a in enumerate(first, 1)
    ]
    columns = [Column(said("Option")), *(Column(str(n), labels[option]) for n, option in enumerate(first, 1))]
    note = [said("✓ : %(won)s ; = : égalité. Les colonnes portent les numéros des lignes.", won=won)]
    if len(order) > _SHOWN:
        note.append(
            said(
                "Les %(some)s premières options du classement sont ici ; les %(all)s sont dans le fichier CSV.",
                some=_SHOWN,
                all=len(order),
            )
        )
    return Table(caption, columns, rows, "matrix", wide=True, note=strung(note))


def _duel(mine: int, other: int) -> Cell:
    if mine > other:
        return Cell(f"{number(mine)}{NBSP}✓", strong=True)
    return Cell(f"{number(mine)}{NBSP}=" if mine == other else number(mine))


def _locked(labels: Labels, result: Json) -> list[Block]:
    """Duels from the clearest down; of many, the first ones and those that were set aside."""
    duels = [s for s in result["steps"] if s["step"] == "duel"]
    ties = {id(after): s for s, after in zip(result["steps"], result["steps"][1:], strict=False) if s["step"] == "tie"}
    aside = sum(not duel["locked"] for duel in duels)
    rows: list[Row] = []
    kept: dict[str, list[str]] = {}
    for place, duel in enumerate(duels, 1):
        shown = place <= (_LISTED if len(duels) <= _LISTED else 20)
        if not duel["locked"] and len(rows) < _LISTED:
            rows.append(_duel_row(labels, duel, place, _way(kept, duel["loser"], duel["winner"]), ties.get(id(duel))))
        elif shown:
            rows.append(_duel_row(labels, duel, place, [], None))
        if duel["locked"]:
            kept.setdefault(duel["winner"], []).append(duel["loser"])
    note = (
        ""
        if len(rows) == len(duels)
        else said("Les premiers duels et des duels écartés sont ici ; tous sont dans le fichier CSV.")
    )
    columns = [Column(said("Duel")), Column(said("Voix")), Column(said("Sort"))]
    table = Table(said("Les duels dans l’ordre où ils sont examinés"), columns, rows, note=note)
    block: Block = table if len(rows) <= _SHOWN else Folded(said("Les duels un par un (%(n)s)", n=len(rows)), [table])
    return [Heading(said("L’ordre des duels"), _how_many(len(duels), aside)), block]


def _how_many(won: int, aside: int) -> str:
    told = plural(
        "%(n)s duel gagné, du plus net au moins net.",
        "%(n)s duels gagnés, du plus net au moins net.",
        won,
        n=number(won),
    )
    if not aside:
        return strung([told, said("Aucun n’en contredit un autre.")])
    contradicts = plural(
        "%(n)s est écarté : il contredit de plus nets.",
        "%(n)s sont écartés : ils contredisent de plus nets.",
        aside,
        n=number(aside),
    )
    return strung([told, contradicts])


def _duel_row(labels: Labels, duel: Json, place: int, way: list[str], equal: Json | None) -> Row:
    head = said("%(one)s devant %(other)s", one=labels[duel["winner"]], other=labels[duel["loser"]])
    notes: list[str] = []
    if not duel["locked"]:
        notes.append(said("Déjà acquis : %(way)s.", way=strung((labels[o] for o in way), said(" devant "))))
    if equal:
        notes.append(tie(labels, equal))
    votes = said("%(votes)s contre %(against)s", votes=number(duel["votes"]), against=number(duel["against"]))
    fate = said("retenu") if duel["locked"] else said("écarté")
    return Row(head, [votes, Cell(fate, strong=not duel["locked"])], str(place), note=strung(notes))


def _way(kept: dict[str, list[str]], start: str, end: str) -> list[str]:
    """The shortest way by duels kept so far."""
    came: dict[str, Any] = {start: None}
    todo = deque([start])
    while todo and end not in came:
        at = todo.popleft()
        for after in kept.get(at, []):
            if after not in came:
                came[after] = at
                todo.append(after)
    way = [end]
    while came.get(way[-1]) is not None:
        way.append(came[way[-1]])
    return way[::-1]
