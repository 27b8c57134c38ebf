"""A gateway over the stub services: `site` is the app's test client, `world` what the services know."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.gateway.assets import build
from services.gateway.pages.app import create_app
from services.gateway.settings import GatewaySettings
from services.gateway.store import STEPS
from services.shared import keys
from services.shared.store import open_database
from tests.gateway.html import Page
from tests.gateway.stub_services import OPEN, World, region, services


@pytest.fixture(scope="session")
def static() -> Path:
    """The built front end, built here if it is not."""
    build.build()
    return build.STATIC


@dataclass
class Site:
    """One person's browser, without a screen: follows forms as a person does."""

    client: FlaskClient
    data: Path

    def get(self, path: str) -> Page:
        return Page(self.client.get(path))

    def post(self, path: str, **fields: str) -> Page:
        return Page(self.client.post(path, data=fields))

    def submit(self, page: Page, action: str, **fields: str) -> Page:
        """Sends the form of `page` whose address is `action`, with its own hidden fields and these."""
        return Page(self.client.post(action, data=page.form(action) | fields))

    def sign_in(self, code: str = "LILAS-1") -> Page:
        page = self.get("/connexion")
        return self.submit(page, "/connexion", code=code)

    def choose(self, answer: str = "choix:oui") -> Page:
        """As far as the check page."""
        page = self.get(f"/scrutins/{OPEN}/voter")
        return self.submit(page, f"/scrutins/{OPEN}/voter/verifier", **{"reponse-q1": answer})

    def vote(self, answer: str = "choix:oui") -> Page:
        return self.submit(self.choose(answer), f"/scrutins/{OPEN}/voter/deposer")


@contextmanager
def surroundings(folder: Path) -> Iterator[World]:
    """A data folder with keys and a store, and the services' addresses in the settings."""
    keys.make_key_pair(folder / "keys/gateway/token.key", folder / "keys/gateway/token.pub")
    keys.make_key(folder / "keys/gateway/cookie.key")
    world = World(folder / "keys/gateway/token.pub")
    region(world)
    with services(world) as addresses, pytest.MonkeyPatch.context() as patched:
        for name in [n for n in os.environ if n.startswith("PARVIS_")]:
            patched.delenv(name)
        for name, value in {"PARVIS_DATA": str(folder), "PARVIS_PUBLIC_SECONDS": "0", **addresses}.items():
            patched.setenv(name, value)
        settings = GatewaySettings.from_env()
        open_database(settings.common, "gateway").migrate(STEPS)
        yield world


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[World]:
    with surroundings(tmp_path / "data") as world:
        yield world


@pytest.fixture
def world(environment: World) -> World:
    return environment


@pytest.fixture
def app(environment: World, static: Path) -> Any:
    return gateway(static)


def gateway(static: Path) -> Any:
    settings = GatewaySettings.from_env()
    return create_app(settings, open_database(settings.common, "gateway"), static=static)


@pytest.fixture(scope="module")
def reading_room(tmp_path_factory: pytest.TempPathFactory, static: Path) -> Iterator[tuple[World, Any, Path]]:
    data = tmp_path_factory.mktemp("reading") / "data"
    with surroundings(data) as world:
        yield world, gateway(static), data


@pytest.fixture
def reading(reading_room: tuple[World, Any, Path]) -> tuple[World, Site]:
    """For tests that read public pages, one gateway for all of a module: to make one takes longer than to read one."""
    world, app, data = reading_room
    world.reset()
    return world, Site(app.test_client(), data)


@pytest.fixture
def site(app: Any) -> Site:
    return Site(app.test_client(), GatewaySettings.from_env().common.data)


@pytest.fixture
def other_browser(app: Any) -> Site:
    return Site(app.test_client(), GatewaySettings.from_env().common.data)
