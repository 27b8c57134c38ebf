"""The question that a count puts to a method: its options and its settings, from the command, then the file, then
defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from services.ballot.count.answers import Unfit
from services.ballot.count.source import Source
from services.ballot.methods import METHODS
from services.ballot.protocol.profile import Answers

MAX_MONEY: Final = 2**53 - 1
_MAX_GRADES: Final = 1_000
_LOT: Final = re.compile(r"lot:[a-z0-9][a-z0-9-]{0,63}")
# Equal shares adds costs × points × people in 64 bits.
_MAX_UTILITY: Final = 2**62


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    options: Sequence[Option]
    settings: Mapping[str, Any]
    tie_break: str
    blank: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command says besides method and file; None is: as the file has it, or by default."""

    seats: int | None = None
    budget: Fraction | None = None
    tie_break: str | None = None
    completion: str | None = None
    utility: str | None = None
    threshold: int | None = None
    least: int | None = None
    most: int | None = None
    points: int | None = None
    ignore_category_budgets: bool = False


def tie_break(method: str, wanted: str | None, default: str = "order") -> str:
    if wanted is not None and wanted != "order" and not _LOT.fullmatch(wanted):
        raise Unfit("--tie-break must be order, or lot:SEED with a seed of at most 64 of a-z 0-9 -")
    if "order" not in METHODS[method].tie_breaks:
        return "none"
    return wanted or default


def options(source: Source) -> list[Option]:
    """Who can be elected; those who withdrew keep their number and are not among them."""
    names = enumerate(source.names, 1)
    return [Option(source.id_of(number), name) for number, name in names if number not in source.withdrawn]


@dataclass(slots=True)
class Settings:
    """The settings of one method, each by its name. `notes`: what the reader of the result should know of them."""

    method: str
    source: Source
    asked: Asked
    answers: Answers
    unit: Fraction | None = None
    notes: list[str] = field(default_factory=list)

    def all(self) -> dict[str, Any]:
        if self.method == "irv" and self.asked.seats is not None and self.asked.seats != 1:
            raise Unfit("irv elects one: for several seats, count by stv_scottish or stv_wigm")
        if self.method == "irv" and (self.source.seats or 1) != 1:
            self.notes.append(f"the file says {self.source.seats} seats; irv elects one")
        found: dict[str, Any] = {}
        for name in METHODS[self.method].settings:
            if name == "budget":
                found |= self._money()
            elif name not in found:
                found[name] = _READERS[name](self)
        return found

    def seats(self) -> int:
        return self.asked.seats or self.source.seats or 1

    def threshold(self) -> int:
        return self.asked.threshold or self.source.settings.get("threshold") or 1

    def completion(self) -> str:
        return self.asked.completion or self.source.settings.get("completion") or "none"

    def utility(self) -> str:
        return self.asked.utility or self.source.settings.get("utility") or "cost"

    def least(self) -> int:
        if self.asked.least is not None:
            return self.asked.least
        if self.method == "multiple_choice":
            return max(1, self.source.least or 1)
        return self.source.least if self.source.least is not None else min(0, self._span()[0])

    def most(self) -> int:
        if self.asked.most is not None:
            return self.asked.most
        if self.method == "multiple_choice":
            return self.source.most or len(self.source.names)
        return self.source.most if self.source.most is not None else max(1, self._span()[1])

    def points(self) -> int:
        return self.asked.points or self.source.points or max(1, self._span()[2])

    def grades(self) -> list[dict[str, str]]:
        if self.source.kind == "categories":
            return [{"id": str(place), "label": name} for place, name in enumerate(self.source.categories, 1)]
        least, most = self.least(), self.most()
        if most - least >= _MAX_GRADES:
            raise Unfit(f"majority_judgment would have more than {_MAX_GRADES} grades, from {least} to {most}")
        return [{"id": str(value), "label": str(value)} for value in range(most, least - 1, -1)]

    def ballot(self) -> dict[str, Any]:
        if self.source.kind == "approvals":
            return {"kind": "approval", "least": 1, "most": len(self.source.names)}
        _, most, points = self._span()
        return {"kind": "points", "points": max(1, points), "most": max(1, most)}

    def _span(self) -> tuple[int, int, int]:
        """The lowest and the highest number given, and the highest sum of a ballot."""
        least = most = points = 0
        for answer, _ in self.answers:
            given = [int(value) for marks in answer.values() if isinstance(marks, dict) for value in marks.values()]
            if given:
                least, most, points = min(least, *given), max(most, *given), max(points, sum(given))
        return least, most, points

    def _money(self) -> dict[str, Any]:
        """Budget and costs in one unit in which all are whole: the currency's, or a tenth of it, a hundredth, …"""
        budget = self.asked.budget if self.asked.budget is not None else self.source.budget
        if not self.source.costs:
            raise Unfit(f"{self.method} needs the costs of projects: this format has none")
        if budget is None:
            raise Unfit("the file says no budget: give it as --budget")
        if self.source.own_budgets and not self.asked.ignore_category_budgets:
            raise Unfit(
                f"the file divides its budget ({', '.join(self.source.own_budgets)}), which {self.method} cannot"
                " honour: --ignore-category-budgets counts without that"
            )
        scale = 1
        while any((value * scale).denominator != 1 for value in (budget, *self.source.costs)):
            scale *= 10
        if max(budget, *self.source.costs) * scale > MAX_MONEY or budget <= 0:
            raise Unfit("the budget must be more than 0, and no sum of money beyond 2^53 − 1 of its smallest unit")
        self.unit = Fraction(1, scale)
        numbered = enumerate(self.source.costs, 1)
        costs = {self.source.id_of(number): int(cost * scale) for number, cost in numbered}
        self._refuse_overflow(max(costs.values()))
        return {"budget": int(budget * scale), "costs": costs}

    def _refuse_overflow(self, dearest: int) -> None:
        if self.method == "budget_equal_shares":
            people = sum(times for _, times in self.answers)
            if dearest * max(1, self._span()[1]) * people > _MAX_UTILITY:
                raise Unfit("costs × points × voters are beyond what equal shares can add")


_READERS: Final[Mapping[str, Any]] = {
    "seats": Settings.seats,
    "threshold": Settings.threshold,
    "completion": Settings.completion,
    "utility": Settings.utility,
    "least": Settings.least,
    "most": Settings.most,
    "points": Settings.points,
    "grades": Settings.grades,
    "ballot": Settings.ballot,
}
