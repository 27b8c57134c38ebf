"""Turnout over a poll's epochs: a line for the chart, the last rows for the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from services.gateway.clients.ballot import Epoch

_CHART_WIDTH: Final = 600
_CHART_HEIGHT: Final = 120
_POINTS: Final = 120
_ROWS: Final = 12


@dataclass(frozen=True, slots=True)
class Turnout:
    """`line` and `area` are points of an SVG; `rows` are (epoch, new voters, total)."""

    line: str
    area: str
    rows: list[tuple[int, int, int]]
    last: int


def turnout(epochs: Sequence[Epoch]) -> Turnout:
    """Each epoch tells its station's turnout so far; by epoch number, the newest of every station is added up."""
    ordered = sorted(epochs, key=lambda e: e.epoch)
    so_far: dict[str, int] = {}
    rows: list[tuple[int, int, int]] = []
    for number, same in groupby(ordered, key=lambda e: e.epoch):
        before = sum(so_far.values())
        so_far |= {e.station: e.turnout for e in same}
        rows.append((number, sum(so_far.values()) - before, sum(so_far.values())))
    totals = [total for _, _, total in rows]
    step = max(1, len(totals) // _POINTS)
    points = [0, *totals[::step], *totals[-1:]]
    top, across = max(points[-1], 1), len(points) - 1
    line = " ".join(
        f"{_CHART_WIDTH * i // across},{_CHART_HEIGHT - _CHART_HEIGHT * v // top}" for i, v in enumerate(points)
    )
    area = f"0,{_CHART_HEIGHT} {line} {_CHART_WIDTH},{_CHART_HEIGHT}"
    return Turnout(line, area, rows[-_ROWS:], totals[-1])
