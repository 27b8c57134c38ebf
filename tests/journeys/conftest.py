"""A real browser on a real gateway, over the stub services. Needs Chromium: elsewhere skipped, in CI a failure."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from services.gateway.assets import build
from tests.gateway.processes import site
from tests.gateway.stub_services import World
from tests.journeys.engines import MODULES, Axe

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Town:
    """The served site and what its services know."""

    url: str
    world: World


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One a module: Playwright leaves its event loop running, over which the worker's other tests would trip."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI has no Chromium: install Debian's package chromium")
        pytest.skip("the browser journeys need Chromium (Debian's package chromium): not run here")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield launched
        launched.close()


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
    with site(tmp_path_factory.mktemp("gateway") / "data") as (running, world):
        yield Town(running.url, world)


@pytest.fixture
def town(served: Town) -> Town:
    """The site, with polls on which nobody has voted yet."""
    served.world.reset()
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
