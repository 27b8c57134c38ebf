"""Who may call what: every route of every service, asked by every role, answers as its declaration says.

Not signed in: 401; signed in without the role: 403; else anything but these. Routes act on whoever the token names: no
path names a person, and nothing that is one person's is shown to another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import g
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from services.ballot.api import create_api as ballot
from services.gateway.pages.app import create_app
from services.gateway.settings import GatewaySettings
from services.gateway.store import STEPS
from services.gateway.store.sessions import Sessions
from services.identity.api import create_api as identity
from services.notifications.api import create_api as notifications
from services.shared import errors, keys, web
from services.shared.store import open_database
from services.shared.tokens import TokenSigner, TokenVerifier
from tests.gateway.conftest import Site
from tests.gateway.conftest import environment as environment
from tests.gateway.conftest import static as static
from tests.gateway.stub_services import OPEN, PEOPLE, World

ANONYMOUS = "anonymous"
ROLES = (ANONYMOUS, "resident", "returning_officer", "agent", "auditor", "administrator")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NOWHERE = UUID(int=9)
THINGS = {
    "id": "0" * 32,
    "role": "agent",
    "poll": NOWHERE,
    "station": "bureau-1",
    "round": 1,
    "provider": "franceconnect",
    "roll_import": NOWHERE,
    "stratum": "habitants",
    "chosen": "en",
}
"""What a route's path may name, with something that is not there. A person is none of it: a new name needs a thought
about whose it is, and a test of that, before it comes here."""

Call = Callable[[str, str, str], int]
"""Role, method, path → status."""


class Empty:
    """Any part of a service, which can do nothing at the moment."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def nothing(*_: object, **__: object) -> Any:
            raise errors.Busy(field=name)

        return nothing


@dataclass(frozen=True)
class Service:
    """A service's app, and how each role calls it."""

    app: web.App
    call: Call


@pytest.fixture
def signer(tmp_path: Path) -> TokenSigner:
    keys.make_key_pair(tmp_path / "signer/token.key", tmp_path / "signer/token.pub")
    return TokenSigner(tmp_path / "signer/token.key")


def by_token(app: web.App, signer: TokenSigner, name: str) -> Service:
    client = app.test_client()

    def call(role: str, method: str, path: str) -> int:
        token = None if role == ANONYMOUS else signer.token("someone", [role], name)
        return client.open(path, method=method, json={}, headers=_bearer(token)).status_code

    return Service(app, call)


def _bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def api(name: str, pub: Path) -> web.App:
    part: Any = Empty()
    tokens = TokenVerifier(pub, name)
    if name == "ballot":
        return ballot(part, part, part, part, tokens, lambda: None)
    if name == "identity":
        return identity(part, part, part, part, part, tokens, lambda: None, codes=part, desk=part, registry=part)
    return notifications(part, part, tokens, lambda: None, part)


def gateway(static: Path) -> Service:
    """Each role has a browser that is signed in, and the token of a form."""
    settings = GatewaySettings.from_env()
    database = open_database(settings.common, "gateway")
    database.migrate(STEPS)
    app = create_app(settings, database, static=static)
    sessions = Sessions(database, settings.session_seconds)
    browsers: dict[str, tuple[Site, dict[str, str]]] = {}

    def call(role: str, method: str, path: str) -> int:
        if role not in browsers:
            site = _browser(app, sessions, role)
            browsers[role] = site, site.get("/connexion").form("/connexion")
        site, fields = browsers[role]
        answer = site.client.open(path, method=method, data=fields)
        if answer.headers.getlist("Set-Cookie"):
            del browsers[role]  # another session, or another token of its forms
        return answer.status_code

    return Service(app, call)


def _browser(app: web.App, sessions: Sessions, role: str) -> Site:
    client: FlaskClient = app.test_client()
    if role != ANONYMOUS:
        known = next(subject for subject, roles, _ in PEOPLE.values() if roles == [role])
        client.set_cookie("session", sessions.open(known, frozenset([role]), "Quelqu’un"))
    return Site(client, Path())


@pytest.fixture(params=["ballot", "identity", "notifications", "gateway"])
def service(request: pytest.FixtureRequest, tmp_path: Path, signer: TokenSigner) -> Service:
    if request.param == "gateway":
        request.getfixturevalue("environment")
        return gateway(request.getfixturevalue("static"))
    return by_token(api(request.param, tmp_path / "signer/token.pub"), signer, request.param)


def expected(who: web.Who, role: str) -> int | None:
    """None: let in."""
    if not who.signed_in:
        return None
    if role == ANONYMOUS:
        return 401
    return None if not who.roles or role in who.roles else 403


def wrong(service: Service) -> list[str]:
    """What answers otherwise than it declares."""
    found = []
    for rule, method in _routes(service.app):
        path = service.app.url_map.bind("localhost").build(rule.endpoint, _names(rule), method=method)
        for role in ROLES:
            status, wanted = service.call(role, method, path), expected(rule.who, role)  # type: ignore[attr-defined]
            if (status if status in (401, 403) else None) != wanted:
                found.append(f"{method} {rule} as {role}: {status}, not {wanted or 'let in'}")
    return found


def _routes(app: web.App) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        yield from ((rule, method) for method in METHODS if method in (rule.methods or ()))


def _names(rule: Rule) -> dict[str, Any]:
    return {name: THINGS[name] for name in rule.arguments}


def test_every_route_lets_in_exactly_whom_it_declares(service: Service) -> None:
    asked = len(list(_routes(service.app))) * len(ROLES)
    print(f"{service.app.name}: {asked} requests")
    assert asked >= 4 * len(ROLES)
    assert wrong(service) == []


def test_a_route_that_lets_in_others_than_it_declares_is_seen(tmp_path: Path, signer: TokenSigner) -> None:
    app = web.create_app(
        "sample", ready=lambda: None, token_keys=TokenVerifier(tmp_path / "signer/token.pub", "sample")
    )
    app.get("/desk", who=web.role("agent"))(dict)
    assert wrong(by_token(app, signer, "sample")) == []
    app.before_request_funcs[None][:] = [_without_asking]
    said = wrong(by_token(app, signer, "sample"))
    assert len(said) == len(ROLES) - 1 and "GET /desk as anonymous: 200, not 401" in said


def _without_asking() -> None:
    g.started, g.rule, g.request_id = 0.0, None, None


def test_a_route_without_a_declaration_stops_the_program(service: Service) -> None:
    with pytest.raises(web.RouteUndeclared, match="/oubliee"):
        service.app.get("/oubliee")(dict)


def test_no_path_names_a_person(service: Service) -> None:
    assert {name for rule, _ in _routes(service.app) for name in rule.arguments} <= set(THINGS)


@pytest.mark.parametrize("name", ["ballot", "identity", "notifications"])
def test_a_token_for_another_service_lets_nobody_in(name: str, tmp_path: Path, signer: TokenSigner) -> None:
    app = api(name, tmp_path / "signer/token.pub")
    client, headers = app.test_client(), _bearer(signer.token("someone", list(ROLES), "another"))
    for rule, method in _routes(app):
        if rule.who.signed_in:  # type: ignore[attr-defined]
            path = app.url_map.bind("localhost").build(rule.endpoint, _names(rule), method=method)
            assert client.open(path, method=method, json={}, headers=headers).status_code == 401, path


def test_what_one_person_holds_is_shown_to_no_other(
    environment: World, static: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another person on the same browser, the first one's voter cookie in it: no page gives code de vote or name. A
    demonstration's page of what was sent to its made-up people is no page of an installation."""
    monkeypatch.delenv("PARVIS_SPOOL_PAGE")
    settings = GatewaySettings.from_env()
    app = create_app(settings, open_database(settings.common, "gateway"), static=static)
    site, root = Site(app.test_client(), Path()), f"/scrutins/{OPEN}/voter"
    site.sign_in("LILAS-1")
    site.get(root)
    own = site.get(f"{root}/code").source
    secret = own.split('class="sheet__key"')[1].split(">")[1].split("<")[0]
    assert len(secret) > 50 and "Lilas Moreau" in own
    site.sign_in("NOE-2")
    for rule, method in _routes(app):
        if method == "GET":
            values = _names(rule) | ({"poll": OPEN} if "poll" in rule.arguments else {})
            page = site.get(app.url_map.bind("localhost").build(rule.endpoint, values))
            assert secret not in page.source and "Lilas" not in page.source, rule
