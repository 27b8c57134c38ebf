"""Majority judgment: for each option the grades it got, in one bar, with the middle of the ballots drawn."""

from __future__ import annotations

from typing import Any, Final

from services.gateway.pages.language import said, strung, theirs
from services.gateway.pages.results.model import Block, Cell, Column, Key, Labels, Row, Shown, Span, Strip, Table, Words
from services.gateway.pages.results.numbers import along
from services.gateway.pages.results.outcome import Json, ballots, expressed, outcome, ties
from services.gateway.pages.words import number, percent

_TINTS: Final = 10
_MIDDLE: Final = (
    "Le trait du milieu coupe les bulletins en deux : la mention où il tombe est la mention majoritaire ; s’il tombe "
    "entre deux mentions, c’est la moins bonne."
)
HOW: Final = (
    "Chaque personne donne une mention à chaque option ; la mention majoritaire est celle que la moitié des bulletins "
    "donne ou dépasse. La meilleure l’emporte ; à mention égale, on retire une à une les mentions majoritaires "
    "jusqu’à ce que les options diffèrent."
)


def view(labels: Labels, method: str, result: Json) -> Shown:
    winners = list(result["winners"])
    heading, more = outcome(labels, winners, expressed(result))
    blocks: list[Block] = tables(labels, result, winners)
    if told := ties(labels, result):
        blocks.append(Words(said("Égalités"), told))
    return Shown(heading, said(HOW), blocks, more)


def tables(labels: Labels, result: Json, winners: list[str]) -> list[Block]:
    """The bars in the ranking's order, with their legend; then every figure."""
    scale: list[dict[str, Any]] = labels.question.settings["grades"]
    majority = result.get("majority_grades", {})
    options = [o for group in result.get("ranking", []) for o in group] or labels.ids
    words = {grade["id"]: theirs(grade["label"]) for grade in scale}
    cast = expressed(result)
    rows = [
        Row(
            labels[option],
            [Cell(words[majority[option]], strong=True)] if majority else [],
            number=str(place) if result.get("ranking") else "",
            tag=said("En tête") if option in winners else "",
            bar=pieces(result["counts"][option], cast),
            mark=500 if cast else None,
        )
        for place, option in enumerate(options, 1)
    ]
    caption = strung([ballots(result), *([said(_MIDDLE)] if majority else [])])
    columns = [Column(said("Option")), *([Column(said("Mention majoritaire"))] if majority else [])]
    figure = Table(caption, columns, rows, "bars grades")
    keys = [Key(str(n), theirs(grade["label"]), tint(n - 1, len(scale))) for n, grade in enumerate(scale, 1)]
    legend = Strip("", "", [], keys)
    return [legend, figure, _figures(labels, result, options, scale)]


def pieces(counts: list[int], cast: int) -> list[Span]:
    """One after the other, without a gap: each begins where the one before it ends."""
    spans, before = [], 0
    for place, votes in enumerate(counts):
        start, end = along(before, cast), along(before + votes, cast)
        if end > start:
            spans.append(Span(start, end - start, tint(place, len(counts)), str(place + 1), _beside(start, end)))
        before += votes
    return spans


def _beside(start: int, end: int) -> int | None:
    """Where the piece's number stands: in its middle, but not under the line that marks the middle of the ballots."""
    for place in ((start + end) // 2, (start + 470) // 2, (530 + end) // 2):
        if start + 25 <= place <= end - 25 and abs(place - 500) >= 30:
            return place
    return None


def tint(place: int, among: int) -> str:
    """The best and the worst are the two ends of ten tints, whatever is between."""
    return f"g{(place * (_TINTS - 1) + (among - 1) // 2) // (among - 1)}"


def _figures(labels: Labels, result: Json, options: list[str], scale: list[dict[str, Any]]) -> Table:
    cast = expressed(result)
    rows = [
        Row(labels[option], [Cell(number(votes), small=percent(votes, cast)) for votes in result["counts"][option]])
        for option in options
    ]
    columns = [Column(said("Option")), *(Column(theirs(grade["label"])) for grade in scale)]
    return Table(said("Les mentions en chiffres, de la meilleure à la moins bonne"), columns, rows, wide=True)
