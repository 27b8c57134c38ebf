"""Turnout while a poll lives, and its results: the outcome, its steps as figures and tables, CSV and JSON."""

from __future__ import annotations

import csv
import gzip
import io
import json
from uuid import UUID

from flask import Response, request

from services.gateway.clients.ballot import Poll, Tally
from services.gateway.pages.front import attachment, front, page, session, unless_down
from services.gateway.pages.results.figures import figures
from services.gateway.pages.results.turnout import turnout
from services.gateway.pages.results.views import final, provisional
from services.shared import web
from services.shared.errors import NotFound


def results(poll: UUID) -> Response:
    found = front().ballot.poll(str(poll))
    if found.tally is not None:
        return _light(page("pages/results.html", poll=found, m=found.manifest, t=found.tally, shown=final(found)))
    if found.state in ("draft", "published", "cancelled"):
        return page("pages/results_none.html", poll=found, m=found.manifest)
    epochs = unless_down(lambda: front().ballot.epochs(found.poll))
    return page(
        "pages/turnout.html",
        poll=found,
        m=found.manifest,
        turnout=turnout(epochs) if epochs else None,
        down=epochs is None,
        shown=provisional(found),
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
    app.get(f"{root}/resultats", who=web.ANYONE)(results)
    app.get(f"{root}/resultats.csv", who=web.ANYONE)(as_csv)
    app.get(f"{root}/resultats.json", who=web.ANYONE)(as_json)


def _light(response: Response) -> Response:
    """Compressed for those who can read it so: a count in many rounds is long. Not for whoever is signed in: their page
    holds a form's token, and the length of what is compressed may tell of it (the attack called BREACH)."""
    response.vary.update(("Accept-Encoding", "Cookie"))
    if session() is None and request.accept_encodings["gzip"]:
        response.set_data(gzip.compress(response.get_data(), 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _tallied(poll: UUID) -> tuple[Poll, Tally]:
    found = front().ballot.poll(str(poll))
    if found.tally is None:
        raise NotFound("no result yet")
    return found, found.tally


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula is made plain text; a number below zero is one already."""
    if cell[:1] == "-" and cell[1:].replace(",", "").isdigit():
        return cell
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
