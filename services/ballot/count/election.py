"""What every reader makes of its file: candidates, and distinct marks with how many people made them.

A mark is a key in few bytes, so that a million distinct ballots fit in memory: for a ranking or a set of approvals, 2
bytes a candidate; bit 15 says "at the same rank as the one before".
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

MAX_CANDIDATES: Final = 10_000
MAX_TIMES: Final = 2**52
_EQUAL: Final = 0x8000


class Kind(StrEnum):
    """What people marked. RANKINGS: candidates by rank. APPROVALS: a set. NUMBERS: candidate → integer. CATEGORIES:
    candidates by category, best first, some of them empty."""

    RANKINGS = "rankings"
    APPROVALS = "approvals"
    NUMBERS = "numbers"
    CATEGORIES = "categories"


@dataclass
class Election:
    """Candidates are numbered from 1, in the order of the file."""

    kind: Kind
    candidates: list[str]
    marks: Counter[Any] = field(default_factory=Counter)
    seats: int | None = None
    withdrawn: frozenset[int] = frozenset()
    categories: list[str] = field(default_factory=list)
    budget: Fraction | None = None
    costs: list[Fraction] = field(default_factory=list)
    settings: dict[str, int] = field(default_factory=dict)
    """What the file says of its ballots: `most`, `points`, …, where a method wants to know."""
    invalid: Counter[str] = field(default_factory=Counter)
    threshold: int = 0
    """Candidates with a lower total cannot be elected."""
    notes: list[str] = field(default_factory=list)


def ranking_key(groups: Iterable[Sequence[int]]) -> bytes:
    packed = array("H")
    for group in groups:
        packed.extend([number | (_EQUAL if place else 0) for place, number in enumerate(group)])
    return packed.tobytes()


def ranking_of(key: bytes, without: frozenset[int] = frozenset()) -> list[list[int]]:
    """The groups of a ranking, candidates in file order within each; those withdrawn are skipped."""
    groups: list[list[int]] = []
    for packed in array("H", key):
        if packed & _EQUAL:
            groups[-1].append(packed ^ _EQUAL)
        else:
            groups.append([packed])
    if without:
        groups = [[number for number in group if number not in without] for group in groups]
    return [sorted(group) for group in groups if group]


def numbers_key(given: Mapping[int, int]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(given.items()))
