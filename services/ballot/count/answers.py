"""The table from neutral marks to what a method reads. What makes no sense has no line here and is refused in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from services.ballot.count.files import FileRefused
from services.ballot.count.source import Kind, Mark, Source
from services.shared.errors import BadInput

Answer = dict[str, Any]
Convert = Callable[[Mark], Answer]
BLANK: Final[Answer] = {"blank": True}

_FAMILIES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("yes_no", "single_choice"), "one"),
    **dict.fromkeys(("approval", "multiple_choice", "supports"), "choices"),
    **dict.fromkeys(("borda", "schulze", "ranked_pairs"), "weak"),
    **dict.fromkeys(("irv", "stv_scottish", "stv_wigm"), "strict"),
    **dict.fromkeys(("budget_greedy", "budget_equal_shares"), "budget"),
    "score": "score",
    "cumulative": "cumulative",
    "majority_judgment": "grades",
}
_SHAPES: Final[Mapping[Kind, str]] = {
    "ranking": "rankings",
    "approvals": "approvals",
    "numbers": "a number for each candidate (a wide CSV of ranks is read with --cells ranks)",
    "categories": "categories",
}


class Unfit(BadInput):
    """This file and this method, or this option, do not go together."""


class Invalid(Exception):
    """The ballot breaks a rule of the method; the reason is its text."""


def converter(method: str, source: Source) -> Convert:
    """Raises Unfit where marks of that kind cannot be counted by the method. What it returns raises Invalid for a
    ballot that the method does not admit, FileRefused for one that the file should not hold."""
    make = _TABLE.get((source.kind, _FAMILIES.get(method, "")))
    if make is None:
        raise Unfit(f"{method} cannot be counted from this file: it holds {_SHAPES[source.kind]}")
    return make(method, source)


def _ranking(_: str, source: Source) -> Convert:
    def convert(mark: Mark) -> Answer:
        return {"ranking": [[source.id_of(one) for one in group] for group in mark if group]} if any(mark) else BLANK

    return convert


def _strict_ranking(method: str, source: Source) -> Convert:
    weak = _ranking(method, source)

    def convert(mark: Mark) -> Answer:
        if any(len(group) > 1 for group in mark):
            raise FileRefused(f"a ballot has equal ranks, which {method} does not admit")
        return weak(mark)

    return convert


def _first(_: str, source: Source) -> Convert:
    def convert(mark: Mark) -> Answer:
        if len(mark[0]) > 1:
            raise Invalid("two candidates are first")
        return {"choice": source.id_of(mark[0][0])}

    return convert


def _only(_: str, source: Source) -> Convert:
    def convert(mark: Mark) -> Answer:
        if len(mark) > 1:
            raise Invalid("more than one choice")
        return {"choice": source.id_of(mark[0])} if mark else BLANK

    return convert


def _choices(method: str, source: Source) -> Convert:
    none: Answer = {"choices": []} if method == "approval" else BLANK

    def convert(mark: Mark) -> Answer:
        return {"choices": [source.id_of(one) for one in mark]} if mark else none

    return convert


def _approved_category(method: str, source: Source) -> Convert:
    if len(source.categories) != 2:
        raise Unfit(f"{method} needs two categories, yes and no: the file has {len(source.categories)}")
    source.notes.append(f"approved is who is in the first category, “{source.categories[0]}”")
    choices = _choices(method, source)
    return lambda mark: choices(mark[0])


def _scores(_: str, source: Source) -> Convert:
    return lambda mark: {"scores": {source.id_of(one): value for one, value in _filled(mark, source)}}


def _points(method: str, source: Source) -> Convert:
    is_budget = _FAMILIES[method] == "budget"

    def convert(mark: Mark) -> Answer:
        pairs = _filled(mark, source) if is_budget else mark
        if any(value < 0 for _, value in pairs):
            raise Invalid("negative points")
        points = {source.id_of(one): value for one, value in pairs if value}
        return {"points": points} if points else BLANK

    return convert


def _filled(mark: Mark, source: Source) -> Mark:
    """With what the file says that others get."""
    if source.default_score is None:
        return mark
    given = dict(mark)
    return tuple((one, given.get(one, source.default_score)) for one in range(1, len(source.names) + 1))


def _borda_points(method: str, source: Source) -> Convert:
    most = source.ranking_points
    if most is None:
        raise Unfit(f"{method} cannot be counted from rankings unless the file says scoring_fn;Borda")
    return lambda mark: {"points": {source.id_of(g[0]): most - place for place, g in enumerate(mark) if place < most}}


def _number_grades(_: str, source: Source) -> Convert:
    return lambda mark: {"grades": {source.id_of(one): str(value) for one, value in _filled(mark, source)}}


def _category_grades(_: str, source: Source) -> Convert:
    def convert(mark: Mark) -> Answer:
        grades = {source.id_of(one): str(place) for place, group in enumerate(mark, 1) for one in group}
        return {"grades": grades} if grades else BLANK

    return convert


def _category_scores(_: str, source: Source) -> Convert:
    top = len(source.categories) - 1
    source.notes.append(f"the first category is worth {top}, the last 0")

    def convert(mark: Mark) -> Answer:
        return {"scores": {source.id_of(one): top - place for place, group in enumerate(mark) for one in group}}

    return convert


_TABLE: Final[Mapping[tuple[Kind, str], Callable[[str, Source], Convert]]] = {
    ("ranking", "weak"): _ranking,
    ("ranking", "strict"): _strict_ranking,
    ("ranking", "one"): _first,
    ("ranking", "budget"): _borda_points,
    ("approvals", "one"): _only,
    ("approvals", "choices"): _choices,
    ("approvals", "budget"): _choices,
    ("numbers", "score"): _scores,
    ("numbers", "cumulative"): _points,
    ("numbers", "budget"): _points,
    ("numbers", "grades"): _number_grades,
    ("categories", "choices"): _approved_category,
    ("categories", "grades"): _category_grades,
    ("categories", "score"): _category_scores,
    ("categories", "weak"): _ranking,
}
