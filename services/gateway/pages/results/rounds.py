"""Rounds: instant run-off and the single transferable vote. A sentence a round, a flow, and every figure in tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.gateway.pages.language import mark, plural, said, strung
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
from services.gateway.pages.words import number

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
    heading, more = outcome(labels, list(result["winners"]), expressed(result), mark("Élus"))
    rounds = [step for step in result["steps"] if step["step"] == "round"]
    if not rounds:
        return Shown(heading, said(HOW[method]), [], more)
    quota = result.get("quota")
    order = _order(labels, rounds, result["winners"])
    blocks: list[Block] = [
        Heading(said("Tour par tour"), _introduction(result, rounds)),
        flow.draw(labels, rounds, order, quota),
    ]
    sentences = _sentences(labels, method, result)
    if len(rounds) > _MANY:
        last = _words(said("Les %(n)s derniers tours", n=_BLOCK), sentences, rounds, len(rounds) - _BLOCK)
        told = said("Les %(n)s tours, avec toutes les voix de chacun", n=len(rounds))
        return Shown(heading, said(HOW[method]), [*blocks, last, Elsewhere(told, f"tours/{labels.question.id}")], more)
    blocks.append(_words("", sentences, rounds, 0))
    tables = _tables(labels, rounds, order, quota)
    if len(tables) == 1 and len(order) <= _OPEN:
        blocks += tables
    else:
        told = said(
            "Toutes les voix, tour par tour (%(rounds)s tours, %(options)s options)",
            rounds=len(rounds),
            options=len(order),
        )
        blocks.append(Folded(told, tables))
    return Shown(heading, said(HOW[method]), blocks, more)


def every(labels: Labels, method: str, result: Json) -> list[list[Block]]:
    """All rounds, some to a page: what happens in each, and all votes."""
    rounds = [step for step in result["steps"] if step["step"] == "round"]
    sentences, order = _sentences(labels, method, result), _order(labels, rounds, result["winners"])
    return [
        [
            _words("", sentences, rounds, start, start + _BLOCK),
            _table(labels, rounds, start, order, result.get("quota")),
        ]
        for start in range(0, len(rounds), _BLOCK)
    ]


def _words(title: str, told: Sequence[str], rounds: Sequence[Json], start: int, end: int | None = None) -> Words:
    return Words(title, told[start:end], [said("Tour %(n)s", n=step["round"]) for step in rounds[start:end]])


def _introduction(result: Json, rounds: Sequence[Json]) -> str:
    told = [ballots(result)]
    if "quota" in result:
        told.append(said("Quota : %(n)s voix.", n=number(result["quota"])))
    if exact(rounds[-1]["exhausted"]):
        told.append(said(_EXHAUSTED))
    return strung(told)


def _order(labels: Labels, rounds: Sequence[Json], winners: Sequence[str]) -> list[str]:
    """Those elected first, then who stayed longest."""
    out = [option for step in reversed(rounds) for option in reversed(step["eliminated"])]
    first = list(dict.fromkeys([*winners, *rounds[-1]["votes"]]))
    return list(dict.fromkeys([*winners, *(o for o in first if o not in out), *out, *labels.ids]))


def _sentences(labels: Labels, method: str, result: Json) -> list[str]:
    """One a round. A tie is told before its round by instant run-off, after it by the single transferable vote."""
    told: list[str] = []
    waiting: list[str] = []
    for step in result["steps"]:
        if step["step"] == "round":
            told.append(strung([*_round(labels, step, result.get("quota")), *waiting]))
            waiting = []
        elif step["step"] == "tie" and method == "irv":
            waiting.append(tie(labels, step))
        elif step["step"] == "tie":
            told[-1] = strung([told[-1], tie(labels, step)])
    return told


def _round(labels: Labels, step: Json, quota: int | None) -> list[str]:
    told = []
    for option in step["elected"]:
        mine, who = exact(step["votes"][option]), labels.quoted(option)
        if quota is None or mine >= quota:
            told.append(said("%(option)s est élu avec %(votes)s.", option=who, votes=votes(mine)))
        else:
            told.append(
                said(
                    "%(option)s est élu avec %(votes)s, sans atteindre le quota : il ne reste pas plus d’options que "
                    "de places.",
                    option=who,
                    votes=votes(mine),
                )
            )
    nobody = [option for option in step["eliminated"] if not exact(step["votes"][option])]
    if nobody:
        few = len(nobody) <= _RECEIVERS
        listed = labels.listed(nobody) if few else said("%(n)s options", n=number(len(nobody)))
        told.append(
            plural(
                "Sans aucune voix : %(options)s, éliminé.",
                "Sans aucune voix : %(options)s, éliminés.",
                len(nobody),
                options=listed,
            )
        )
    for transfer in step["transfers"]:
        told.append(_transfer(labels, step, transfer))
    return told or [said("Aucun changement.")]


def _transfer(labels: Labels, step: Json, transfer: Mapping[str, Any]) -> str:
    start, lost = transfer["from"], exact(transfer["exhausted"])
    mine, who = exact(step["votes"][start]), labels.quoted(start)
    if start in step["eliminated"]:
        head = said("%(option)s est éliminé avec %(votes)s", option=who, votes=votes(mine))
    else:
        passed = sum((exact(value) for value in transfer["to"].values()), lost)
        head = said("L’excédent de %(option)s, %(votes)s, est transféré", option=who, votes=votes(passed))
    most = sorted(transfer["to"].items(), key=lambda pair: -exact(pair[1]))
    told = [
        said("%(votes)s à %(option)s", votes=about(value), option=labels.short(option))
        for option, value in most[:_RECEIVERS]
    ]
    if rest := most[_RECEIVERS:]:
        more, others = about(sum((exact(value) for _, value in rest), exact(0))), len(rest)
        told.append(plural("%(votes)s à %(n)s autre", "%(votes)s à %(n)s autres", others, votes=more, n=number(others)))
    if lost:
        told.append(plural("%(votes)s épuisée", "%(votes)s épuisées", lost, votes=about(lost)))
    if not told:
        return said("%(told)s.", told=head)
    return said("%(head)s : %(to)s.", head=head, to=strung(told, ", "))


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
    rows.append(Row(said("Voix épuisées"), lost))
    first, last = part[0]["round"], part[-1]["round"]
    span = said("Tours %(first)s à %(last)s", first=first, last=last) if last > first else said("Tour %(n)s", n=first)
    caption = said("%(rounds)s : voix, et entre parenthèses ce que chaque tour apporte ou retire", rounds=span)
    notes = [said("Quota : %(n)s voix.", n=number(quota))] if quota else []
    if any(is_rounded(value) for step in part for value in step["votes"].values()):
        notes.append(said("Nombres arrondis au centième ; les valeurs exactes sont dans les fichiers à télécharger."))
    columns = [Column(said("Option")), *(Column(str(step["round"]), said("tour")) for step in part)]
    return Table(caption, columns, rows, "rounds", wide=True, note=strung(notes))


def _votes(step: Json, before: Json | None, option: str) -> Cell | str:
    value = step["votes"].get(option)
    if value is None:
        return ""
    told = []
    if before is not None and option in before["votes"]:
        change = exact(value) - exact(before["votes"][option])
        told = [f"({'+' if change > 0 else ''}{shown(change)})"] if change else []
    if option in step["elected"]:
        told.append(said("élu"))
    if option in step["eliminated"]:
        told.append(said("éliminé"))
    return Cell(shown(value), precise(value), " ".join(told), strong=option in step["elected"])
