"""Questionnaires: for each item who was asked, who answered, and what; mean and median are exact."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from services.gateway.pages.language import mark, plural, said, strung, theirs
from services.gateway.pages.results.model import Block, Cell, Column, Heading, Labels, Row, Shown, Span, Table
from services.gateway.pages.results.numbers import about, along, shown
from services.gateway.pages.results.outcome import Json, expressed
from services.gateway.pages.words import number, percent

_BINS: Final = 10
HOW: Final = (
    "Chaque question se compte à part, parmi les personnes à qui elle a été posée. Rien n’est élu. "
    "Les pourcentages sont des parts des réponses."
)

_CAPTIONS: Final = {
    "choice": mark("Une réponse par personne"),
    "multiple": mark("Plusieurs réponses possibles : le total peut dépasser 100 %"),
    "scale": mark("Combien de personnes à chaque point de l’échelle"),
    "number": mark("Combien de personnes dans chaque tranche"),
}


def view(labels: Labels, method: str, result: Json) -> Shown:
    cast = expressed(result)
    heading = said("Aucune réponse")
    if cast:
        heading = plural("%(n)s personne a répondu", "%(n)s personnes ont répondu", cast, n=number(cast))
    return Shown(heading, said(HOW), items(labels, result))


def items(labels: Labels, result: Json) -> list[Block]:
    blocks: list[Block] = []
    for item in labels.question.settings["items"]:
        found = result["items"].get(item["id"])
        if found is not None:
            blocks += [Heading(theirs(item["text"]), _sentence(item, found)), _table(item, found)]
    return blocks


def _sentence(item: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    asked, answered = found["asked"], found["answered"]
    told = [
        said(
            "Posée à %(asked)s, %(answered)s.",
            asked=plural("%(n)s personne", "%(n)s personnes", asked, n=number(asked)),
            answered=plural("%(n)s a répondu", "%(n)s ont répondu", answered, n=number(answered)),
        )
    ]
    if item["shown_if"]:
        told.append(said("Elle n’est posée qu’après certaines réponses."))
    values = _numbers(found)
    if item["kind"] in ("scale", "number") and values:
        middle = about(median(values))
        told.append(said("Moyenne : %(mean)s ; médiane : %(median)s.", mean=about(mean(values)), median=middle))
    if item["kind"] == "number" and values:
        told.append(said("De %(least)s à %(most)s.", least=shown(min(values)), most=shown(max(values))))
    return strung(told)


def mean(values: Mapping[int, int]) -> Fraction:
    return Fraction(sum(value * times for value, times in values.items()), sum(values.values()))


def median(values: Mapping[int, int]) -> Fraction:
    """The middle answer; of an even number of answers, half-way between the two in the middle."""
    ordered, total = sorted(values), sum(values.values())

    def at(rank: int) -> int:
        reached = 0
        for value in ordered:
            reached += values[value]
            if reached > rank:
                return value
        return ordered[-1]

    return Fraction(at((total - 1) // 2) + at(total // 2), 2)


def _numbers(found: Mapping[str, Any]) -> dict[int, int]:
    if not all(_is_integer(value) for value in found["values"]):
        return {}
    return {int(value): times for value, times in found["values"].items() if times}


def _is_integer(text: str) -> bool:
    return text.lstrip("-").isdigit()


def _table(item: Mapping[str, Any], found: Mapping[str, Any]) -> Table:
    lines, answered = _lines(item, found), found["answered"]
    most = max((times for _, times in lines), default=0) if item["kind"] in ("scale", "number") else answered
    rows = [
        Row(
            label, [Cell(number(times), small=percent(times, answered), strong=True)], bar=[Span(0, along(times, most))]
        )
        for label, times in lines
    ]
    return Table(
        said(_CAPTIONS[item["kind"]]), [Column(said("Réponse")), Column(said("Personnes (part)"))], rows, "bars"
    )


def _lines(item: Mapping[str, Any], found: Mapping[str, Any]) -> list[tuple[str, int]]:
    values = found["values"]
    if "options" in item:
        return [(theirs(option["label"]), values.get(option["id"], 0)) for option in item["options"]]
    if item["kind"] == "number":
        return bins(_numbers(found))
    ends = {item["least"]: item["least_label"], item["most"]: item["most_label"]}
    return [(_point(n, ends.get(n)), values.get(str(n), 0)) for n in range(item["least"], item["most"] + 1)]


def _point(n: int, end: str | None) -> str:
    return said("%(n)s – %(end)s", n=shown(n), end=theirs(end)) if end else shown(n)


def bins(values: Mapping[int, int]) -> list[tuple[str, int]]:
    """At most ten slices of equal width over the answers given, the width 1, 2 or 5 times a power of ten."""
    if not values:
        return []
    least, most = min(values), max(values)
    width = next(w for p in range(19) for w in (10**p, 2 * 10**p, 5 * 10**p) if most // w - least // w < _BINS)
    return [
        (
            _slice(n * width, (n + 1) * width - 1),
            sum(times for value, times in values.items() if value // width == n),
        )
        for n in range(least // width, most // width + 1)
    ]


def _slice(least: int, most: int) -> str:
    return shown(least) if least == most else said("de %(least)s à %(most)s", least=shown(least), most=shown(most))
