"""Signing in by code, and a person's messages."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final

from flask import Response, request

from services.gateway.clients.http import ServiceRefused, ServiceUnavailable
from services.gateway.pages import sessions
from services.gateway.pages.front import front, page, token, unless_down
from services.gateway.pages.language import mark
from services.shared import logs, web

_SAID: Final = {
    "TooManyTries": mark("Trop d’essais : attendez quelques minutes avant de recommencer"),
    "CodeUnknown": mark("Ce code n’est pas reconnu : vérifiez-le et saisissez-le à nouveau"),
    "ServiceUnavailable": mark("La connexion n’est pas possible pour le moment : réessayez dans quelques instants"),
}
_WAYS: Final = (
    (
        "/connexion/code",
        mark("Recevoir un code"),
        mark("Par courriel ou par SMS, si votre collectivité connaît votre adresse."),
    ),
    (
        "/connexion/courrier",
        mark("Code reçu par courrier ou au guichet"),
        mark("Imprimé sur une lettre, ou donné par un agent."),
    ),
)
_STATUS: Final = {"TooManyTries": 429, "ServiceUnavailable": 503}


def sign_in_form() -> Response:
    return page("pages/sign_in.html", back=request.args.get("suite", ""), needed=False, problem=None, code="")


def ways() -> Sequence[tuple[str, str, str]]:
    """Other ways to sign in than those on the page itself: (address, title, what it is)."""
    return _WAYS


def sign_in() -> Response:
    """Asks identity who this code is, and opens a session under a new token."""
    typed, back = request.form.get("code", "").strip(), request.form.get("suite", "")
    if not typed:
        return _again(400, mark("Saisissez votre code de connexion"), back)
    if len(typed) > 100:
        return _again(400, _SAID["CodeUnknown"], back)
    try:
        person = front().identity.sign_in(typed, source())
    except ServiceUnavailable:
        return _again(503, _SAID["ServiceUnavailable"], back)
    except ServiceRefused as e:
        logs.failure(e.told)
        return _again(_STATUS.get(e.told, 403), _SAID.get(e.told, _SAID["CodeUnknown"]), back)
    return sessions.opened(person, back, shared=request.form.get("partage") == "oui")


def messages() -> Response:
    number = web.page()
    ours = token("notifications")
    inbox = unless_down(lambda: front().notifications.inbox(number, ours))
    return page("pages/messages.html", inbox=inbox, number=number)


def add_routes(app: web.App) -> None:
    app.get("/connexion", who=web.ANYONE)(sign_in_form)
    app.post("/connexion", who=web.ANYONE, quiet=True)(sign_in)
    app.get("/messages", who=web.SIGNED_IN)(messages)


def source() -> str:
    """Whose tries are counted together: a keyed hash of the visitor's address."""
    address = (request.remote_addr or "").encode()
    return hmac.digest(front().cookie_key, b"parvis/gateway/source/v1\n" + address, "sha256").hex()[:32]


def _again(status: int, problem: str, back: str) -> Response:
    """The form again. The code is not shown back: it is a secret, and often typed on a shared screen."""
    return page("pages/sign_in.html", status, back=back, needed=False, problem=problem, code="")
