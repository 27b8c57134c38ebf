"""What a Pabulib file demands of its ballots: lengths, costs and points, in all and by category.

A ballot that breaks one is invalid, by the name of the rule; the file stays readable. Bounds by category are one number
for all, or a list in the order of `categories`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from services.ballot.count.files import FileRefused, short

_DECIMAL: Final = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?")
_UNKNOWN: Final = "unknown project"
_TWICE: Final = "a project stands twice"


def number(text: str, what: str) -> Fraction:
    if not text.isascii() or not _DECIMAL.fullmatch(text):
        raise FileRefused(f"{what} must be a number, not {short(text)}")
    return Fraction(text)


def money(text: str, what: str) -> Fraction:
    value = number(text, what)
    if value < 0:
        raise FileRefused(f"{what} must not be negative, is {short(text)}")
    return value


def integer(text: str, what: str) -> int:
    value = number(text, what)
    if value.denominator != 1 or abs(value) > 10**9:
        raise FileRefused(f"{what} must be a whole number of at most 9 digits, not {short(text)}")
    return int(value)


@dataclass(frozen=True, slots=True)
class Bound:
    """`least` and `most` of a sum over a ballot, each with the rule's name; of one category's projects where `of` is
    given."""

    name: str
    least: Fraction | None
    most: Fraction | None
    of: frozenset[int] | None = None

    def broken(self, values: Mapping[int, Fraction | int]) -> str | None:
        total = sum(value for one, value in values.items() if self.of is None or one in self.of)
        if self.least is not None and total < self.least:
            return f"min_{self.name}"
        if self.most is not None and total > self.most:
            return f"max_{self.name}"
        return None


@dataclass(frozen=True, slots=True)
class Rules:
    costs: Sequence[Fraction]
    lengths: list[Bound] = field(default_factory=list)
    sums: list[Bound] = field(default_factory=list)
    points: tuple[Fraction | None, Fraction | None] = (None, None)
    sum_points: list[Bound] = field(default_factory=list)

    def broken(self, chosen: Sequence[int], points: Sequence[int]) -> str | None:
        """The first rule that the ballot breaks, or None. 0 in `chosen` is a project that the file does not know."""
        if 0 in chosen:
            return _UNKNOWN
        if len(set(chosen)) != len(chosen):
            return _TWICE
        ones, costs = dict.fromkeys(chosen, 1), {one: self.costs[one - 1] for one in chosen}
        given = dict(zip(chosen, points, strict=False))  # no points where the file has none
        summed: tuple[tuple[list[Bound], Mapping[int, Fraction | int]], ...]
        summed = ((self.lengths, ones), (self.sums, costs), (self.sum_points, given))
        broken = (bound.broken(values) for bounds, values in summed for bound in bounds)
        return next((rule for rule in broken if rule), None) or self._points_broken(points)

    def _points_broken(self, points: Sequence[int]) -> str | None:
        least, most = self.points
        if least is not None and any(one < least for one in points):
            return "min_points"
        return "max_points" if most is not None and any(one > most for one in points) else None


def rules(meta: Mapping[str, str], kind: str, costs: Sequence[Fraction], categories: Sequence[frozenset[str]]) -> Rules:
    said = dict(meta)
    if kind == "choose-1":
        said.setdefault("max_length", "1")
    if kind == "cumulative":
        said.setdefault("min_points", "0")
    pointed = kind in ("cumulative", "scoring")
    return Rules(
        costs,
        _bounds(said, "length", categories),
        _bounds(said, "sum_cost", categories),
        (_one(said, "min_points"), _one(said, "max_points")) if pointed else (None, None),
        _bounds(said, "sum_points", categories) if pointed else [],
    )


def _bounds(meta: Mapping[str, str], name: str, categories: Sequence[frozenset[str]]) -> list[Bound]:
    """The bound over the whole ballot, then those by category."""
    least, most = _one(meta, f"min_{name}"), _one(meta, f"max_{name}")
    found = [] if least is None and most is None else [Bound(name, least, most)]
    by_category = f"{name}_per_category"
    if f"min_{by_category}" not in meta and f"max_{by_category}" not in meta:
        return found
    known = [one.strip().casefold() for one in meta.get("categories", "").split(",") if one.strip()]
    if not known:
        raise FileRefused(f"META has bounds {by_category} but no categories")
    lower, upper = _each(meta, f"min_{by_category}", len(known)), _each(meta, f"max_{by_category}", len(known))
    for category, low, high in zip(known, lower, upper, strict=True):
        members = frozenset(one for one, own in enumerate(categories, 1) if category in own)
        found.append(Bound(by_category, low, high, members))
    return found


def _one(meta: Mapping[str, str], name: str) -> Fraction | None:
    return number(meta[name], name) if name in meta else None


def _each(meta: Mapping[str, str], name: str, categories: int) -> list[Fraction | None]:
    if name not in meta:
        return [None] * categories
    values = [number(one.strip(), name) for one in meta[name].split(",")]
    if len(values) == 1:
        return list(values * categories)
    if len(values) != categories:
        raise FileRefused(f"{name} has {len(values)} values for {categories} categories")
    return list(values)
