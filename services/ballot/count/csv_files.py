"""CSV with a header line, separated by commas, semicolons or tabs. Two layouts.

Ranked: columns `rank1`, `rank2`, … (or choice, rang, choix), cells hold names. Wide: one column a candidate, cells hold
integers: approvals (0 or 1), scores or points, or ranks (1 is best). In both a column `count`, `weight` or `nombre`
says how many cast the ballot, and a column `id`, `ballot_id` or `voter_id` is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from services.ballot.count.files import MAX_BALLOTS, MAX_CANDIDATES, FileRefused, Lines, rows, short, whole
from services.ballot.count.source import Ballot, Kind, Source

Cells = Literal["approvals", "numbers", "ranks"]
_KINDS: Final[dict[Cells, Kind]] = {"approvals": "approvals", "numbers": "numbers", "ranks": "ranking"}
_RANK: Final = re.compile(r"(?:rank|rang|choice|choix)[ _-]*([1-9]\d{0,3})", re.IGNORECASE)
_WEIGHTS: Final = ("count", "weight", "nombre")
_UNREAD: Final = ("id", "ballot_id", "voter_id")
_SKIPPED: Final = ("", "undervote", "skipped")
_OVERVOTE: Final = "overvote"
_INTEGER: Final = re.compile(r"-?\d{1,9}")


def read(lines: Lines, cells: Cells) -> Source:
    header, rest = _open(lines)
    weight = [place for place, name in enumerate(header) if name.casefold() in _WEIGHTS]
    if len(weight) > 1:
        raise FileRefused("two columns say how many cast each ballot")
    used = [p for p, name in enumerate(header) if p not in weight and name.casefold() not in _UNREAD]
    ranks = [place for place in used if _RANK.fullmatch(header[place])]
    if ranks and len(ranks) != len(used):
        other = next(header[place] for place in used if place not in ranks)
        raise FileRefused(f"the column {short(other)} is neither a rank nor a count")
    if ranks:
        source = Source("ranking", [])
        ranks.sort(key=lambda place: int(_RANK.fullmatch(header[place])[1]))  # type: ignore[index]
        source.ballots = _ranked(lines, rest, len(header), weight, ranks, source)
        return source
    if not 1 <= len(used) <= MAX_CANDIDATES:
        raise FileRefused(f"must have from 1 to {MAX_CANDIDATES} columns of candidates, has {len(used)}")
    source = Source(_KINDS[cells], [header[place] for place in used])
    source.ballots = _wide(lines, rest, len(header), weight, used, cells)
    return source


def _open(lines: Lines) -> tuple[list[str], Iterator[list[str]]]:
    """The header's names, and the rows after it: the separator is the one that the header has most of."""
    texts = iter(lines)
    first = next((text for text in texts if text.strip()), None)
    if first is None:
        raise FileRefused("is empty: the first line must name the columns")
    unquoted = re.sub(r'"[^"]*"', "", first)
    delimiter = max(",;\t", key=unquoted.count)
    header = next(rows(_Only(first), delimiter, strict=True), None)
    if header is None:
        raise FileRefused("names no column in its first line")
    return [name.strip() for name in header], rows(lines, delimiter, strict=True)


class _Only(Lines):
    """One line that was read already."""

    def __init__(self, text: str) -> None:
        self.number, self._line = 1, text

    def __iter__(self) -> Iterator[str]:
        yield self._line


def _times(row: list[str], width: int, weight: list[int]) -> int:
    if len(row) != width:
        raise FileRefused(f"has {len(row)} fields, the first line has {width}")
    return whole(row[weight[0]].strip(), "a ballot's count", most=MAX_BALLOTS) if weight else 1


def _ranked(
    lines: Lines, rest: Iterator[list[str]], width: int, weight: list[int], ranks: list[int], source: Source
) -> Iterator[Ballot]:
    numbers: dict[str, int] = {}
    for row in rest:
        times = _times(row, width, weight)
        chosen: list[int] = []
        invalid = None
        for place in ranks:
            name = row[place].strip()
            if name.casefold() in _SKIPPED:
                continue
            if name.casefold() == _OVERVOTE:
                invalid = "overvote: two candidates at one rank"
                continue
            if name not in numbers:
                numbers[name] = len(numbers) + 1
                source.names.append(name)
                if len(numbers) > MAX_CANDIDATES:
                    raise FileRefused(f"names more than {MAX_CANDIDATES} candidates")
            chosen.append(numbers[name])
        if len(set(chosen)) != len(chosen):
            invalid = invalid or "a candidate stands at two ranks"
        yield Ballot(lines.number, times, tuple((one,) for one in chosen) or None, invalid)


def _wide(
    lines: Lines, rest: Iterator[list[str]], width: int, weight: list[int], used: list[int], cells: Cells
) -> Iterator[Ballot]:
    for row in rest:
        times = _times(row, width, weight)
        pairs = tuple(
            (number, _integer(row[place].strip(), cells))
            for number, place in enumerate(used, 1)
            if row[place].strip().casefold() not in _SKIPPED
        )
        if cells == "approvals":
            yield Ballot(lines.number, times, tuple(number for number, value in pairs if value) if pairs else None)
        elif cells == "numbers":
            yield Ballot(lines.number, times, pairs or None)
        else:
            yield Ballot(lines.number, times, _by_rank(pairs) or None)


def _by_rank(pairs: tuple[tuple[int, int], ...]) -> tuple[tuple[int, ...], ...]:
    """Best first; rank 0 is none. Ranks that nobody has are passed over."""
    groups: dict[int, list[int]] = {}
    for number, rank in pairs:
        if rank:
            groups.setdefault(rank, []).append(number)
    return tuple(tuple(groups[rank]) for rank in sorted(groups))


def _integer(text: str, cells: Cells) -> int:
    if not _INTEGER.fullmatch(text) or not text.isascii():
        raise FileRefused(f"a cell must hold an integer, not {short(text)}")
    value = int(text)
    if cells == "approvals" and value not in (0, 1):
        raise FileRefused(f"an approval must be 0 or 1, not {text}")
    if cells == "ranks" and value < 0:
        raise FileRefused(f"a rank must be from 1 on, not {text}")
    return value
