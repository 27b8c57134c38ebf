"""Help, how to recount, and the accessibility declaration."""

from __future__ import annotations

from flask import Response

from services.gateway.pages.front import page
from services.shared import web


def how_to() -> Response:
    return page("pages/help.html")


def accessibility() -> Response:
    return page("pages/accessibility.html")


def add_routes(app: web.App) -> None:
    app.get("/aide", who=web.ANYONE)(how_to)
    app.get("/accessibilite", who=web.ANYONE)(accessibility)
