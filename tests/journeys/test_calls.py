"""How often pages ask other services, and what each looks like without them: over the whole route map."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.routing import Map

from services.gateway.pages.app import create_app
from services.gateway.settings import GatewaySettings
from services.shared import keys
from services.shared.store import Database
from tests.gateway.html import Page
from tests.gateway.processes import Gateway, site, visitor
from tests.gateway.stub_services import World
from tests.journeys.route_map import VISITS, Visit, Walker
from tests.journeys.visits import Happening
from tests.journeys.walked import Walked

MOST = 2
MORE = {  # deeds alone: one thing follows from another, and what is drawn then has been asked for
    # the draft's key, whom it is about, then the deed itself
    ("POST", "/agent/roles/nouveau/envoyer"): 3,
    ("POST", "/agent/guichet/coordonnees/nouvelles/envoyer"): 3,
    ("POST", "/agent/guichet/courrier/envoyer"): 3,
    # the draft's key, the poll and its manifest; then identity's roll and the deed itself
    ("POST", "/agent/scrutins/nouveau/envoyer"): 3,
    ("POST", "/agent/scrutins/<uuid:poll>/modifier/envoyer"): 4,
    ("POST", "/agent/scrutins/<uuid:poll>/remplacer/envoyer"): 5,
    ("POST", "/agent/scrutins/<uuid:poll>/reedition/envoyer"): 3,
    ("POST", "/agent/scrutins/publication/confirmer"): 4,
    ("POST", "/recus/<id>/courriel"): 3,  # key and address at the same time, then the message
    ("POST", "/mon-espace/associations/delegue/envoyer"): 3,  # the same: key and associations, then the deed
    ("POST", "/agent/listes/import"): 3,  # room for a file, its pieces, its check
    ("POST", "/agent/a-valider/rattachement/confirmer"): 3,  # the lists there are, whom it is about, the deed
    ("POST", "/scrutins/<uuid:poll>/voter/deposer"): 4,  # poll, mark, ballot; after a refusal the place of the next
}
PLAYS_NO_PART = {
    "paper not open",  # the roll is asked for beside the poll, which then turns out not to be open
    "roll of nobody",  # titles of polls are asked for beside a list that turns out not to be there
}
IN_PLAIN_WORDS = ("pour le moment", "pas pu être", "at the moment")
SERVICES = ("ballot", "identity", "notifications")
Served = tuple[Gateway, World]


class Signed(dict[str | None, dict[str, str]]):
    """The cookies of each person, signed in once."""

    def __init__(self, walker: Walker) -> None:
        self._walker = walker

    def __missing__(self, who: str | None) -> dict[str, str]:
        with visitor(self._walker.url) as client:
            if who is not None:
                self._walker.walk_in(client, Visit("in", ("/",), who))
            self[who] = dict(client.cookies)
        return self[who]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Served]:
    with site(tmp_path_factory.mktemp("gateway") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def url_map(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Map:
    folder = tmp_path_factory.mktemp("app")
    keys.make_key_pair(folder / "keys/gateway/token.key", folder / "keys/gateway/token.pub")
    keys.make_key(folder / "keys/gateway/cookie.key")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARVIS_DATA", str(folder))
        settings = GatewaySettings.from_env()
    return create_app(settings, Database(folder / "gateway.db"), static=built).url_map


def calls(walked: list[Walked], url_map: Map) -> dict[tuple[str, str], int]:
    """By method and route, the most calls that one request of any visit made."""
    adapter, most = url_map.bind("localhost"), defaultdict[tuple[str, str], int](int)
    for method, path, number in (call for one in walked for call in one.calls):
        if adapter.test(path, method):
            key = (method, adapter.match(path, method=method, return_rule=True)[0].rule)
            most[key] = max(most[key], number)
    return most


def test_no_page_asks_other_services_more_than_twice(walked: list[Walked], url_map: Map) -> None:
    most = calls(walked, url_map)
    assert {route: n for route, n in most.items() if n > MORE.get(route, MOST)} == {}
    assert {route: n for route, n in MORE.items() if most[route] <= MOST} == {}, "exceptions that are none any more"
    assert {method for method, _ in MORE} == {"POST"}
    assert sum(most.values()) > 20, "nothing was counted"


def _states() -> Iterator[tuple[Visit, list[Happening], str]]:
    """Each address once for each person and state of the world: (a visit to it, what happens before, the address)."""
    known = set()
    for visit in VISITS:
        happens = [step for step in visit.steps if callable(step)]
        for step in visit.steps if visit.kind == "text/html" else ():
            state = (visit.who, *map(id, happens), step)
            if isinstance(step, str) and state not in known:
                known.add(state)
                yield visit, happens, step


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_down_costs_its_block_and_never_the_page(served: Served, service: str) -> None:
    """Each page that has an address, with one service down: sound, and in plain words where something is missing."""
    running, world = served
    signed, spared = Signed(Walker(running.url, world)), 0
    wrong: list[tuple[object, ...]] = []
    for visit, happens, path in _states():
        with visitor(running.url, cookies=signed[visit.who], follow_redirects=True) as client:
            world.reset()
            for step in happens:
                step(world)
            world.fail = {service: 503}
            before = sum(name == service for name, _, _ in world.seen)
            answer = client.get(path)
            needed = sum(name == service for name, _, _ in world.seen) > before
            page = Page(answer)
            said = any(words in page.text for words in IN_PLAIN_WORDS)
            spared += needed
            if answer.status_code not in (200, 400, 401, 403, 404, 503) or page.faults():
                wrong.append((visit.name, path, answer.status_code, page.faults()))
            elif not said and visit.name not in PLAYS_NO_PART if needed else answer.status_code == 503:
                wrong.append((visit.name, path, answer.status_code, page.text[:600]))
    assert wrong == []
    assert spared > 0, f"no page asks {service}"
