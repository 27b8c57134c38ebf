"""Pabulib (.pb): META, PROJECTS and VOTES, fields parted by semicolons. A ballot that breaks the file's own rules of
lengths, costs, points and categories is invalid, by reason; a file that contradicts itself is refused.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from services.ballot.count.election import MAX_CANDIDATES, Election, Kind, numbers_key, ranking_key
from services.ballot.count.lines import FileRefused, Lines

_KINDS: Final = {
    "approval": Kind.APPROVALS,
    "choose-1": Kind.APPROVALS,
    "ordinal": Kind.RANKINGS,
    "cumulative": Kind.NUMBERS,
    "scoring": Kind.NUMBERS,
}
_BY_CATEGORY: Final = ("min_length", "max_length", "min_sum_cost", "max_sum_cost")


@dataclass
class _Rules:
    """The file's limits for one ballot; None where it sets none."""

    meta: Mapping[str, str]
    limits: dict[str, Fraction | None] = field(default_factory=dict)
    by_category: dict[str, list[Fraction]] = field(default_factory=dict)


def read(lines: Lines) -> Election:
    return _Reader(lines).read()


class _Reader:
    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._meta: dict[str, str] = {}
        self._ids: dict[str, int] = {}
        self._names: list[str] = []
        self._costs: list[Fraction] = []
        self._of: list[frozenset[str]] = []
        self._election: Election | None = None
        self._ballots = 0

    def read(self) -> Election:
        section = ""
        header: list[str] = []
        for row in self._rows():
            word = row[0].strip().upper()
            if len(row) == 1 and word in ("META", "PROJECTS", "VOTES"):
                section, header = word, []
                self._election = self._begin() if word == "VOTES" else self._election
            elif not section:
                raise self._lines.refuse("must be META")
            elif not header:
                header = [name.strip() for name in row]
            elif len(row) > len(header):
                raise self._lines.refuse(f"has {len(row)} fields, its section has {len(header)}")
            else:
                fields = dict(zip(header, (value.strip() for value in row), strict=False))
                {"META": self._say, "PROJECTS": self._project, "VOTES": self._vote}[section](fields)
        return self._end()

    def _rows(self) -> Iterator[list[str]]:
        try:
            for row in csv.reader(iter(self._lines), delimiter=";", strict=True):
                if any(value.strip() for value in row):
                    yield row
        except csv.Error as e:
            raise self._lines.refuse(str(e)) from None

    def _say(self, fields: Mapping[str, str]) -> None:
        values = list(fields.values())
        if len(values) < 2:
            raise self._lines.refuse("must be a key and a value")
        self._meta[values[0].lower()] = values[1]

    def _project(self, fields: Mapping[str, str]) -> None:
        name = fields.get("project_id", "")
        if not name or name in self._ids:
            raise self._lines.refuse(f"names project {name[:40]!r} a second time" if name else "has no project_id")
        if len(self._ids) == MAX_CANDIDATES:
            raise self._lines.refuse(f"is beyond {MAX_CANDIDATES} projects")
        self._ids[name] = len(self._ids) + 1
        self._names.append(fields.get("name") or name)
        self._costs.append(self._money(fields.get("cost", ""), "cost"))
        known = fields.get("category") or fields.get("categories") or ""
        self._of.append(frozenset(one.strip() for one in known.split(",") if one.strip()))

    def _begin(self) -> Election:
        vote_type = self._meta.get("vote_type", "").lower()
        if vote_type not in _KINDS:
            raise self._lines.refuse(f"vote_type must be one of {', '.join(_KINDS)}, not {vote_type[:40]!r}")
        if not self._ids:
            raise self._lines.refuse("stands before any project")
        found = Election(_KINDS[vote_type], self._names, costs=self._costs)
        if "budget" in self._meta:
            found.budget = self._money(self._meta["budget"], "budget")
        if self._meta.get("budget_per_category"):
            found.notes.append("budget_per_category is not applied: no method here divides a budget by category")
        for name in ("max_length", "max_points", "max_sum_points", "default_score"):
            if self._meta.get(name):
                found.settings[name] = int(self._money(self._meta[name], name))
        found.threshold = int(self._money(self._meta.get("min_project_score_threshold") or "0", "threshold"))
        self._rules = self._read_rules()
        return found

    def _read_rules(self) -> _Rules:
        rules = _Rules(self._meta)
        names = (*_BY_CATEGORY, "min_points", "max_points", "min_sum_points", "max_sum_points")
        rules.limits = {n: self._money(self._meta[n], n) if self._meta.get(n) else None for n in names}
        for name in _BY_CATEGORY:
            text = self._meta.get(f"{name}_per_category", "")
            if text:
                rules.by_category[name] = [
                    self._money(one, f"{name}_per_category") for one in text.strip("[]").split(",")
                ]
        return rules

    def _vote(self, fields: Mapping[str, str]) -> None:
        election, self._ballots = self._begun(), self._ballots + 1
        named = [one.strip() for one in fields.get("vote", "").split(",") if one.strip()]
        numbers = [self._ids.get(one, 0) for one in named]
        points = self._points(fields, numbers) if election.kind is Kind.NUMBERS else {}
        reason = self._fault(numbers, points)
        if not named and reason in (None, "too_few"):
            election.marks[() if election.kind is Kind.NUMBERS else b""] += 1
        elif reason is not None:
            election.invalid[reason] += 1
        elif election.kind is Kind.NUMBERS:
            election.marks[numbers_key(points)] += 1
        else:
            order = sorted(numbers) if election.kind is Kind.APPROVALS else numbers
            election.marks[ranking_key([[number] for number in order])] += 1

    def _begun(self) -> Election:
        if self._election is None:
            raise self._lines.refuse("stands before VOTES")
        return self._election

    def _points(self, fields: Mapping[str, str], numbers: Sequence[int]) -> dict[int, int]:
        given = [one.strip() for one in fields.get("points", "").split(",") if one.strip()]
        if len(given) != len(numbers):
            raise self._lines.refuse(f"gives {len(given)} points to {len(numbers)} projects")
        points = {}
        for number, text in zip(numbers, given, strict=True):
            value = self._money(text, "points")
            if value.denominator != 1:
                raise self._lines.refuse(f"points must be whole numbers, not {text[:20]!r}")
            points[number] = int(value)
        return points

    def _fault(self, numbers: Sequence[int], points: Mapping[int, int]) -> str | None:
        """Which rule of the file the ballot breaks, if any."""
        if 0 in numbers:
            return "unknown_project"
        if len(set(numbers)) != len(numbers):
            return "project_twice"
        limits = self._rules.limits
        if (found := _outside(len(numbers), limits["min_length"], limits["max_length"])) is not None:
            return ("too_few", "too_many")[found]
        cost = sum((self._costs[number - 1] for number in numbers), Fraction(0))
        if (found := _outside(cost, limits["min_sum_cost"], limits["max_sum_cost"])) is not None:
            return ("costs_too_little", "costs_too_much")[found]
        if self._begun().kind is Kind.NUMBERS:
            if any(_outside(v, limits["min_points"], limits["max_points"]) is not None for v in points.values()):
                return "points_out_of_range"
            total = sum(points.values())
            if numbers and _outside(total, limits["min_sum_points"], limits["max_sum_points"]) is not None:
                return "sum_of_points_out_of_range"
        return self._category_fault(numbers)

    def _category_fault(self, numbers: Sequence[int]) -> str | None:
        if not self._rules.by_category:
            return None
        named = [one.strip() for one in self._meta.get("categories", "").strip("[]").split(",") if one.strip()]
        names = named or sorted({one for of in self._of for one in of})
        chosen: Counter[str] = Counter(one for number in numbers for one in self._of[number - 1])
        costs = {n: sum((self._costs[i - 1] for i in numbers if n in self._of[i - 1]), Fraction(0)) for n in names}
        for rule, values in self._rules.by_category.items():
            for place, name in enumerate(names):
                limit = values[place] if place < len(values) else values[-1]
                found: Fraction | int = chosen[name] if rule.endswith("length") else costs[name]
                if found < limit if rule.startswith("min") else found > limit:
                    return f"category_{rule}"
        return None

    def _end(self) -> Election:
        if self._election is None:
            raise FileRefused(self._lines.number, "is the last, and there are no VOTES")
        for key, found in (("num_votes", self._ballots), ("num_projects", len(self._ids))):
            if self._meta.get(key) and self._money(self._meta[key], key) != found:
                raise self._lines.refuse(f"is the last: {found} counted, {key} says {self._meta[key][:20]}")
        default = self._election.settings.get("default_score", 0)
        if self._election.kind is Kind.NUMBERS and default:
            everyone = dict.fromkeys(range(1, len(self._names) + 1), default)
            filled: Counter[Any] = Counter()
            for mark, times in self._election.marks.items():
                filled[numbers_key(everyone | dict(mark)) if mark else mark] += times
            self._election.marks = filled
        return self._election

    def _money(self, text: str, what: str) -> Fraction:
        try:
            value = Fraction(text.strip().replace(",", "."))
        except (ValueError, ZeroDivisionError):
            raise self._lines.refuse(f"{what} must be a number, not {text[:40]!r}") from None
        if not 0 <= value < 2**52 or len(text) > 40:
            raise self._lines.refuse(f"{what} is out of range: {text[:40]!r}")
        return value


def _outside(value: Fraction | int, least: Fraction | None, most: Fraction | None) -> int | None:
    """0: below the least, 1: above the most, None: within."""
    if least is not None and value < least:
        return 0
    return 1 if most is not None and value > most else None
