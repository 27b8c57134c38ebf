"""Turnout while a poll lives, and its results: figures in words, a chart, a table, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from uuid import UUID

from flask import Response

from services.gateway.clients.ballot import Epoch, Poll, QuestionResult, Sums, Tally
from services.gateway.pages.front import attachment, front, page, unless_down
from services.shared import web
from services.shared.errors import NotFound

_CHART_WIDTH: Final = 600
_CHART_HEIGHT: Final = 120
_POINTS: Final = 120
_ROWS: Final = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart: a share of `whole`."""

    label: str
    value: int
    whole: int
    kind: str = ""

    @property
    def tenths(self) -> int:
        return (2000 * self.value + self.whole) // (2 * self.whole) if self.whole > 0 else 0


@dataclass(frozen=True, slots=True)
class Shown:
    """The result of one question, ready for its chart and its table. `cast` are the answers that are not blank."""

    text: str
    bars: list[Bar]
    cast: int
    blank: int
    winner: str | None
    tie: bool


@dataclass(frozen=True, slots=True)
class Turnout:
    """Turnout over a poll's epochs: a line for the chart, the last rows for the table."""

    line: str
    area: str
    rows: list[tuple[int, int, int]]
    last: int


def results(poll: UUID) -> Response:
    found = front().ballot.poll(str(poll))
    if found.tally is not None:
        return page("pages/results.html", poll=found, m=found.manifest, t=found.tally, shown=_final(found))
    if found.state in ("draft", "published", "cancelled"):
        return page("pages/results_none.html", poll=found, m=found.manifest)
    epochs = unless_down(lambda: front().ballot.epochs(found.poll))
    return page(
        "pages/turnout.html",
        poll=found,
        m=found.manifest,
        turnout=turnout(epochs) if epochs else None,
        down=epochs is None,
        shown=_provisional(found),
    )


def as_csv(poll: UUID) -> Response:
    """One figure a line. Semicolons and a byte order mark, as spreadsheets set to French expect."""
    found, tally = _tallied(poll)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(("rubrique", "question", "intitule", "nombre"))
    for figure in _figures(found, tally):
        writer.writerow([_harmless(str(cell)) for cell in figure])
    return attachment("\ufeff" + out.getvalue(), f"resultats-{poll}.csv", "text/csv; charset=utf-8")


def as_json(poll: UUID) -> Response:
    """The tally exactly as it was published, beside the manifest that gives its words."""
    found, _ = _tallied(poll)
    whole = {
        "poll": found.poll,
        "manifest_hash": found.manifest_hash,
        "manifest": found.raw_manifest,
        "tally": found.raw_tally,
    }
    text = json.dumps(whole, ensure_ascii=False, indent=2) + "\n"
    return attachment(text, f"resultats-{poll}.json", "application/json; charset=utf-8")


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


def add_routes(app: web.App) -> None:
    root = "/scrutins/<uuid:poll>"
    app.get(f"{root}/resultats", who=web.ANYONE)(results)
    app.get(f"{root}/resultats.csv", who=web.ANYONE)(as_csv)
    app.get(f"{root}/resultats.json", who=web.ANYONE)(as_json)


def _tallied(poll: UUID) -> tuple[Poll, Tally]:
    found = front().ballot.poll(str(poll))
    if found.tally is None:
        raise NotFound("no result yet")
    return found, found.tally


def _final(found: Poll) -> list[Shown]:
    by_id: dict[str, QuestionResult] = {q.id: q for q in found.tally.questions} if found.tally else {}
    return [
        _shown(found, place, Sums(by_id[q.id].result.counts, by_id[q.id].result.blank), by_id[q.id].result.winner)
        for place, q in enumerate(found.manifest.questions)
        if q.id in by_id
    ]


def _provisional(found: Poll) -> list[Shown]:
    """The sums of the sealed epochs, all stations together; nothing when no station tells any."""
    told = [s.sums for s in found.stations if len(s.sums) == len(found.manifest.questions)]
    if not told:
        return []
    shown = []
    for place, question in enumerate(found.manifest.questions):
        counts = {o.id: sum(sums[place].counts.get(o.id, 0) for sums in told) for o in question.options}
        shown.append(_shown(found, place, Sums(counts, sum(sums[place].blank for sums in told)), None))
    return shown


def _shown(found: Poll, place: int, sums: Sums, winner: str | None) -> Shown:
    question = found.manifest.questions[place]
    cast = sum(sums.counts.values())
    bars = [Bar(o.label, sums.counts.get(o.id, 0), cast) for o in question.options]
    label = next((o.label for o in question.options if o.id == winner), None)
    return Shown(question.text, bars, cast, sums.blank, label, tie=label is None and cast > 0)


def _figures(found: Poll, t: Tally) -> list[tuple[str, str, str, int]]:
    figures = [
        ("participation", "", "inscrits", t.roll),
        ("participation", "", "votants", t.turnout),
        ("participation", "", "abstentions", t.roll - t.turnout),
        ("bulletins", "", "comptés", t.counted),
        ("bulletins", "", "remplacés", t.superseded),
        ("bulletins", "", "nuls", sum(t.invalid.values())),
        ("droits de vote", "", "délivrés", t.issued),
        ("droits de vote", "", "réédités", t.reissued),
    ]
    for shown in _final(found):
        figures += [("voix", shown.text, bar.label, bar.value) for bar in shown.bars]
        figures.append(("voix", shown.text, "votes blancs", shown.blank))
    return figures


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula is made plain text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
