"""CSV: a ballot a line, in one of two layouts; comma, semicolon or tab.

*Ranked*: columns `rank1`, `rank2`, … (or `choix 1`, `choice_1`, `rang 1`) hold candidates' names; an empty cell,
`skipped` or `undervote` is a skipped rank, `overvote` a rank that counts for nobody, a repeat is dropped. Other columns
are left out. *Wide*: a column a candidate, cells hold whole numbers: 0/1 for approvals, notes, points, or ranks with
`--cells ranks`. In both, a column `count`, `weight`, `nombre` or `poids` says how many cast the line; `id`, `voter_id`
and `votant` are left out.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from typing import Final

from services.ballot.count.election import MAX_CANDIDATES, MAX_TIMES, Election, Kind, numbers_key, ranking_key
from services.ballot.count.lines import Lines

_RANK: Final = re.compile(
    r"(?:rank|rang|choice|choix|preference|préférence)[ _-]*(\d+)|(\d+)(?:st|nd|rd|th) choice", re.I
)
_COUNTS: Final = ("count", "weight", "nombre", "poids", "effectif")
_IGNORED: Final = ("id", "voter_id", "votant", "bulletin")
_SKIPPED: Final = ("", "skipped", "undervote")


def read(lines: Lines, *, ranks: bool, stop_after_skips: int, strict: bool) -> Election:
    """`ranks`: the cells of a wide file are ranks, 1 the best. `stop_after_skips`: after so many skipped ranks in a row
    the rest of a ranked line does not count; 0: gaps are closed."""
    rows = _rows(lines)
    header = [name.strip() for name in next(rows, [])]
    if not header:
        raise lines.refuse("holds no header")
    weights = [place for place, name in enumerate(header) if name.lower() in _COUNTS]
    if len(weights) > 1:
        raise lines.refuse("has two columns that say how many")
    places = {int(found[1] or found[2]): place for place, name in enumerate(header) if (found := _RANK.fullmatch(name))}
    if places:
        return _ranked(lines, rows, header, [places[rank] for rank in sorted(places)], weights, stop_after_skips)
    columns = [p for p, n in enumerate(header) if p not in weights and n.lower() not in _IGNORED]
    return _wide(lines, rows, header, columns, weights, ranks=ranks, strict=strict)


def _rows(lines: Lines) -> Iterator[list[str]]:
    text = iter(lines)
    first = next(text, "")
    delimiter = max(",;\t", key=first.count)

    def again() -> Iterator[str]:
        yield first
        yield from text

    try:
        for row in csv.reader(again(), delimiter=delimiter, strict=True):
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error as e:
        raise lines.refuse(str(e)) from None


def _times(lines: Lines, row: Sequence[str], weights: Sequence[int]) -> int:
    return lines.number_in(row[weights[0]], "how many", least=0, most=MAX_TIMES) if weights else 1


def _fit(lines: Lines, row: Sequence[str], header: Sequence[str]) -> None:
    if len(row) != len(header):
        raise lines.refuse(f"has {len(row)} cells, the header {len(header)}")


def _ranked(
    lines: Lines,
    rows: Iterator[list[str]],
    header: Sequence[str],
    columns: Sequence[int],
    weights: Sequence[int],
    stop_after_skips: int,
) -> Election:
    numbers: dict[str, int] = {}
    election = Election(Kind.RANKINGS, [])
    for row in rows:
        _fit(lines, row, header)
        named: list[int] = []
        skips = 0
        for cell in (row[column].strip() for column in columns):
            skips = skips + 1 if cell.lower() in _SKIPPED else 0
            if stop_after_skips and skips == stop_after_skips:
                break
            if cell.lower() in (*_SKIPPED, "overvote"):
                continue
            number = numbers.setdefault(cell, len(numbers) + 1)
            if number > MAX_CANDIDATES:
                raise lines.refuse(f"is beyond {MAX_CANDIDATES} candidates")
            named += [number] if number not in named else []
        election.marks[ranking_key([[number] for number in named])] += _times(lines, row, weights)
    if not numbers:
        raise lines.refuse("is the last, and no line names a candidate")
    election.candidates = list(numbers)
    return election


def _wide(
    lines: Lines,
    rows: Iterator[list[str]],
    header: Sequence[str],
    columns: Sequence[int],
    weights: Sequence[int],
    *,
    ranks: bool,
    strict: bool,
) -> Election:
    if not 1 <= len(columns) <= MAX_CANDIDATES or any(not header[column] for column in columns):
        raise lines.refuse("must name a candidate in each column")
    election = Election(Kind.RANKINGS if ranks else Kind.NUMBERS, [header[column] for column in columns])
    for row in rows:
        _fit(lines, row, header)
        given = {
            number: lines.number_in(row[column], f"{header[column][:40]}", least=-(10**9), most=10**9)
            for number, column in enumerate(columns, start=1)
            if row[column].strip()
        }
        times = _times(lines, row, weights)
        if not ranks:
            election.marks[numbers_key(given)] += times
            continue
        groups = [[n for n, rank in given.items() if rank == place] for place in sorted(set(given.values()))]
        if strict and any(len(group) > 1 for group in groups):
            raise lines.refuse("has equal ranks, which this method does not take")
        election.marks[ranking_key(groups)] += times
    return election
