"""Turnout while a poll lives, and its results: the outcome, its steps as figures and tables, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import threading
from typing import Final
from uuid import UUID

from flask import Response

from services.gateway.clients.ballot import Poll, Question, Tally
from services.gateway.pages import language, shared_reads
from services.gateway.pages.front import attachment, front, page, speak, unless_down
from services.gateway.pages.public import public
from services.gateway.pages.results import rounds
from services.gateway.pages.results.figures import figures
from services.gateway.pages.results.model import Labels, Shown
from services.gateway.pages.results.turnout import turnout
from services.gateway.pages.results.views import final, provisional
from services.shared import web
from services.shared.errors import NotFound

Views = list[tuple[Question, Shown]]
_MOST: Final = 32
_made: dict[tuple[str, bytes], Views] = {}
_making: Final = threading.Lock()


def results(poll: UUID) -> Response:
    found = shared_reads.poll(str(poll))
    if found.tally is not None:
        speak("pages/results.html")
        return page("pages/results.html", poll=found, m=found.manifest, t=found.tally, shown=_final(found))
    if found.state in ("draft", "published", "cancelled"):
        return page("pages/results_none.html", poll=found, m=found.manifest)
    speak("pages/turnout.html")
    epochs = unless_down(lambda: front().ballot.epochs(found.poll))
    return page(
        "pages/turnout.html",
        poll=found,
        m=found.manifest,
        turnout=turnout(epochs) if epochs else None,
        down=epochs is None,
        shown=provisional(found),
    )


def every_round(poll: UUID, id: str) -> Response:
    """All rounds of a question that is counted in rounds, some to a page."""
    found, tally = _tallied(poll)
    question = next((q for q in found.manifest.questions if q.id == id and q.method in rounds.HOW), None)
    told = next((q.result for q in tally.questions if q.id == id), None)
    if question is None or told is None:
        raise NotFound("no rounds of such a question", field="id")
    speak("pages/rounds.html")
    number, pages = web.page(), rounds.every(Labels(question), question.method, told)
    if number > len(pages):
        raise NotFound("there are not so many pages", field="page")
    return page(
        "pages/rounds.html",
        poll=found,
        m=found.manifest,
        question=question,
        number=number,
        last=len(pages),
        blocks=pages[number - 1],
    )


def as_csv(poll: UUID) -> Response:
    """One figure a line. Semicolons and a byte order mark, as spreadsheets set to French expect."""
    found, tally = _tallied(poll)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(("rubrique", "question", "intitule", "nombre", "valeur_exacte"))
    for figure in figures(found, tally):
        writer.writerow([_harmless(cell) for cell in figure.row()])
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


def add_routes(app: web.App) -> None:
    root = "/scrutins/<uuid:poll>"
    app.get(f"{root}/resultats", who=web.ANYONE)(public(results))
    app.get(f"{root}/resultats/tours/<id>", who=web.ANYONE)(public(every_round))
    app.get(f"{root}/resultats.csv", who=web.ANYONE)(public(as_csv))
    app.get(f"{root}/resultats.json", who=web.ANYONE)(public(as_json))


def _final(found: Poll) -> Views:
    """What the count shows. It never changes once it is published, so it is made once for each language and content."""
    key = (language.main(), found.content)
    known = _made.get(key)
    if known is None:
        known = final(found)
        with _making:
            while len(_made) >= _MOST:
                del _made[next(iter(_made))]
            _made[key] = known
    return known


def _tallied(poll: UUID) -> tuple[Poll, Tally]:
    found = shared_reads.poll(str(poll))
    if found.tally is None:
        raise NotFound("no result yet")
    return found, found.tally


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula is made plain text; a number below zero is one already."""
    if cell[:1] == "-" and cell[1:].replace(",", "").isdigit():
        return cell
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
