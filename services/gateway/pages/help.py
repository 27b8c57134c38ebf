"""Help, how to recount, the accessibility declaration, and what is shown without a network."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Final

from flask import Response, request

from services.gateway.pages import language, security
from services.gateway.pages.declaration import LABELS
from services.gateway.pages.front import front, page, see_other
from services.gateway.pages.public import public
from services.gateway.pages.sessions import ours
from services.shared import web

_OFFLINE: Final = "/hors-ligne"
_YEAR: Final = 365 * 24 * 3600


def how_to() -> Response:
    return page("pages/help.html")


def accessibility() -> Response:
    found, today = front().declaration, date.today()
    return page("pages/accessibility.html", d=found, today=today, label=LABELS[found.standing(today)])


def offline() -> Response:
    return page("pages/offline.html")


def service_worker() -> Response:
    """Where it stands says for which addresses it works: all. Its name changes with what it keeps, so that a new
    release brings new copies. What it keeps is the page as nobody in particular sees it, whoever asks.
    """
    kept = page("pages/offline.html", person=None, here=_OFFLINE).get_data(as_text=True)
    name = f"parvis-{sha256(kept.encode()).hexdigest()[:12]}"
    response = page("service-worker.js", name=name, kept=kept, policy=security.HEADERS["Content-Security-Policy"])
    response.content_type = "text/javascript; charset=utf-8"
    return response


def choose_language(chosen: str) -> Response:
    """Only when asked for, so that nobody gets a cookie by reading. Back to where the link stood."""
    response = see_other(ours(request.args.get("suite", "")))
    secure = front().settings.secure_cookies
    response.set_cookie(language.COOKIE, chosen, max_age=_YEAR, path="/", secure=secure, httponly=True, samesite="Lax")
    return response


def add_routes(app: web.App) -> None:
    app.get("/aide", who=web.ANYONE)(public(how_to))
    app.get("/accessibilite", who=web.ANYONE)(public(accessibility))
    app.get("/langue/<any(fr,en,br):chosen>", who=web.ANYONE)(choose_language)
    app.get(_OFFLINE, who=web.ANYONE)(public(offline))
    app.get("/service-worker.js", who=web.ANYONE)(public(service_worker))
