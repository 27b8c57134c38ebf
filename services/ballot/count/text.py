"""A result printed for people: names for numbers, a step a paragraph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_OPTIONS: Final = ("elected", "eliminated", "options", "option", "winner", "loser", "between", "chosen", "from")
_BY_OPTION: Final = ("counts", "votes", "to", "grades", "duels", "paths")


def lines(result: Mapping[str, Any], ids: list[str]) -> Iterator[str]:
    """`ids`: how steps call the candidates, in the file's order."""
    names = dict(zip(ids, result["candidates"], strict=True))
    yield f"method {result['method']}, tie-break {result['tie_break']}"
    said = ", ".join(f"{name} {_shown(value, {})}" for name, value in result["settings"].items())
    if said:
        yield f"settings: {said}" + (f"; money in units of {result['unit']}" if "unit" in result else "")
    for note in result.get("notes", []):
        yield f"note: {note}"
    expressed = f"{result['expressed']} expressed, " if "expressed" in result else ""
    yield f"ballots: {expressed}{result['blank']} blank, {result['invalid']} invalid"
    for reason, times in result["invalid_reasons"].items():
        yield f"  invalid: {times}, {reason}"
    yield "steps:"
    for step in result["steps"]:
        yield f"  {step['step']}"
        for name, value in step.items():
            if name != "step" and value not in ([], {}):
                yield f"    {name}: {_field(name, value, names)}"
    yield "elected:" if result["winners"] else "nobody is elected"
    for place, number in enumerate(result["winners"], 1):
        yield f"  {place}. {result['candidates'][number - 1]} ({number})"


def _field(name: str, value: Any, names: Mapping[str, str]) -> str:
    if name == "transfers":
        return "; ".join(", ".join(f"{key} {_field(key, own, names)}" for key, own in one.items()) for one in value)
    if name in _OPTIONS:
        return _shown(value, names)
    if name in _BY_OPTION and isinstance(value, Mapping):
        return ", ".join(
            f"{names.get(key, key)} {f'({_field(name, own, names)})' if isinstance(own, Mapping) else _shown(own, {})}"
            for key, own in value.items()
        )
    return _shown(value, {})


def _shown(value: Any, names: Mapping[str, str]) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(one, names) for one in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(own, names)}" for key, own in value.items())
    return names.get(value, value) if isinstance(value, str) else "nobody" if value is None else str(value)
