"""What every page can reach: the clients, the store, the keys; and who is asking."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from flask import Response, current_app, g, make_response, redirect, render_template, request

from services.gateway.clients.ballot import BallotClient
from services.gateway.clients.codes import CodesClient, DeskClient
from services.gateway.clients.http import ServiceUnavailable
from services.gateway.clients.identity import IdentityClient
from services.gateway.clients.notifications import NotificationsClient
from services.gateway.clients.openid import Provider
from services.gateway.clients.own import Access, OwnClient
from services.gateway.clients.registry import RegistryClient
from services.gateway.clients.rolls import RollsClient
from services.gateway.pages import language, public
from services.gateway.pages.declaration import Declaration
from services.gateway.pages.sealed_cookie import SealedCookie
from services.gateway.pages.security import Forms
from services.gateway.pages.seed_box import SeedCookie
from services.gateway.pages.theme import Look
from services.gateway.settings import GatewaySettings
from services.gateway.store.drafts import Drafts
from services.gateway.store.sessions import Session, Sessions
from services.gateway.store.trail import Trail
from services.gateway.turns import given_away
from services.shared.errors import NotFound, NotSignedIn
from services.shared.tokens import Caller, TokenSigner

A = TypeVar("A")
B = TypeVar("B")
_MARGIN: Final = 0.2  # seconds beyond the call's own deadline, for a thread that is slow to start
OFFICER: Final = "returning_officer"


@dataclass(frozen=True, slots=True)
class Front:
    """The gateway's parts, made once by `app.create_app`."""

    settings: GatewaySettings
    sessions: Sessions
    forms: Forms
    ballot: BallotClient
    identity: IdentityClient
    own: OwnClient
    notifications: NotificationsClient
    signer: TokenSigner
    cookie_key: bytes
    codes: CodesClient
    desk: DeskClient
    registry: RegistryClient
    rolls: RollsClient
    pool: ThreadPoolExecutor
    declaration: Declaration
    look: Look
    drafts: Drafts
    trail: Trail
    providers: Mapping[str, Provider]
    leaving: SealedCookie
    leaving_for_good: SealedCookie

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


def is_caller(subject: str) -> bool:
    """Whether that is who is signed in on this browser."""
    person = session()
    return person is not None and person.subject == subject


def ended_session() -> str | None:
    """Whose session of this browser ended by its time, lately: what they were filling in can be kept for them."""
    secret = request.cookies.get(front().session_cookie)
    return front().sessions.ended(secret) if secret and session() is None else None


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


def sealing_key() -> bytes:
    """The key for what is kept of the signed-in person, asked of identity once a request. Raises NotSignedIn (also when
    the person was erased: see `still_known`) or ServiceUnavailable."""
    if "sealing_key" not in g:
        ours = token("identity")
        g.sealing_key = still_known(lambda: front().identity.sealing_key(ours))
    return cast(bytes, g.sealing_key)


def own_data() -> Access:
    """All that identity keeps of the signed-in person, asked once a request. Raises as `sealing_key`."""
    if "own_data" not in g:
        ours = token("identity")
        g.own_data = still_known(lambda: front().own.access(ours))
    return cast(Access, g.own_data)


def still_known(call: Callable[[], A]) -> A:
    """What identity answers about the signed-in person themselves. Where it knows them no more, every session of theirs
    ends, on all browsers, and NotSignedIn is raised."""
    person = session()
    try:
        return call()
    except NotFound:
        if person is not None:
            front().sessions.close_all(person.subject)
        g.session = None
        raise NotSignedIn from None


def subject() -> str:
    """Of the signed-in person. Raises NotSignedIn."""
    person = session()
    if person is None:
        raise NotSignedIn
    return person.subject


def unless_down(call: Callable[[], A]) -> A | None:
    """What the call gives, or None when the service is down: the page then goes on without that block."""
    try:
        return call()
    except ServiceUnavailable:
        public.cut_short()
        return None


def together(first: Callable[[], A], second: Callable[[], B]) -> tuple[A | None, B | None]:
    """Two calls at the same time: what each gives, or None where the service is down. A refusal of either is raised,
    the first's before the second's. Two are the most that a page may ask."""
    other = front().pool.submit(contextvars.copy_context().run, second)
    try:
        one = unless_down(first)
        return one, unless_down(lambda: _awaited(other))
    finally:
        other.cancel()


def needed(found: A | None) -> A:
    """What a page cannot do without. Raises ServiceUnavailable."""
    if found is None:
        raise ServiceUnavailable("a service that this page needs did not answer")
    return found


def _awaited(other: Future[B]) -> B:
    try:
        with given_away():
            return other.result(front().settings.deadline_seconds + _MARGIN)
    except TimeoutError:
        raise ServiceUnavailable("no answer in time") from None


def speak(template: str) -> None:
    """In the language that this page will have: for what is put into words before the page is drawn."""
    language.begin(language.of(request.environ), template)


def page(template: str, status: int = 200, **values: Any) -> Response:
    speak(template)
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
