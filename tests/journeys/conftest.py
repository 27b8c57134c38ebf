"""A real browser on a real gateway, over the stub services. Needs Chromium: elsewhere skipped, in CI a failure."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from services.gateway.assets import build
from tests.gateway.processes import site
from tests.gateway.stub_services import World
from tests.journeys import chromium
from tests.journeys.engines import MODULES, Axe
from tests.journeys.walked import Walked, walked_once

WORKER_READY = """navigator.serviceWorker.ready.then(r => new Promise(go => {
  const worker = r.active;
  const look = () => worker.state === "activated" && go(true);
  worker.addEventListener("statechange", look);
  look();
}))"""


@dataclass
class Town:
    """The served site and what its services know."""

    url: str
    world: World
    data: Path = Path()

    def forget_drafts(self) -> None:
        """They outlive a visit: what another test began would be found again."""
        for file in self.data.rglob("gateway.db"):
            with closing(sqlite3.connect(file, timeout=30)) as store, store:
                store.execute("DELETE FROM drafts")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One a module: Playwright leaves its event loop running, over which the worker's other tests would trip."""
    yield from _launched(whole=False)


@pytest.fixture(scope="module")
def whole_browser() -> Iterator[Browser]:
    """As people have it: with an icon to fetch for each site."""
    yield from _launched(whole=True)


def _launched(*, whole: bool) -> Iterator[Browser]:
    if chromium.program(whole=whole) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI has {chromium.MISSING}")
        pytest.skip(f"the browser journeys are not run: {chromium.MISSING}")
    with chromium.launched(whole=whole) as browser:
        yield browser


@pytest.fixture(scope="session")
def built() -> Path:
    """The built style sheet, and the engines that look at pages."""
    build.build(with_tests=True)
    return build.STATIC


@pytest.fixture(scope="session")
def axe(built: Path) -> Axe:
    """Runs axe in a page and gives what it finds, one line a violation."""
    return Axe(MODULES / "axe-core")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Town]:
    data = tmp_path_factory.mktemp("gateway") / "data"
    with site(data) as (running, world):
        yield Town(running.url, world, data)


@pytest.fixture(scope="session")
def walked(tmp_path_factory: pytest.TempPathFactory, built: Path) -> list[Walked]:
    """Every visit of the map, made on a real gateway."""
    own = tmp_path_factory.getbasetemp()
    return walked_once(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


@pytest.fixture
def town(served: Town) -> Town:
    """The site, with polls on which nobody has voted yet."""
    served.world.reset()
    served.forget_drafts()
    return served


@contextmanager
def opened(browser: Browser, town: Town, *, width: int = 1280, height: int = 800, **options: Any) -> Iterator[Page]:
    """A fresh browser window on the site."""
    context = browser.new_context(
        locale="fr-FR", base_url=town.url, viewport={"width": width, "height": height}, **options
    )
    try:
        yield context.new_page()
    finally:
        context.close()
