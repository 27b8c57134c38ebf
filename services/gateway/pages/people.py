"""Signing in and out, and a person's messages."""

from __future__ import annotations

import hmac
import re
from typing import Final

from flask import Response, request

from services.gateway.clients.http import ServiceRefused, ServiceUnavailable
from services.gateway.pages.front import front, page, see_other, session, token, unless_down
from services.shared import logs, web

_OURS: Final = re.compile(r"/(?:[a-z0-9][a-z0-9/_-]*)?(?:\?page=\d{1,5})?")
_SAID: Final = {
    "TooManyTries": "Trop d’essais : attendez quelques minutes avant de recommencer",
    "CodeUnknown": "Ce code n’est pas reconnu : vérifiez-le et saisissez-le à nouveau",
    "ServiceUnavailable": "La connexion n’est pas possible pour le moment : réessayez dans quelques instants",
}
_STATUS: Final = {"TooManyTries": 429, "ServiceUnavailable": 503}


def sign_in_form() -> Response:
    return page("pages/sign_in.html", back=request.args.get("suite", ""), needed=False, problem=None, code="")


def sign_in() -> Response:
    """Asks identity who this code is, and opens a session under a new token."""
    typed, back = request.form.get("code", "").strip(), request.form.get("suite", "")
    if not typed:
        return _again(400, "Saisissez votre code de connexion", back)
    if len(typed) > 100:
        return _again(400, _SAID["CodeUnknown"], back)
    try:
        person = front().identity.sign_in(typed, _source())
    except ServiceUnavailable:
        return _again(503, _SAID["ServiceUnavailable"], back)
    except ServiceRefused as e:
        logs.failure(e.told)
        return _again(_STATUS.get(e.told, 403), _SAID.get(e.told, _SAID["CodeUnknown"]), back)
    _forget()
    secret = front().sessions.open(person.subject, person.roles, person.name)
    response = see_other(back if _OURS.fullmatch(back) and not back.startswith("//") else "/")
    response.set_cookie(
        front().session_cookie,
        secret,
        max_age=front().settings.session_seconds,
        path="/",
        secure=front().settings.secure_cookies,
        httponly=True,
        samesite="Lax",
    )
    return response


def sign_out() -> Response:
    _forget()
    response = see_other("/connexion/fin")
    response.delete_cookie(front().session_cookie, path="/", secure=front().settings.secure_cookies, httponly=True)
    return response


def signed_out() -> Response:
    return page("pages/signed_out.html")


def messages() -> Response:
    number = web.page()
    ours = token("notifications")
    inbox = unless_down(lambda: front().notifications.inbox(number, ours))
    return page("pages/messages.html", inbox=inbox, number=number)


def add_routes(app: web.App) -> None:
    app.get("/connexion", who=web.ANYONE)(sign_in_form)
    app.post("/connexion", who=web.ANYONE, quiet=True)(sign_in)
    app.post("/deconnexion", who=web.ANYONE)(sign_out)
    app.get("/connexion/fin", who=web.ANYONE)(signed_out)
    app.get("/messages", who=web.SIGNED_IN)(messages)


def _source() -> str:
    address = (request.remote_addr or "").encode()
    return hmac.digest(front().cookie_key, b"parvis/gateway/source/v1\n" + address, "sha256").hex()[:32]


def _forget() -> None:
    secret = request.cookies.get(front().session_cookie)
    if session() is not None and secret:
        front().sessions.close(secret)


def _again(status: int, problem: str, back: str) -> Response:
    """The form again. The code is not shown back: it is a secret, and often typed on a shared screen."""
    return page("pages/sign_in.html", status, back=back, needed=False, problem=problem, code="")
