"""Methods whose result is a sum by option: a table of options, each with its bar, the most first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from services.gateway.pages.language import plural, said, strung
from services.gateway.pages.results.model import Block, Cell, Column, Labels, Row, Shown, Span, Table, Words
from services.gateway.pages.results.numbers import along, exact, precise, share, shown
from services.gateway.pages.results.outcome import Json, ballots, expressed, outcome, ties
from services.gateway.pages.words import number

Numbers = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a total means under a method: its unit, the whole that a bar is a part of, the second figure of a row."""

    unit: str
    second: str
    whole: Callable[[Numbers, Json], Fraction]
    beside: Callable[[Any, Numbers, Json], str]
    how: str


def _cast(settings: Numbers, result: Json) -> Fraction:
    return Fraction(expressed(result))


def _part(value: Any, settings: Numbers, result: Json) -> str:
    return share(value, expressed(result))


def _scale(settings: Numbers, result: Json) -> Fraction:
    return Fraction(expressed(result) * (settings["most"] - settings["least"]))


def _mean(value: Any, settings: Numbers, result: Json) -> str:
    """Of the notes: totals are counted above the lowest one."""
    cast = expressed(result)
    return shown(Fraction(value) / cast + settings["least"]) if cast else "–"


def _points(settings: Numbers, result: Json) -> Fraction:
    return Fraction(sum(exact(value) for value in result["counts"].values()))


def _part_of_points(value: Any, settings: Numbers, result: Json) -> str:
    return share(value, _points(settings, result))


def _borda(settings: Numbers, result: Json) -> Fraction:
    return Fraction(expressed(result) * (len(result["counts"]) - 1))


def _per_ballot(value: Any, settings: Numbers, result: Json) -> str:
    return shown(Fraction(exact(value)) / expressed(result)) if expressed(result) else "–"


def _reached(value: Any, settings: Numbers, result: Json) -> str:
    left = settings["threshold"] - value
    return said("seuil atteint") if left <= 0 else said("il manque %(n)s", n=number(left))


def _nothing(value: Any, settings: Numbers, result: Json) -> str:
    return ""


def _most(settings: Numbers, result: Json) -> Fraction:
    return Fraction(max([*result["counts"].values(), settings.get("threshold", 1)], default=1))


MEASURES: Final[Mapping[str, Measure]] = {
    "single_choice": Measure(
        "Voix",
        "part des exprimés",
        _cast,
        _part,
        "Chaque personne choisit une option ; celle qui a le plus de voix est élue.",
    ),
    "multiple_choice": Measure(
        *("Voix", "part des bulletins", _cast, _part),
        "Chaque personne choisit plusieurs options ; celles qui ont le plus de voix sont élues.",
    ),
    "approval": Measure(
        *("Approbations", "part des bulletins", _cast, _part),
        "Chaque personne approuve autant d’options qu’elle veut ; la plus approuvée est élue.",
    ),
    "supports": Measure(
        *("Soutiens", "seuil", _most, _reached),
        "Chaque personne soutient les propositions qu’elle veut ; toutes celles qui atteignent le seuil sont retenues.",
    ),
    "score": Measure(
        *("Points", "note moyenne", _scale, _mean),
        "Chaque personne note les options ; la note totale la plus haute l’emporte. "
        "Les points se comptent au-dessus de la note la plus basse, qui vaut aussi pour une option sans note.",
    ),
    "cumulative": Measure(
        *("Points", "part des points", _points, _part_of_points),
        "Chaque personne répartit ses points entre les options ; la plus dotée est élue.",
    ),
    "borda": Measure(
        *("Points", "par bulletin", _borda, _per_ballot),
        "Chaque personne classe les options ; sur un bulletin, une option gagne autant de points qu’elle en devance "
        "d’autres, et un demi-point pour chacune à égalité.",
    ),
    "budget_greedy": Measure("Voix", "avant le choix des projets", _most, _nothing, ""),
    "budget_equal_shares": Measure("Voix", "avant le choix des projets", _most, _nothing, ""),
    "yes_no": Measure("Voix", "part des exprimés", _cast, _part, "La réponse qui a le plus de voix l’emporte."),
}


def view(labels: Labels, method: str, result: Json) -> Shown:
    measure, winners = MEASURES[method], list(result["winners"])
    heading, more = outcome(labels, winners, expressed(result))
    if method == "supports":
        heading, more = _retained(labels, winners, result)
    blocks: list[Block] = [table(labels, method, result, winners)]
    if told := ties(labels, result):
        blocks.append(Words(said("Égalités"), told))
    return Shown(heading, said(measure.how), blocks, more)


def yes_no(labels: Labels, method: str, result: Json) -> Shown:
    winner, cast = result.get("winner"), expressed(result)
    heading, _ = outcome(labels, [winner] if winner else [], cast)
    if cast and not winner:
        heading = said("Égalité")
    how = [said(MEASURES["yes_no"].how)]
    if not winner and cast:
        how.append(said("À égalité, aucune ne l’emporte."))
    drawn = table(labels, "yes_no", result, [winner] if winner else [], ordered=False)
    return Shown(heading, strung(how), [drawn])


def table(
    labels: Labels, method: str, result: Json, winners: list[str], *, ordered: bool = True, caption: str = ""
) -> Table:
    """The options with their bars. `ordered`: those chosen first, then the most first; else as in the question."""
    measure, settings, counts = MEASURES[method], labels.question.settings, result["counts"]
    whole = measure.whole(settings, result)
    options = [option for option in labels.ids if option in counts]
    if ordered:
        rank = {option: place for place, option in enumerate(winners)}
        options.sort(key=lambda option: (rank.get(option, len(rank)), -exact(counts[option])))
    mark = along(settings["threshold"], whole) if method == "supports" else None
    rows = [
        Row(
            labels[option],
            [_cell(counts[option], measure.beside(counts[option], settings, result))],
            tag=_tag(method) if option in winners and method != "yes_no" else "",
            bar=[Span(0, along(counts[option], whole), "won" if option in winners else "")],
            mark=mark,
        )
        for option in options
    ]
    columns = [Column(said("Option")), Column(said(measure.unit), said(measure.second))]
    return Table(caption or _caption(method, labels, result), columns, rows, "bars", note=_note(counts))


def _cell(value: Any, beside: str) -> Cell:
    return Cell(shown(value), precise(value), beside, strong=True)


def _tag(method: str) -> str:
    return said("Retenue") if method == "supports" else said("En tête")


def _caption(method: str, labels: Labels, result: Json) -> str:
    told = [ballots(result)]
    if method == "supports":
        told.append(said("Le trait marque le seuil : %(threshold)s.", threshold=_threshold(labels)))
    if method == "score":
        least, most = shown(labels.question.settings["least"]), shown(labels.question.settings["most"])
        told.append(said("Notes de %(least)s à %(most)s ; la barre va de l’une à l’autre.", least=least, most=most))
    return strung(told)


def _threshold(labels: Labels) -> str:
    votes = labels.question.settings["threshold"]
    return plural("%(n)s soutien", "%(n)s soutiens", votes, n=number(votes))


def _note(counts: Numbers) -> str:
    if any(precise(value) for value in counts.values()):
        return said("Nombres arrondis au centième ; les valeurs exactes sont dans les fichiers à télécharger.")
    return ""


def _retained(labels: Labels, winners: list[str], result: Json) -> tuple[str, list[str]]:
    if not winners and not expressed(result):
        return said("Aucun soutien exprimé"), []
    if not winners:
        return said("Aucune proposition n’atteint le seuil de %(threshold)s", threshold=_threshold(labels)), []
    many = len(winners)
    told = plural("%(n)s proposition retenue", "%(n)s propositions retenues", many, n=number(many))
    return told, [labels[option] for option in winners]
