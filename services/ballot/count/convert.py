"""From what people marked in a file to what a method asks: its question, and the profile of answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import lcm
from typing import Any, Final

from services.ballot.count.election import Election, Kind, ranking_of
from services.ballot.methods.method import Method
from services.shared.errors import BadInput

Json = dict[str, Any]
STRICT: Final = ("irv", "stv_scottish", "stv_wigm")
RANKED: Final = ("borda", "schulze", "ranked_pairs", *STRICT)
BUDGETS: Final = ("budget_greedy", "budget_equal_shares")
SETS: Final = ("approval", "multiple_choice", "supports", *BUDGETS)
POINTS: Final = ("cumulative", *BUDGETS)
_MOST_GRADES: Final = 100
ONE: Final = ("yes_no", "single_choice")
KINDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.RANKINGS: (*RANKED, *ONE),
    Kind.APPROVALS: (*SETS, *ONE),
    Kind.NUMBERS: ("score", "majority_judgment", *POINTS, *SETS),
    Kind.CATEGORIES: ("majority_judgment", "score", "approval", "borda", "schulze", "ranked_pairs"),
}


class CannotCount(Exception):
    """The method and the file, or the options, do not go together; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    options: list[Option]
    settings: Mapping[str, Any]
    tie_break: str
    blank: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says; None where it says nothing."""

    seats: int | None = None
    budget: Fraction | None = None
    tie_break: str = "order"
    completion: str = "none"
    utility: str = "cost"
    threshold: int | None = None


@dataclass
class Ballots:
    """The profile of a file, converted mark by mark as it is walked. `invalid` is filled by the first walk."""

    question: Question
    marks: Mapping[Any, int]
    answer: Callable[[Any], Json]
    check: Callable[[Question, Any], None]
    unit: int = 1
    invalid: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[tuple[Json, int]]:
        invalid: Counter[str] = Counter()
        for mark, times in self.marks.items():
            if not times:
                continue
            try:
                answer = self.answer(mark)
                self.check(self.question, answer)
            except BadInput as refused:
                invalid[type(refused).__name__ + (f": {refused.field}" if refused.field else "")] += times
                continue
            yield answer, times
        self.invalid = invalid


class Overvote(BadInput):
    reason = "more than one choice where one was to be made"


class NotApproved(BadInput):
    reason = "an approval is 0 or 1"


def ballots(method: Method, election: Election, wanted: Wanted) -> Ballots:
    """Raises CannotCount."""
    if method.name not in KINDS[election.kind]:
        able = ", ".join(KINDS[election.kind])
        raise CannotCount(f"{method.name} cannot be counted from {election.kind.value}; these can: {able}")
    options = [
        Option(str(number), name)
        for number, name in enumerate(election.candidates, start=1)
        if number not in election.withdrawn
    ]
    if not options or (method.name == "yes_no" and len(options) != 2):
        raise CannotCount(f"{method.name} needs {'two' if options else 'some'} candidates, there are {len(options)}")
    if method.name == "approval" and len(election.categories) > 2:
        election.notes.append(f"approved is what stands in the first category, {election.categories[0]!r}")
    settings, unit = _settings(method, election, wanted, [option.id for option in options])
    question = Question(options, settings, "none" if method.name == "yes_no" else wanted.tie_break)
    found = Ballots(question, election.marks, _converter(method.name, election, settings), method.check, unit)
    return _above_threshold(found, election, method) if election.threshold else found


def _above_threshold(found: Ballots, election: Election, method: Method) -> Ballots:
    """Without the candidates whose total does not reach what the file asks for."""
    counts = method.sums(found.question, found)["counts"]
    out = frozenset(int(option) for option, total in counts.items() if total < election.threshold)
    if not out:
        return found
    election.notes.append(f"below the threshold of {election.threshold}: {', '.join(map(str, sorted(out)))}")
    question = replace(found.question, options=[o for o in found.question.options if int(o.id) not in out])
    settings = dict(question.settings)
    if "costs" in settings:
        settings["costs"] = {o: cost for o, cost in settings["costs"].items() if int(o) not in out}

    def without(mark: Any) -> Json:
        answer = found.answer(mark)
        for name, value in answer.items():
            if isinstance(value, list):
                answer = {name: [option for option in value if int(option) not in out]}
            elif isinstance(value, dict):
                answer = {name: {option: n for option, n in value.items() if int(option) not in out}}
            if not answer[name]:
                return {"blank": True}
        return answer

    return Ballots(replace(question, settings=settings), found.marks, without, lambda *_: None, found.unit)


def _settings(method: Method, election: Election, wanted: Wanted, ids: list[str]) -> tuple[Json, int]:
    """What the method wants to know: from the command line, else the file, else as usual; and the unit of money."""
    seats = wanted.seats or election.seats or 1
    values = [value for mark in election.marks for _, value in mark] if election.kind is Kind.NUMBERS else []
    usual: Json = {"seats": seats, "least": 1, "most": len(ids), "threshold": wanted.threshold or 1}
    if method.name == "score":
        top = len(election.categories) - 1 if election.kind is Kind.CATEGORIES else max([*values, 1])
        usual |= {"least": min([*values, 0]), "most": top}
    elif method.name == "cumulative":
        usual |= _points(election, values)
    elif method.name == "majority_judgment":
        usual["grades"] = _grades(election, values)
    unit = 1
    if method.name in BUDGETS:
        money, unit = _money(election, wanted, ids)
        points = election.kind is Kind.NUMBERS and any(value > 1 for value in values)
        kind = (
            {"kind": "points", **_points(election, values)}
            if points
            else {"kind": "approval", "least": 1, "most": len(ids)}
        )
        usual |= {**money, "ballot": kind, "completion": wanted.completion, "utility": wanted.utility}
    return {name: usual[name] for name in method.settings}, unit


def _points(election: Election, values: list[int]) -> Json:
    most = election.settings.get("max_points") or max([*values, 1])
    shared = max((sum(value for _, value in mark) for mark in election.marks), default=1)
    return {"points": election.settings.get("max_sum_points") or max(shared, most, 1), "most": most}


def _grades(election: Election, values: list[int]) -> list[Json]:
    if election.kind is Kind.CATEGORIES:
        return [{"id": str(i), "label": name} for i, name in enumerate(election.categories, start=1)]
    if not values:
        raise CannotCount("majority_judgment needs at least one grade in the file")
    if max(values) - min(values) > _MOST_GRADES:
        raise CannotCount(f"majority_judgment takes at most {_MOST_GRADES} grades: the file has notes further apart")
    return [{"id": str(value), "label": str(value)} for value in range(max(values), min(values) - 1, -1)]


def _money(election: Election, wanted: Wanted, ids: list[str]) -> tuple[Json, int]:
    budget = wanted.budget if wanted.budget is not None else election.budget
    if not election.costs or budget is None:
        raise CannotCount("a budget method needs each project's cost and a budget: a .pb file, or --budget")
    unit = lcm(budget.denominator, *(cost.denominator for cost in election.costs))
    costs = {option: int(election.costs[int(option) - 1] * unit) for option in ids}
    return {"budget": int(budget * unit), "costs": costs}, unit


def _converter(name: str, election: Election, settings: Json) -> Callable[[Any], Json]:
    out = election.withdrawn
    if election.kind is Kind.RANKINGS:
        return lambda mark: _from_ranking(name, ranking_of(mark, out))
    if election.kind is Kind.APPROVALS:
        return lambda mark: _from_set(name, [group[0] for group in ranking_of(mark, out)])
    if election.kind is Kind.CATEGORIES:
        return lambda mark: _from_categories(name, mark)
    points = name in POINTS and settings.get("ballot", {}).get("kind") != "approval"
    return lambda mark: _from_numbers(name, dict(mark), points=points)


def _from_ranking(name: str, groups: list[list[int]]) -> Json:
    if not groups:
        return {"blank": True}
    if name in ONE:
        if len(groups[0]) > 1:
            raise Overvote
        return {"choice": str(groups[0][0])}
    return {"ranking": [[str(number) for number in group] for group in groups]}


def _from_set(name: str, chosen: list[int]) -> Json:
    if not chosen:
        return {"blank": True}
    if name in ONE:
        if len(chosen) > 1:
            raise Overvote
        return {"choice": str(chosen[0])}
    return {"choices": [str(number) for number in chosen]}


def _from_numbers(name: str, given: dict[int, int], *, points: bool) -> Json:
    if not given:
        return {"blank": True}
    if name == "score":
        return {"scores": {str(number): value for number, value in given.items()}}
    if name == "majority_judgment":
        return {"grades": {str(number): str(value) for number, value in given.items()}}
    if points:
        positive = {str(number): value for number, value in given.items() if value}
        return {"points": positive} if positive else {"blank": True}
    if any(value not in (0, 1) for value in given.values()):
        raise NotApproved
    return _from_set(name, [number for number, value in given.items() if value])


def _from_categories(name: str, groups: tuple[tuple[int, ...], ...]) -> Json:
    if not any(groups):
        return {"blank": True}
    if name == "approval":
        return {"choices": [str(number) for number in groups[0]]}
    if name in RANKED:
        return {"ranking": [[str(number) for number in group] for group in groups if group]}
    placed = {str(number): place for place, group in enumerate(groups, start=1) for number in group}
    if name == "score":
        return {"scores": {number: len(groups) - place for number, place in placed.items()}}
    return {"grades": {number: str(place) for number, place in placed.items()}}
