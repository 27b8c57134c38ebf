"""Signing in and out through the real npm oidc-provider, in Chromium without JavaScript; then a search for traces."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from services.shared import keys
from tests.doors import free_port
from tests.gateway.oidc_provider import SECRET, oidc_provider
from tests.gateway.processes import gateway
from tests.gateway.stub_services import World, region, services

pytestmark = pytest.mark.browser


def test_a_person_signs_in_by_a_provider_without_javascript_and_leaves_no_trace(
    browser: Browser, built: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    keys.make_key_pair(data / "keys/gateway/token.key", data / "keys/gateway/token.pub")
    world = World(data / "keys/gateway/token.pub")
    region(world)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    # Another name of this machine: to the browser, provider and gateway are two sites.
    with services(world) as addresses, oidc_provider(url, host="localhost") as provider:
        told = addresses | provider.settings(tmp_path) | {"PARVIS_GATEWAY_URL": url}
        with gateway(data, told, port) as served:
            context = browser.new_context(locale="fr-FR", base_url=url, java_script_enabled=False)
            page = context.new_page()
            page.goto("/messages")
            page.get_by_role("button", name="Se connecter avec FranceConnect").click()
            page.get_by_placeholder("Enter any login").fill("identifiant-seme")
            page.get_by_placeholder("and password").fill("x")
            page.get_by_role("button", name="Sign-in").click()
            page.get_by_role("button", name="Continue").click()
            expect(page).to_have_url(f"{url}/messages")
            expect(page.locator(".top__person")).to_contain_text("Lilas Moreau")
            page.get_by_role("button", name="Se déconnecter").click()
            page.wait_for_url("http://localhost:*/**")
            page.locator("button[value=yes]").click()
            page.wait_for_url(f"{url}/connexion/fin?*")
            expect(page.locator("h1")).to_have_text("Vous êtes déconnecté")
            expect(page.locator(".top__person")).to_have_count(0)
            context.close()
    said = served.output.read_bytes()
    assert b'"listening"' in said, "the search looks where something is"
    (vouched,) = world.vouched
    kept = said + b"".join(p.read_bytes() for p in data.glob("gateway.db*"))
    assert b"spent_states" in kept, "the store too"
    for secret in (vouched["sub"], vouched["birth_date"], SECRET, "eyJ", "identifiant-seme", "Moreau"):
        assert secret.encode() not in said
    for secret in (vouched["sub"], vouched["birth_date"], SECRET, "eyJ", "identifiant-seme"):
        assert secret.encode() not in kept
