"""Signing in and out by a provider of identities (OpenID Connect, code flow).

A form leads to a page of ours that sends the browser on. It does so by itself and not by an HTTP redirect: browsers
hold the whole chain of redirects after a form against `form-action`, which names this site alone.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

import msgspec
from flask import Response, request

from services.gateway.clients.http import ServiceRefused, ServiceUnavailable
from services.gateway.clients.openid import Provider, Vouched
from services.gateway.pages import external_words, sessions
from services.gateway.pages.front import front, page, session
from services.shared import logs, web
from services.shared.errors import BadInput, NotAllowed, NotFound, Refusal

_LONGEST_CODE: Final = 2000


class Leaving(msgspec.Struct, frozen=True):
    """A sign-in under way."""

    provider: str
    state: str
    nonce: str
    verifier: str
    suite: str
    linking: str = ""  # the signed-in person whose account this will be; empty: who comes back is signed in


class LeavingForGood(msgspec.Struct, frozen=True):
    """A sign-out under way."""

    state: str


class StateUnknown(BadInput):
    reason = "this answer belongs to no sign-in that this browser began within ten minutes"


class SignInCancelled(NotAllowed):
    reason = "the person, or the provider for them, gave up"


class ProviderRefused(NotAllowed):
    reason = "the provider answered by an error"


def begin(provider: str) -> Response:
    """Sends the browser to the provider with a new state, which the same browser alone can bring back."""
    asked = _provider(provider)
    leaving = Leaving(
        asked.name,
        state=secrets.token_hex(32),
        nonce=secrets.token_hex(32),
        verifier=secrets.token_hex(32),
        suite=sessions.ours(request.form.get("suite", "")),
        linking=_linking(asked),
    )
    try:
        address = asked.address(_back(asked), leaving.state, leaving.nonce, leaving.verifier)
    except ServiceUnavailable as e:
        return _failed(e, asked)
    response = page("pages/leaving.html", address=address, label=asked.label, signed_out=False)
    front().leaving.put(response, leaving)
    return response


def finish(provider: str) -> Response:
    """The browser is back. Whatever comes of it, the same answer opens nothing again."""
    asked = _provider(provider)
    try:
        leaving = _same_browser(asked)
        vouched = _vouched(asked, leaving)
        response = _linked(asked, leaving, vouched) if leaving.linking else _signed_in(asked, leaving, vouched)
    except Refusal as e:
        response = _failed(e, asked)
    front().leaving.drop(response)
    return response


def sign_out() -> Response:
    """Ends the session here first; then, if a provider vouched, sends the browser there. A provider that is down
    changes nothing for the session here."""
    told = sessions.forget()
    asked = front().providers.get(told.provider) if told else None
    if told is None or asked is None:
        return sessions.closed()
    state = secrets.token_hex(32)
    try:
        address = asked.end_address(told.id_token, f"{front().settings.common.gateway_url}/connexion/fin", state)
    except ServiceUnavailable as e:
        logs.failure(e.code)
        return sessions.without_cookie(page("pages/signed_out.html", elsewhere=asked.label))
    if address is None:
        return sessions.closed()
    response = page("pages/leaving.html", address=address, label=asked.label, signed_out=True)
    front().leaving_for_good.put(response, LeavingForGood(state))
    return sessions.without_cookie(response)


def signed_out() -> Response:
    """Also where a provider sends the browser after a sign-out; a state that is not this browser's is refused."""
    state = request.args.get("state")
    if state is None:
        return page("pages/signed_out.html", elsewhere=None)
    leaving = front().leaving_for_good.read(LeavingForGood)
    if leaving is None or not _same(state, leaving.state):
        raise StateUnknown(field="state")
    response = page("pages/signed_out.html", elsewhere=None)
    front().leaving_for_good.drop(response)
    return response


def add_routes(app: web.App) -> None:
    app.post("/connexion/<provider>", who=web.ANYONE, quiet=True)(begin)
    app.get("/connexion/<provider>/retour", who=web.ANYONE, quiet=True)(finish)
    app.post("/deconnexion", who=web.ANYONE, quiet=True)(sign_out)
    app.get("/connexion/fin", who=web.ANYONE)(signed_out)


def _same_browser(asked: Provider) -> Leaving:
    """Raises StateUnknown, StateSpent, SignInCancelled or ProviderRefused."""
    leaving = front().leaving.read(Leaving)
    state = request.args.get("state", "")
    if leaving is None or leaving.provider != asked.name or not _same(state, leaving.state):
        raise StateUnknown(field="state")
    front().sessions.spend(leaving.state)
    error = request.args.get("error")
    if error is not None:
        raise SignInCancelled if error == "access_denied" else ProviderRefused
    return leaving


def _vouched(asked: Provider, leaving: Leaving) -> Vouched:
    code = request.args.get("code", "")
    if not code or len(code) > _LONGEST_CODE:
        raise StateUnknown(field="code")
    by = request.args.get("iss")
    if by is not None and by != asked.metadata().issuer:
        raise ProviderRefused(field="iss")
    return asked.vouched(code, _back(asked), leaving.nonce, leaving.verifier)


def _linking(asked: Provider) -> str:
    person = session()
    return person.subject if person is not None and not asked.tells_birth_date and "rattacher" in request.form else ""


def _signed_in(asked: Provider, leaving: Leaving, vouched: Vouched) -> Response:
    person = front().identity.sign_in_external(vouched, _ourselves("gateway"))
    return sessions.opened(person, leaving.suite, sessions.Told(asked.name, vouched.id_token))


def _linked(asked: Provider, leaving: Leaving, vouched: Vouched) -> Response:
    """Raises StateUnknown when this browser's session is another one by now."""
    person = session()
    if person is None or person.subject != leaving.linking:
        raise StateUnknown(field="session")
    front().identity.link_external(vouched, _ourselves(person.subject))
    return page("pages/linked.html", label=asked.label, back=leaving.suite)


def _ourselves(subject: str) -> str:
    """No person has this role: identity believes it alone about what a provider vouches for."""
    return front().signer.token(subject, ["gateway"], "identity")


def _provider(name: str) -> Provider:
    found = front().providers.get(name)
    if found is None:
        raise NotFound(field="provider")
    return found


def _back(asked: Provider) -> str:
    return f"{front().settings.common.gateway_url}/connexion/{asked.name}/retour"


def _same(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode("utf-8", "replace"), b.encode())


def _failed(refusal: Refusal, asked: Provider) -> Response:
    code = refusal.told if isinstance(refusal, ServiceRefused) else refusal.code
    if code == "NotOnAnyRoll" and not asked.tells_birth_date:
        code = "AccountNotLinked"
    logs.failure(code)
    said = external_words.of(code)
    settings = front().settings
    return page(
        "pages/external_failure.html",
        said.status,
        title=said.title,
        text=said.text,
        label=asked.label,
        desk=settings.desk if said.to_desk else None,
        desk_mail=settings.desk_mail if said.to_desk else None,
    )
