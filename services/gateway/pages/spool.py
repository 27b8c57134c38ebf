"""What was sent to the made-up people of a demonstration: no carrier takes it, so a page shows it. Where
`PARVIS_SPOOL_PAGE` is not set, there is no such page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from flask import Response, request

from services.gateway.clients.notifications import Spooled
from services.gateway.pages.front import front, page, unless_down
from services.shared import web

ROOT: Final = "/demonstration/messages"
_KINDS: Final = {"email": "Courriel", "sms": "SMS", "letter": "Courrier"}


class Shown:
    """A message, in words."""

    def __init__(self, message: Spooled) -> None:
        self.kind = _KINDS.get(message.kind, message.kind)
        self.at = datetime.fromtimestamp(message.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.to = ", ".join(message.to.splitlines())
        self.subject = message.subject if message.kind != "sms" else ""
        self.paragraphs = [part for part in message.text.replace("\r", "").split("\n\n") if part.strip()]


def spooled() -> Response:
    """The newest first; `a` narrows to what went to one address or number."""
    wanted = request.args.get("a", "")[:100].replace(" ", "").casefold()
    wanted = wanted.removeprefix("0") if wanted.isdecimal() else wanted  # +33 6… is how 06… is written there
    found = unless_down(lambda: front().notifications.spool(front().signer.own("notifications")))
    shown = None if found is None else [Shown(m) for m in found if wanted in m.to.replace(" ", "").casefold()]
    return page("pages/spool.html", messages=shown, wanted=request.args.get("a", "")[:100])


def add_routes(app: web.App) -> None:
    shown = app.extensions["front"].settings.spool_page
    app.jinja_env.globals["spool_page"] = shown
    if shown:
        app.get(ROOT, who=web.ANYONE, quiet=True)(spooled)
