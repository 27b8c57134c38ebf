"""The public pages of polls: the list, a poll with its proofs, the tracker, the export."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final
from uuid import UUID

from flask import Response, request, stream_with_context

from services.gateway.clients.http import ServiceUnavailable
from services.gateway.pages import shared_reads
from services.gateway.pages.front import attachment, front, page, see_other, unless_down
from services.gateway.pages.language import mark
from services.gateway.pages.public import public
from services.shared import web
from services.shared.errors import NotFound

_TRACKER: Final = re.compile(r"[0-9a-f]{64}")
_STATION: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_GROUPS: Final = (
    ("ouverts", "Ouverts en ce moment", ("open",)),
    ("a-venir", "À venir", ("published", "draft")),
    ("depouillement", "Clos, en attente de résultats", ("closing", "closed")),
    ("termines", "Terminés", ("tallied", "cancelled")),
)


def home() -> Response:
    """The list of polls, by what can be done with them."""
    number = web.page()
    found = unless_down(lambda: shared_reads.polls(number))
    groups = [
        (key, title, [p for p in found.polls if p.state in states])
        for key, title, states in _GROUPS
        if found is not None
    ]
    return page("pages/home.html", found=found, groups=groups, number=number)


def poll(poll: UUID) -> Response:
    found = shared_reads.poll_or_draft(str(poll))
    return page("pages/poll.html", poll=found, m=found.manifest)


def manifest(poll: UUID) -> Response:
    content = front().ballot.manifest(str(poll))
    return attachment(content, f"manifeste-{poll}.json", "application/json; charset=utf-8")


def checkpoint(poll: UUID, station: str) -> Response:
    if not _STATION.fullmatch(station):
        raise NotFound(field="station")
    content = front().ballot.checkpoint(str(poll), station)
    return attachment(content, f"scelle-{poll}-{station}.txt", "text/plain; charset=utf-8")


def export(poll: UUID) -> Response:
    """The bundle, passed on piece by piece: it never stands whole in memory."""
    stack = ExitStack()  # opened here: a refusal must become a page, before the first byte is sent
    pieces = stack.enter_context(front().ballot.export(str(poll)))

    def passed_on() -> Iterator[bytes]:
        with stack:
            yield from pieces

    response = Response(stream_with_context(passed_on()), content_type="application/x-ndjson")
    response.headers["Content-Disposition"] = f'attachment; filename="scrutin-{poll}.ndjson"'
    return response


def tracker_form(poll: UUID) -> Response:
    found = front().ballot.poll(str(poll))
    return page("pages/tracker.html", poll=found, m=found.manifest, typed="", error=None, answer=None)


def tracker(poll: UUID) -> Response:
    """Is this ballot in the log? Asked by anyone, without a session; the number is in no address and no log line."""
    typed = request.form.get("suivi", "")
    wanted = re.sub(r"\s", "", typed).lower()
    found = front().ballot.poll(str(poll))
    if not _TRACKER.fullmatch(wanted):
        error = (
            mark("Saisissez votre numéro de suivi")
            if not wanted
            else mark("Un numéro de suivi compte 64 chiffres et lettres de a à f : vérifiez votre saisie")
        )
        return page(
            "pages/tracker.html", 400, poll=found, m=found.manifest, typed=typed[:200], error=error, answer=None
        )
    try:
        answer = front().ballot.tracker(str(poll), wanted)
    except ServiceUnavailable:
        error = mark("L’urne ne répond pas pour le moment : réessayez dans quelques instants")
        return page("pages/tracker.html", 503, poll=found, m=found.manifest, typed=typed, error=error, answer=None)
    stations = {s.station: s.label for s in found.stations}
    return page(
        "pages/tracker.html",
        poll=found,
        m=found.manifest,
        typed=wanted,
        error=None,
        answer=answer,
        station=stations.get(answer.station or "", answer.station),
    )


def add_routes(app: web.App) -> None:
    app.get("/", who=web.ANYONE)(public(home))
    app.get("/scrutins", who=web.ANYONE, endpoint="polls")(lambda: see_other("/"))
    app.get("/scrutins/<uuid:poll>", who=web.ANYONE)(public(poll))
    app.get("/scrutins/<uuid:poll>/manifeste.json", who=web.ANYONE)(public(manifest))
    app.get("/scrutins/<uuid:poll>/bureaux/<station>/scelle.txt", who=web.ANYONE)(public(checkpoint))
    app.get("/scrutins/<uuid:poll>/export", who=web.ANYONE)(export)
    app.get("/scrutins/<uuid:poll>/suivi", who=web.ANYONE, quiet=True)(tracker_form)
    app.post("/scrutins/<uuid:poll>/suivi", who=web.ANYONE, quiet=True)(tracker)
