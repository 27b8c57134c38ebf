"""Who a visitor is counted as when proxies stand in front: what they add is believed, what a visitor adds is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from services.gateway.pages.app import create_app
from services.gateway.settings import GatewaySettings
from services.shared.settings import SettingRefused
from services.shared.store import open_database
from tests.gateway.html import Page
from tests.gateway.stub_services import World

PROXY, FRONT_PROXY = "10.0.0.7", "10.0.0.8"
ANNA, BRUNO = "203.0.113.5", "198.51.100.9"


def source(world: World, static: Path, proxies: int, forwarded: str | None, *, peer: str = PROXY) -> str:
    """As whom a visitor's code is counted; `forwarded` is what arrives in X-Forwarded-For."""
    settings = replace(GatewaySettings.from_env(), trusted_proxies=proxies)
    client = create_app(settings, open_database(settings.common, "gateway"), static=static).test_client()
    around = {"REMOTE_ADDR": peer}
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    page = Page(client.get("/connexion", headers=headers, environ_overrides=around))
    form = page.form("/connexion") | {"code": "AAAA-AAAA"}
    assert client.post("/connexion", data=form, headers=headers, environ_overrides=around).status_code == 403
    return world.sources[-1]


def test_by_default_no_header_is_believed(world: World, static: Path) -> None:
    assert GatewaySettings.from_env().trusted_proxies == 0
    alone = source(world, static, 0, None)
    assert source(world, static, 0, ANNA) == source(world, static, 0, f"{BRUNO}, {ANNA}") == alone
    assert source(world, static, 0, None, peer=ANNA) != alone


@pytest.mark.parametrize("proxies, way", [(1, ""), (2, f", {FRONT_PROXY}")])
def test_behind_proxies_each_visitor_is_counted_alone_whatever_the_visitor_writes(
    world: World, static: Path, proxies: int, way: str
) -> None:
    anna = source(world, static, proxies, ANNA + way)
    assert anna == source(world, static, 0, None, peer=ANNA)
    assert source(world, static, proxies, BRUNO + way) != anna
    assert source(world, static, proxies, f"{BRUNO}, {ANNA}{way}") == anna


def test_a_number_that_cannot_be_is_refused_at_the_start(environment: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("-1", "1.5", "many", "11", "٣"):
        monkeypatch.setenv("PARVIS_TRUSTED_PROXIES", text)
        with pytest.raises(SettingRefused, match="PARVIS_TRUSTED_PROXIES"):
            GatewaySettings.from_env()
