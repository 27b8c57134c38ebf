"""Opening and ending the session of a browser, however the person signed in."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from flask import Response, g, jsonify, request

from services.gateway.clients.identity import Person
from services.gateway.pages.front import front, see_other, session, token
from services.gateway.store.sessions import REMEMBERED_SECONDS
from services.shared import web

_OURS: Final = re.compile(r"/(?:[a-z0-9][a-z0-9/_-]*)?(?:\?page=\d{1,5})?")


class Told(msgspec.Struct, frozen=True):
    """Who vouched for the person, and the token by which that provider knows what to end."""

    provider: str
    id_token: str


def ours(path: str) -> str:
    """The page of ours that a browser may go back to, else the first one."""
    return path if _OURS.fullmatch(path) and not path.startswith("//") else "/"


def opened(person: Person, back: str, told: Told | None = None, *, shared: bool = False) -> Response:
    """Opens a session under a new token, and leads back; shared when the browser says so, or whoever let the person in
    (an agent at the desk). Whoever signs in again, by the same way or a stronger one,
    has a new token too; the former opens nothing any more."""
    forget()
    shared = shared or person.shared
    kept = msgspec.json.encode(told) if told else None
    secret = front().sessions.open(person.subject, person.roles, person.name, told=kept, shared=shared)
    return _with_cookie(see_other(ours(back)), secret, shared=shared)


def _with_cookie(response: Response, secret: str, *, shared: bool) -> Response:
    """On a shared computer the browser forgets it when it is closed; elsewhere it keeps it for longer than the session
    lasts, so that a form which outlived the session can still be kept for its author."""
    response.set_cookie(
        front().session_cookie,
        secret,
        max_age=None if shared else front().settings.session_seconds + REMEMBERED_SECONDS,
        path="/",
        secure=front().settings.secure_cookies,
        httponly=True,
        samesite="Lax",
    )
    return response


def prolong() -> Response:
    """More time for this session, with the roles that the person has by now."""
    secret = request.cookies.get(front().session_cookie, "")
    roles = front().identity.roles(token("identity"))
    ends = front().sessions.prolong(secret, roles)
    if request.accept_mimetypes.best == "application/json":
        return jsonify({"ends": ends})
    return see_other(ours(request.form.get("suite", "")))


def share() -> Response:
    """From now on as on a computer that others use."""
    secret = front().sessions.share(request.cookies.get(front().session_cookie, ""))
    response = see_other("/mon-espace")
    return _with_cookie(response, secret, shared=True) if secret else response


def add_routes(app: web.App) -> None:
    app.post("/session/prolonger", who=web.SIGNED_IN)(prolong)
    app.post("/session/partage", who=web.SIGNED_IN)(share)


def forget() -> Told | None:
    """Ends this browser's session; what its provider wants to hear, if one vouched."""
    secret = request.cookies.get(front().session_cookie)
    found = session()
    if found is None or not secret:
        return None
    g.leaves_shared = found.shared
    kept = front().sessions.told(secret)
    front().sessions.close(secret)
    g.session = None
    return msgspec.json.decode(kept, type=Told) if kept is not None else None


def closed() -> Response:
    return without_cookie(see_other("/connexion/fin"))


def without_cookie(response: Response) -> Response:
    # The voter's own cookie is what lets them vote again from this browser: only a shared computer forgets it.
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"' if g.get("leaves_shared") else '"cache"'
    response.delete_cookie(front().session_cookie, path="/", secure=front().settings.secure_cookies, httponly=True)
    return response
