"""What staff do is written down before it happens: for every route that declares a `trail`, without the view's help.

A view whose action is about a person says so with `about(subject)`: the opaque subject, never a name.
"""

from __future__ import annotations

import logging

from flask import Response, g, request

from services.gateway.pages.front import front, session
from services.shared.store import StoreFailed
from services.shared.web import DeclaredRule

_log = logging.getLogger("parvis")


def about(subject: str) -> None:
    g.trail_about = subject


def begin() -> None:
    """Raises StoreFailed: what cannot be written down is not done."""
    rule: DeclaredRule | None = g.get("rule")
    person = session() if rule is not None and rule.trail else None
    if rule is not None and person is not None and request.method == "POST":
        g.trail_number = front().trail.begin(person.subject, rule.trail, request.path)


def end(response: Response) -> None:
    """How it ended. What is done is done: a failure here leaves the row without its end, and a line in the log."""
    if "trail_number" not in g:
        return
    try:
        front().trail.end(g.trail_number, response.status_code, g.get("trail_about", ""))
    except StoreFailed as e:
        _log.error("a deed of staff keeps no end: %s", e)
