"""Rounds: instant run-off and the single transferable vote. A sentence a round, a flow, and every figure in tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.gateway.pages.results import flow
from services.gateway.pages.results.model import (
    Block,
    Cell,
    Column,
    Elsewhere,
    Folded,
    Heading,
    Labels,
    Row,
    Shown,
    Table,
    Words,
)
from services.gateway.pages.results.numbers import about, exact, is_rounded, precise, shown, votes
from services.gateway.pages.results.outcome import Json, ballots, expressed, outcome, tie
from services.gateway.pages.words import NBSP, number

_BLOCK: Final = 8
"""Rounds side by side in one table: as many as a sheet of paper takes with legible figures."""
_OPEN: Final = 12
_MANY: Final = 2 * _BLOCK
"""More rounds than these stand on pages of their own, so that a result stays light on a slow line."""
_RECEIVERS: Final = 3
_STV: Final = (
    "Chaque personne classe les options. Une option qui atteint le quota est élue, et ce qu’elle a de trop passe aux "
    "suivantes de ses bulletins ; quand personne n’a de trop, la dernière est éliminée et ses bulletins passent."
)
HOW: Final = {
    "irv": "Chaque personne classe les options. À chaque tour, la dernière est éliminée et ses bulletins passent à "
    "l’option qu’ils classent ensuite, jusqu’à ce qu’une option ait plus de la moitié des voix encore en jeu.",
    "stv_scottish": f"{_STV} Les fractions de voix sont coupées à cinq décimales, comme aux élections écossaises.",
    "stv_wigm": f"{_STV} Les fractions de voix sont exactes.",
}
_EXHAUSTED: Final = (
    "Un bulletin est épuisé quand toutes les options qu’il classe sont élues ou éliminées : il ne compte plus pour "
    "personne."
)


def view(labels: Labels, method: str, result: Json) -> Shown:
    heading, more = outcome(labels, list(result["winners"]), expressed(result), "Élus")
    rounds = [step for step in result["steps"] if step["step"] == "round"]
    if not rounds:
        return Shown(heading, HOW[method], [], more)
    quota = result.get("quota")
    order = _order(labels, rounds, result["winners"])
    blocks: list[Block] = [
        Heading("Tour par tour", _introduction(result, rounds)),
        flow.draw(labels, rounds, order, quota),
    ]
    if len(rounds) > _MANY:
        said = _words(f"Les {_BLOCK} derniers tours", _sentences(labels, method, result), rounds, len(rounds) - _BLOCK)
        told = f"Les {len(rounds)} tours, avec toutes les voix de chacun"
        return Shown(heading, HOW[method], [*blocks, said, Elsewhere(told, f"tours/{labels.question.id}")], more)
    blocks.append(_words("", _sentences(labels, method, result), rounds, 0))
    tables = _tables(labels, rounds, order, quota)
    if len(tables) == 1 and len(order) <= _OPEN:
        blocks += tables
    else:
        blocks.append(Folded(f"Toutes les voix, tour par tour ({len(rounds)} tours, {len(order)} options)", tables))
    return Shown(heading, HOW[method], blocks, more)


def every(labels: Labels, method: str, result: Json) -> list[list[Block]]:
    """All rounds, some to a page: what happens in each, and all votes."""
    rounds = [step for step in result["steps"] if step["step"] == "round"]
    said, order = _sentences(labels, method, result), _order(labels, rounds, result["winners"])
    return [
        [_words("", said, rounds, start, start + _BLOCK), _table(labels, rounds, start, order, result.get("quota"))]
        for start in range(0, len(rounds), _BLOCK)
    ]


def _words(title: str, said: Sequence[str], rounds: Sequence[Json], start: int, end: int | None = None) -> Words:
    return Words(title, said[start:end], [f"Tour {step['round']}" for step in rounds[start:end]])


def _introduction(result: Json, rounds: Sequence[Json]) -> str:
    said = ballots(result)
    if "quota" in result:
        said += f" Quota{NBSP}: {number(result['quota'])} voix."
    if exact(rounds[-1]["exhausted"]):
        said += f" {_EXHAUSTED}"
    return said


def _order(labels: Labels, rounds: Sequence[Json], winners: Sequence[str]) -> list[str]:
    """Those elected first, then who stayed longest."""
    out = [option for step in reversed(rounds) for option in reversed(step["eliminated"])]
    first = list(dict.fromkeys([*winners, *rounds[-1]["votes"]]))
    return list(dict.fromkeys([*winners, *(o for o in first if o not in out), *out, *labels.ids]))


def _sentences(labels: Labels, method: str, result: Json) -> list[str]:
    """One a round. A tie is told before its round by instant run-off, after it by the single transferable vote."""
    said: list[str] = []
    waiting: list[str] = []
    for step in result["steps"]:
        if step["step"] == "round":
            said.append(" ".join([*_round(labels, step, result.get("quota")), *waiting]))
            waiting = []
        elif step["step"] == "tie" and method == "irv":
            waiting.append(tie(labels, step))
        elif step["step"] == "tie":
            said[-1] += f" {tie(labels, step)}"
    return said


def _round(labels: Labels, step: Json, quota: int | None) -> list[str]:
    said = []
    for option in step["elected"]:
        mine = exact(step["votes"][option])
        why = (
            ""
            if quota is None or mine >= quota
            else ", sans atteindre le quota : il ne reste pas plus d’options que de places"
        )
        said.append(f"{labels.quoted(option)} est élu avec {votes(mine)}{why}.")
    nobody = [option for option in step["eliminated"] if not exact(step["votes"][option])]
    if nobody:
        listed = labels.listed(nobody) if len(nobody) <= _RECEIVERS else f"{number(len(nobody))} options"
        said.append(f"Sans aucune voix{NBSP}: {listed}, éliminé{'s' if len(nobody) > 1 else ''}.")
    for transfer in step["transfers"]:
        said.append(_transfer(labels, step, transfer))
    return said or ["Aucun changement."]


def _transfer(labels: Labels, step: Json, transfer: Mapping[str, Any]) -> str:
    start, lost = transfer["from"], exact(transfer["exhausted"])
    mine = exact(step["votes"][start])
    if start in step["eliminated"]:
        head = f"{labels.quoted(start)} est éliminé avec {votes(mine)}"
    else:
        passed = sum((exact(value) for value in transfer["to"].values()), lost)
        head = f"L’excédent de {labels.quoted(start)}, {votes(passed)}, est transféré"
    most = sorted(transfer["to"].items(), key=lambda pair: -exact(pair[1]))
    told = [f"{about(value)} à {labels.short(option)}" for option, value in most[:_RECEIVERS]]
    if rest := most[_RECEIVERS:]:
        more = sum((exact(value) for _, value in rest), exact(0))
        told.append(f"{about(more)} à {number(len(rest))} autre{'s' if len(rest) > 1 else ''}")
    if lost:
        told.append(f"{about(lost)} épuisée{'s' if lost >= 2 else ''}")
    return f"{head}{NBSP}: {', '.join(told)}." if told else f"{head}."


def _tables(labels: Labels, rounds: Sequence[Json], order: Sequence[str], quota: int | None) -> list[Table]:
    """Blocks of rounds side by side; each holds the options that are still there when it begins."""
    starts = range(0, len(rounds), _BLOCK)
    return [_table(labels, rounds, start, order, quota) for start in starts]


def _table(labels: Labels, rounds: Sequence[Json], start: int, order: Sequence[str], quota: int | None) -> Table:
    part = rounds[start : start + _BLOCK]
    before = [rounds[start - 1] if start else None, *part]
    rows = [
        Row(labels[option], [_votes(step, old, option) for old, step in zip(before, part, strict=False)])
        for option in order
        if option in part[0]["votes"]
    ]
    lost = [Cell(shown(step["exhausted"]), precise(step["exhausted"])) for step in part]
    rows.append(Row("Voix épuisées", lost))
    span = f"Tours {part[0]['round']} à {part[-1]['round']}" if len(part) > 1 else f"Tour {part[0]['round']}"
    caption = f"{span}{NBSP}: voix, et entre parenthèses ce que chaque tour apporte ou retire"
    rounded = any(is_rounded(value) for step in part for value in step["votes"].values())
    note = "Nombres arrondis au centième ; les valeurs exactes sont dans les fichiers à télécharger." if rounded else ""
    if quota:
        note = f"Quota{NBSP}: {number(quota)} voix. {note}".strip()
    columns = [Column("Option"), *(Column(str(step["round"]), "tour") for step in part)]
    return Table(caption, columns, rows, "rounds", wide=True, note=note)


def _votes(step: Json, before: Json | None, option: str) -> Cell | str:
    value = step["votes"].get(option)
    if value is None:
        return ""
    told = []
    if before is not None and option in before["votes"]:
        change = exact(value) - exact(before["votes"][option])
        told = [f"({'+' if change > 0 else ''}{shown(change)})"] if change else []
    if option in step["elected"]:
        told.append("élu")
    if option in step["eliminated"]:
        told.append("éliminé")
    return Cell(shown(value), precise(value), " ".join(told), strong=option in step["elected"])
