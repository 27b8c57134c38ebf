"""A count for people: the same as the JSON, in sentences and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

Json = dict[str, Any]


def lines(result: Json, names: Mapping[str, str]) -> Iterator[str]:
    """`names`: the label of each option id."""

    def name(option: str) -> str:
        return names.get(option, option)

    winners = [result["candidates"][number - 1] for number in result["winners"]]
    yield f"{result['method']}: {', '.join(winners) if winners else 'nobody is elected'}"
    yield f"{result['expressed']} ballots count, {result['blank']} are blank, {result['invalid']} are invalid"
    for reason, number in result["invalid_reasons"].items():
        yield f"  {number} invalid: {reason}"
    for note in result["notes"]:
        yield f"note: {note}"
    for step in result["steps"]:
        yield ""
        yield from _STEPS[step["step"]](step, name)


Name = Callable[[str], str]


def _several(options: Sequence[str], name: Name) -> str:
    return ", ".join(map(name, options)) or "nobody"


def _counted(step: Json, name: Name) -> Iterator[str]:
    if "items" in step:
        for item, counts in step["items"].items():
            yield f"{item}: asked of {counts['asked']}, answered by {counts['answered']}: {counts['values']}"
        return
    width = max((len(name(option)) for option in step["counts"]), default=0)
    for option, value in step["counts"].items():
        shown = " ".join(f"{n:>8}" for n in value) if isinstance(value, list) else f"{value:>12}"
        yield f"  {name(option):<{width}} {shown}"


def _matrix(key: str, title: str) -> Callable[[Json, Name], Iterator[str]]:
    def table(step: Json, name: Name) -> Iterator[str]:
        yield title
        for option, row in step[key].items():
            yield f"  {name(option)}: " + ", ".join(f"{value} over {name(other)}" for other, value in row.items())
        if step.get("condorcet_winner"):
            yield f"  {name(step['condorcet_winner'])} beats every other one"

    return table


def _round(step: Json, name: Name) -> Iterator[str]:
    yield f"Round {step['round']}"
    width = max((len(name(option)) for option in step["votes"]), default=0)
    for option, votes in step["votes"].items():
        yield f"  {name(option):<{width}} {votes:>14}"
    yield f"  {'(exhausted)':<{width}} {step['exhausted']:>14}"
    if step["elected"]:
        yield f"  elected: {_several(step['elected'], name)}"
    if step["eliminated"]:
        yield f"  eliminated: {_several(step['eliminated'], name)}"
    for moved in step["transfers"]:
        to = ", ".join(f"{value} to {name(option)}" for option, value in moved["to"].items()) or "none"
        yield f"  from {name(moved['from'])}: {to}; {moved['exhausted']} exhausted"


def _tie(step: Json, name: Name) -> Iterator[str]:
    def told(one: Any) -> str:
        return " over ".join(map(name, one)) if isinstance(one, list) else name(one)

    between, chosen = "; ".join(map(told, step["between"])), "; ".join(map(told, step["chosen"]))
    yield f"Tie ({step['for']}) between {between}: {chosen}, by {step['by']}"


def _project(step: Json, name: Name) -> Iterator[str]:
    said = "funded" if step["funded"] else "not funded"
    yield f"{name(step['option'])}: {step['total']} votes, cost {step['cost']}: {said}; {step['left']} left"


def _bought(step: Json, name: Name) -> Iterator[str]:
    option, cost, payers, left = name(step["option"]), step["cost"], step["payers"], step["left"]
    yield f"{option}: cost {cost}, paid by {payers} at {step['price']} a unit; {left} left"


_STEPS: Final[Mapping[str, Callable[[Json, Name], Iterator[str]]]] = {
    "counted": _counted,
    "won": lambda step, name: iter([f"Won: {name(step['option'])}"]),
    "tied": lambda step, name: iter([f"Tied: {_several(step['options'], name)}"]),
    "elected": lambda step, name: iter([f"Elected: {_several(step['options'], name)}"]),
    "threshold": lambda step, name: iter([f"Reached {step['threshold']}: {_several(step['options'], name)}"]),
    "majority_grades": lambda step, name: iter(f"  {name(o)}: majority grade {g}" for o, g in step["grades"].items()),
    "duels": _matrix("duels", "Duels: how many rank one above the other"),
    "paths": _matrix("paths", "Strongest paths"),
    "duel": lambda step, name: iter(
        [
            f"{name(step['winner'])} over {name(step['loser'])}, {step['votes']} to {step['against']}: "
            + ("locked" if step["locked"] else "left out, it would close a circle")
        ]
    ),
    "round": _round,
    "tie": _tie,
    "project": _project,
    "bought": _bought,
    "share": lambda step, name: iter([f"{step['budget']} for {step['people']} people: {step['share']} each"]),
    "raised": lambda step, name: iter([f"Shares raised by {step['by']}, to {step['share']}"]),
    "completion": lambda step, name: iter([f"The rest is spent by the rule {step['by']}"]),
}
