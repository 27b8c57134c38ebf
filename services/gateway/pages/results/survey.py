"""Questionnaires: for each item who was asked, who answered, and what; mean and median are exact."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from services.gateway.pages.results.model import Block, Cell, Column, Heading, Labels, Row, Shown, Span, Table
from services.gateway.pages.results.numbers import about, along, shown
from services.gateway.pages.results.outcome import Json, expressed
from services.gateway.pages.words import NBSP, count, number, percent

_BINS: Final = 10
HOW: Final = (
    "Chaque question se compte à part, parmi les personnes à qui elle a été posée. Rien n’est élu. "
    "Les pourcentages sont des parts des réponses."
)


def view(labels: Labels, method: str, result: Json) -> Shown:
    cast = expressed(result)
    heading = count(cast, "personne a répondu", "personnes ont répondu") if cast else "Aucune réponse"
    return Shown(heading, HOW, items(labels, result))


def items(labels: Labels, result: Json) -> list[Block]:
    blocks: list[Block] = []
    for item in labels.question.settings["items"]:
        found = result["items"].get(item["id"])
        if found is not None:
            blocks += [Heading(item["text"], _sentence(item, found)), _table(item, found)]
    return blocks


def _sentence(item: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    asked, answered = found["asked"], found["answered"]
    said = f"Posée à {count(asked, 'personne', 'personnes')}, {count(answered, 'a répondu', 'ont répondu')}."
    if item["shown_if"]:
        said += " Elle n’est posée qu’après certaines réponses."
    values = _numbers(found)
    if item["kind"] in ("scale", "number") and values:
        said += f" Moyenne{NBSP}: {about(mean(values))}{NBSP}; médiane{NBSP}: {about(median(values))}."
    if item["kind"] == "number" and values:
        said += f" De {shown(min(values))} à {shown(max(values))}."
    return said


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
    captions = {
        "choice": "Une réponse par personne",
        "multiple": "Plusieurs réponses possibles : le total peut dépasser 100 %",
        "scale": "Combien de personnes à chaque point de l’échelle",
        "number": "Combien de personnes dans chaque tranche",
    }
    return Table(captions[item["kind"]], [Column("Réponse"), Column("Personnes (part)")], rows, "bars")


def _lines(item: Mapping[str, Any], found: Mapping[str, Any]) -> list[tuple[str, int]]:
    values = found["values"]
    if "options" in item:
        return [(option["label"], values.get(option["id"], 0)) for option in item["options"]]
    if item["kind"] == "number":
        return bins(_numbers(found))
    ends = {item["least"]: item["least_label"], item["most"]: item["most_label"]}
    return [
        (f"{shown(n)}{f' – {ends[n]}' if ends.get(n) else ''}", values.get(str(n), 0))
        for n in range(item["least"], item["most"] + 1)
    ]


def bins(values: Mapping[int, int]) -> list[tuple[str, int]]:
    """At most ten slices of equal width over the answers given, the width 1, 2 or 5 times a power of ten."""
    if not values:
        return []
    least, most = min(values), max(values)
    width = next(w for p in range(19) for w in (10**p, 2 * 10**p, 5 * 10**p) if most // w - least // w < _BINS)
    return [
        (
            shown(n * width) if width == 1 else f"de {shown(n * width)} à {shown((n + 1) * width - 1)}",
            sum(times for value, times in values.items() if value // width == n),
        )
        for n in range(least // width, most // width + 1)
    ]
