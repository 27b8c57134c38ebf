"""What `count --list` prints: each method, the names it also goes by, and the files it is counted from."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Final

from services.ballot.count.convert import KINDS
from services.ballot.count.election import Kind
from services.ballot.methods import METHODS

ALIASES: Final[Mapping[str, str]] = {
    "stv": "stv_scottish",
    "scottish_stv": "stv_scottish",
    "scottish": "stv_scottish",
    "wigm": "stv_wigm",
    "plurality": "single_choice",
    "fptp": "single_choice",
    "sntv": "single_choice",
    "condorcet": "schulze",
    "tideman": "ranked_pairs",
    "rp": "ranked_pairs",
    "mj": "majority_judgment",
    "majority_judgement": "majority_judgment",
    "range": "score",
    "rcv": "irv",
    "instant_runoff": "irv",
    "greedy": "budget_greedy",
    "equal_shares": "budget_equal_shares",
    "mes": "budget_equal_shares",
    "block": "multiple_choice",
}
_FILES: Final[Mapping[Kind, str]] = {
    Kind.RANKINGS: "blt, soc, soi, toc, toi, csv of ranks, pb (ordinal)",
    Kind.APPROVALS: "pb (approval)",
    Kind.NUMBERS: "csv of numbers, pb (cumulative, scoring)",
    Kind.CATEGORIES: "cat",
}


def listing() -> Iterator[str]:
    for name, method in METHODS.items():
        also = [alias for alias, meant in ALIASES.items() if meant == name]
        files = [text for kind, text in _FILES.items() if name in KINDS[kind]]
        yield name + (f" (also {', '.join(also)})" if also else "")
        yield f"    {_about(method)}"
        yield f"    files: {'; '.join([*files, 'ndjson (the export of a poll)'])}"
        if method.settings:
            yield f"    settings: {', '.join(method.settings)}"


def _about(method: object) -> str:
    """The first sentence of the method's module: what it is."""
    text = sys.modules[type(method).__module__].__doc__ or ""
    return " ".join(text.split("\n\n")[0].split())
