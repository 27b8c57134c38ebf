"""The whole platform with its demo region: a vote in the browser on the real services, and a recount of a result."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.journeys.platform import audited, downloaded, running, sign_in, vote

pytestmark = pytest.mark.browser
_CODE = re.compile(r"^ +([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}) ", re.MULTILINE)


@dataclass
class Demo:
    url: str
    resident: str


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Demo]:
    """Once the demo region stands."""
    with running(tmp_path_factory.mktemp("platform")) as started:
        started.until(lambda: "Démonstration prête" in started.output.read_text())
        yield Demo(started.url, _CODE.findall(started.output.read_text())[0])


@pytest.mark.timeout(240)
def test_a_resident_votes_checks_and_recounts_on_the_real_platform(
    browser: Browser, platform: Demo, tmp_path: Path
) -> None:
    context = browser.new_context(locale="fr-FR", base_url=platform.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.locator("section[aria-labelledby=ouverts]").get_by_role("link", name="La place de la Halle").click()
    poll = page.url
    page.get_by_role("link", name="Voter", exact=True).click()
    sign_in(page, platform.resident)
    tracker = vote(page, "Oui")
    page.goto(f"{poll}/voter")
    assert page.get_by_text("Vous avez déjà voté").is_visible()
    assert vote(page, "Non") != tracker
    page.goto(f"{poll}/suivi")
    page.get_by_label("Numéro de suivi").fill(tracker)
    page.get_by_role("button", name="Vérifier").click()
    assert "inconnu" not in page.get_by_role("status").inner_text()
    page.goto("/messages")
    assert page.get_by_role("heading", level=2).first.is_visible()
    context.close()


@pytest.mark.timeout(240)
def test_a_result_is_recounted_from_what_the_pages_give(browser: Browser, platform: Demo, tmp_path: Path) -> None:
    context = browser.new_context(locale="fr-FR", base_url=platform.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.locator("section[aria-labelledby=termines] a").first.click()
    page.get_by_role("link", name="Voir les résultats").click()
    manifest_hash = page.locator(".fingerprint").inner_text()
    bundle = downloaded(page, "Télécharger tout le scrutin", tmp_path / "scrutin.ndjson")
    told = json.loads(downloaded(page, "Résultats pour logiciel", tmp_path / "r.json").read_text())
    context.close()
    audited(bundle, manifest_hash, told["tally"]["counted"] + told["tally"]["superseded"])
