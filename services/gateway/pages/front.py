"""What every page can reach: the clients, the store, the keys; and who is asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from flask import Response, current_app, g, make_response, redirect, render_template, request

from services.gateway.clients.ballot import BallotClient
from services.gateway.clients.http import ServiceUnavailable
from services.gateway.clients.identity import IdentityClient
from services.gateway.clients.notifications import NotificationsClient
from services.gateway.pages.security import Forms
from services.gateway.pages.seed_box import SeedCookie
from services.gateway.settings import GatewaySettings
from services.gateway.store import Session, Sessions
from services.shared.errors import NotSignedIn
from services.shared.tokens import Caller, TokenSigner

T = TypeVar("T")
OFFICER: Final = "returning_officer"


@dataclass(frozen=True, slots=True)
class Front:
    """The gateway's parts, made once by `app.create_app`."""

    settings: GatewaySettings
    sessions: Sessions
    forms: Forms
    ballot: BallotClient
    identity: IdentityClient
    notifications: NotificationsClient
    signer: TokenSigner
    cookie_key: bytes

    @property
    def session_cookie(self) -> str:
        return "__Host-session" if self.settings.secure_cookies else "session"

    def seeds(self, poll: str) -> SeedCookie:
        return SeedCookie(self.cookie_key, poll)


def front() -> Front:
    return cast(Front, current_app.extensions["front"])


def session() -> Session | None:
    """Who is signed in on this browser."""
    if "session" not in g:
        token = request.cookies.get(front().session_cookie)
        g.session = front().sessions.find(token) if token else None
    return cast("Session | None", g.session)


def authenticate() -> Caller | None:
    """For `web`: the session as a caller, so that routes can declare who may call them."""
    person = session()
    return Caller(person.subject, person.roles) if person else None


def token(audience: str) -> str:
    """A short-lived token in the signed-in person's name. Raises NotSignedIn."""
    person = session()
    if person is None:
        raise NotSignedIn
    return front().signer.token(person.subject, person.roles, audience)


def token_or_none(audience: str) -> str | None:
    return token(audience) if session() else None


def unless_down(call: Callable[[], T]) -> T | None:
    """What the call gives, or None when the service is down: the page then goes on without that block."""
    try:
        return call()
    except ServiceUnavailable:
        return None


def page(template: str, status: int = 200, **values: Any) -> Response:
    response = make_response(render_template(template, **values))
    response.status_code = status
    return response


def see_other(path: str) -> Response:
    """After a form: the browser goes on by GET. `path` is ours, never the request's."""
    return cast(Response, redirect(path, code=303))


def attachment(content: bytes | str, name: str, kind: str) -> Response:
    response = make_response(content)
    response.content_type = kind
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
