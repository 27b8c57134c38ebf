"""Every route of every service says who may call it, and what touches a ballot or a mark leaves no trace."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.ballot.api import create_api as ballot
from services.gateway.__main__ import main as gateway_command
from services.gateway.pages.app import create_app
from services.gateway.settings import GatewaySettings
from services.identity.api import create_api as identity
from services.notifications.api import create_api as notifications
from services.shared import web
from services.shared.store import Database

NOTHING: Any = None
HARMLESS = {"/deconnexion"}  # signing out twice, or without a session, changes nothing
OWN = {"livez", "readyz", "metrics", "static"}
SECRET = re.compile(r"/(?:marks|credentials|trackers|ballots|sign-in|code-de-vote|suivi|bulletin|connexion)\b")


def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> web.App:
    monkeypatch.setenv("PARVIS_DATA", str(tmp_path))
    assert gateway_command(["keys"]) == 0
    return create_app(GatewaySettings.from_env(), Database(tmp_path / "gateway.db"))


APPS: dict[str, Callable[[], web.App]] = {
    "ballot": lambda: ballot(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, lambda: None),
    "identity": lambda: identity(*[NOTHING] * 6, lambda: None, codes=NOTHING, desk=NOTHING, registry=NOTHING),
    "notifications": lambda: notifications(NOTHING, NOTHING, NOTHING, lambda: None),
}


@pytest.fixture(params=[*APPS, "gateway"])
def app(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> web.App:
    return gateway(tmp_path, monkeypatch) if request.param == "gateway" else APPS[request.param]()


def test_every_route_declares_who_may_call_it(app: web.App) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint not in OWN]
    assert rules
    assert [str(rule) for rule in rules if not isinstance(rule.who, web.Who)] == []


def test_what_changes_something_is_not_open_to_anyone_by_oversight(app: web.App) -> None:
    """Who is not signed in may post only what needs no name: a sign-in, a ballot, a question about one."""
    open_posts = [
        str(rule)
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or set()) and rule.who is web.ANYONE and not rule.quiet and str(rule) not in HARMLESS
    ]
    assert open_posts == []


def test_routes_that_touch_a_ballot_or_a_mark_are_quiet(app: web.App) -> None:
    loud = [
        str(rule)
        for rule in app.url_map.iter_rules()
        if SECRET.search(str(rule)) and "POST" in (rule.methods or set()) and not rule.quiet
    ]
    assert loud == []
