"""Methods by the names that people know them by, and the list of what each reads and defaults to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from services.ballot.methods import METHODS
from services.shared.errors import BadInput

ALIASES: Final[Mapping[str, str]] = {
    "stv": "stv_scottish",
    "scottish_stv": "stv_scottish",
    "scottish": "stv_scottish",
    "wigm": "stv_wigm",
    "wigm_stv": "stv_wigm",
    "plurality": "single_choice",
    "fptp": "single_choice",
    "sntv": "single_choice",
    "block": "multiple_choice",
    "range": "score",
    "mj": "majority_judgment",
    "majority_judgement": "majority_judgment",
    "condorcet": "schulze",
    "tideman": "ranked_pairs",
    "instant_runoff": "irv",
    "greedy": "budget_greedy",
    "equal_shares": "budget_equal_shares",
    "mes": "budget_equal_shares",
    "rule_x": "budget_equal_shares",
    "referendum": "yes_no",
}
POLL: Final = "poll"
"""Whatever method the poll's export names."""


class UnknownMethod(BadInput):
    """No method has this name."""


class _About(NamedTuple):
    marks: str
    formats: str
    defaults: str


_RANKS: Final = "blt, soc, soi, csv (ranked, or --cells ranks), pabulib (ordinal)"
_SEATS: Final = "--seats: the file's, else 1"
_WEAK: Final = _About("a ranking, equals and gaps allowed", f"{_RANKS}, toc, toi, cat", _SEATS)
_STRICT: Final = _About("a ranking, one at each rank", _RANKS, _SEATS)
_APPROVALS: Final = "csv (wide, 0 or 1), cat with two categories, pabulib (approval)"
_BUDGET: Final = "--budget: the file's"
_ABOUT: Final[Mapping[str, _About]] = {
    "yes_no": _About(
        "one of two options", "csv (wide), or the first of any ranking", "no tie-break: a tie has no winner"
    ),
    "single_choice": _About("one option", f"csv (wide, 0 or 1), or the first of: {_RANKS}", _SEATS),
    "multiple_choice": _About(
        "some options", _APPROVALS, f"{_SEATS}; --least: the file's, else 1; --most: the file's, else all"
    ),
    "approval": _About("every acceptable option", _APPROVALS, _SEATS),
    "supports": _About("proposals to back", _APPROVALS, "--threshold: 1"),
    "score": _About(
        "a number for each option",
        "csv (wide), cat, pabulib (scoring, cumulative)",
        f"{_SEATS}; --least, --most: the file's, else 0 or the lowest, and the highest that was given",
    ),
    "cumulative": _About(
        "points shared among options",
        "csv (wide), pabulib (cumulative)",
        f"{_SEATS}; --points, --most: the file's, else the most that was given",
    ),
    "majority_judgment": _About(
        "a grade for each option",
        "cat (categories are grades, best first), csv (wide, the highest number is the best grade)",
        f"{_SEATS}; --least, --most as in score",
    ),
    "borda": _WEAK,
    "schulze": _WEAK,
    "ranked_pairs": _WEAK,
    "irv": _About("a ranking, one at each rank", _RANKS, "one is elected"),
    "stv_scottish": _STRICT,
    "stv_wigm": _STRICT,
    "budget_greedy": _About("projects, or points for them", "pabulib", _BUDGET),
    "budget_equal_shares": _About(
        "projects, or points for them", "pabulib", f"{_BUDGET}; --completion none; --utility cost"
    ),
    "survey": _About("answers to items", "the poll's export alone", "none"),
}


def resolve(text: str) -> str:
    """The registered name; hyphens, spaces and capitals do not matter. Raises UnknownMethod."""
    name = text.strip().casefold().replace("-", "_").replace(" ", "_")
    name = ALIASES.get(name, name)
    if name != POLL and name not in METHODS:
        raise UnknownMethod(f"no method is called {text[:60]!r}: see --list")
    return name


def listing() -> str:
    lines = []
    for name in METHODS:
        about = _ABOUT[name]
        other = ", ".join(alias for alias, meant in ALIASES.items() if meant == name)
        lines.append(name + (f"  (also: {other})" if other else ""))
        lines += [f"    marks     {about.marks}", f"    reads     {about.formats}", f"    settings  {about.defaults}"]
    lines += [
        f"{POLL}",
        "    the method of the poll's own question; its export (bundle) can be counted by any method whose marks fit",
    ]
    return "\n".join(lines)
