"""The map of routes is whole: each route of the gateway is reached by a visit, and each visit ends as it says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import httpx
import pytest
from werkzeug.routing import Map, MapAdapter, Rule

from services.gateway.pages.app import create_app
from services.gateway.settings import GatewaySettings
from services.shared import keys, web
from services.shared.store import Database
from tests.gateway.html import Page
from tests.journeys.route_map import VISITS
from tests.journeys.walked import Walked


@pytest.fixture
def app(tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch) -> web.App:
    monkeypatch.setenv("PARVIS_DATA", str(tmp_path))
    monkeypatch.setenv("PARVIS_SPOOL_PAGE", "yes")
    keys.make_key_pair(tmp_path / "keys/gateway/token.key", tmp_path / "keys/gateway/token.pub")
    keys.make_key(tmp_path / "keys/gateway/cookie.key")
    return create_app(GatewaySettings.from_env(), Database(tmp_path / "gateway.db"), static=built)


def declared(url_map: Map) -> set[tuple[str, str]]:
    methods = {(method, rule.rule) for rule in url_map.iter_rules() for method in rule.methods or ()}
    return {(method, rule) for method, rule in methods if method not in ("HEAD", "OPTIONS")}


def reached(url_map: Map, answers: list[Walked]) -> set[tuple[str, str]]:
    """A form counts when it was sent; an address when a visit ends there, or is sent on from there. No failure does."""
    adapter = url_map.bind("localhost")
    found = set()
    for answer in answers:
        for asked in answer.trail:
            last = asked.method == "POST" or asked.status == 303 or asked is answer.trail[-1]
            if last and asked.status < 400:
                rule = _rule(adapter, asked.path, asked.method)
                found |= {(asked.method, rule.rule)} if rule else set()
    return found


def _rule(adapter: MapAdapter, path: str, method: str) -> Rule | None:
    return adapter.match(path, method=method, return_rule=True)[0] if adapter.test(path, method) else None


def test_every_route_of_the_gateway_is_in_the_map(app: web.App, walked: list[Walked]) -> None:
    assert sorted(declared(app.url_map) - reached(app.url_map, walked)) == []


def test_a_route_that_nobody_put_into_the_map_is_missed(app: web.App, walked: list[Walked]) -> None:
    app.get("/nouvelle", who=web.ANYONE, endpoint="new_page")(lambda: "")
    assert declared(app.url_map) - reached(app.url_map, walked) == {("GET", "/nouvelle")}


def test_visits_have_names_of_their_own() -> None:
    assert [name for name, n in Counter(visit.name for visit in VISITS).items() if n > 1] == []


def test_no_page_has_a_fault_that_a_reader_of_html_sees(walked: list[Walked]) -> None:
    pages = [a for a in walked if a.visit.kind == "text/html" and a.visit.status != 303]
    assert [(a.visit.name, faults) for a in pages if (faults := Page(httpx.Response(200, text=a.text)).faults())] == []
