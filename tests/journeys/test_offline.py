"""Without a network: one page that says so, nobody's; no page of a session or of a vote, no answer to a form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page

from services.shared import keys
from tests.gateway.processes import gateway
from tests.gateway.stub_services import OPEN, World, region, services
from tests.journeys.conftest import WORKER_READY, Town, opened

pytestmark = pytest.mark.browser
KEPT = """(async () => {
  const found = [];
  for (const name of await caches.keys()) {
    const kept = await caches.open(name);
    for (const asked of await kept.keys()) {
      found.push([new URL(asked.url).pathname, await (await kept.match(asked)).text()]);
    }
  }
  return found;
})()"""
POST = "fetch('/connexion', {method: 'POST', body: 'code=x'}).then(() => 'answered', () => 'failed')"
NEVER = (f"/scrutins/{OPEN}/voter", f"/scrutins/{OPEN}/suivi", "/connexion", "/messages", "/mon-espace", "/agent")


@pytest.fixture
def leaving(browser: Browser, tmp_path: Path, built: Path) -> Iterator[tuple[Page, Leave]]:
    """A browser that has been on the first page, signed in, and a gateway that can go away."""
    with Leave(tmp_path / "data") as site:
        with opened(browser, site.town) as page:
            page.goto("/connexion")
            page.fill("#code", "LILAS-1")
            page.click("main button[type=submit]")
            page.goto(f"/scrutins/{OPEN}")
            assert page.evaluate(WORKER_READY)
            yield page, site


class Leave:
    """A site whose gateway ends when it is told to: what a browser sees without a network."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def __enter__(self) -> Leave:
        keys.make_key_pair(self._data / "keys/gateway/token.key", self._data / "keys/gateway/token.pub")
        world = World(self._data / "keys/gateway/token.pub")
        region(world)
        self._services = services(world)
        self._gateway = gateway(self._data, self._services.__enter__())
        self.town = Town(self._gateway.__enter__().url, world)
        self._there = True
        return self

    def go(self) -> None:
        self._there = False
        self._gateway.__exit__(None, None, None)

    def __exit__(self, *_: object) -> None:
        if self._there:
            self.go()
        self._services.__exit__(None, None, None)


def test_without_a_network_one_page_says_so_and_nothing_else_is_kept(leaving: tuple[Page, Leave]) -> None:
    page, site = leaving
    kept = dict(page.evaluate(KEPT))
    assert sorted(path.split("-")[0] for path in kept) == ["/assets/parvis", "/hors"]
    assert "Lilas" not in kept["/hors-ligne"] and "jeton" not in kept["/hors-ligne"]
    page.goto(f"/scrutins/{OPEN}/voter")
    page.goto("/messages")
    assert dict(page.evaluate(KEPT)).keys() == kept.keys(), "visiting pages must keep nothing more"
    page.goto("/")
    site.go()
    page.goto("/aide")
    assert page.locator("h1").inner_text() == "Vous êtes hors ligne"
    assert page.evaluate("document.styleSheets[0].cssRules.length") > 0
    assert page.evaluate(POST) == "failed"
    for path in NEVER:
        other = page.context.new_page()
        with pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
            other.goto(path)
        other.close()


def test_with_a_network_pages_come_from_the_gateway(leaving: tuple[Page, Leave]) -> None:
    page, site = leaving
    page.goto("/aide")
    assert page.locator("h1").inner_text() == "Aide et vérification"
    assert page.evaluate("Boolean(navigator.serviceWorker.controller)")
    site.town.world.polls.clear()
    page.goto("/")
    assert "Aucun scrutin" in page.locator("main").inner_text()
