"""The whole platform with its demo region: a vote in the browser on the real services, and a recount of a result."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
_CODE = re.compile(r"^ +([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}) ", re.MULTILINE)
_PATIENCE = 100


@dataclass
class Platform:
    url: str
    resident: str


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Platform]:
    """Every door, started as `make run` does, once the demo region stands."""
    folder = tmp_path_factory.mktemp("platform")
    port = _free_port()
    command = [sys.executable, "-m", "deploy.one_machine", "run", "--data", str(folder / "data"), "--port", str(port)]
    output = folder / "output.txt"
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with output.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    try:
        _until(lambda: "Démonstration prête" in output.read_text(), process, output)
        yield Platform(f"http://127.0.0.1:{port}", _CODE.findall(output.read_text())[0])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@pytest.mark.timeout(240)
def test_a_resident_votes_checks_and_recounts_on_the_real_platform(
    browser: Browser, platform: Platform, tmp_path: Path
) -> None:
    context = browser.new_context(locale="fr-FR", base_url=platform.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.locator("section[aria-labelledby=ouverts]").get_by_role("link", name="La place de la Halle").click()
    poll = page.url
    page.get_by_role("link", name="Voter", exact=True).click()
    page.get_by_label("Code de connexion").fill(platform.resident)
    page.get_by_role("button", name="Se connecter").click()
    tracker = _vote(page, "Oui")
    page.goto(f"{poll}/voter")
    assert page.get_by_text("Vous avez déjà voté").is_visible()
    assert _vote(page, "Non") != tracker
    page.goto(f"{poll}/suivi")
    page.get_by_label("Numéro de suivi").fill(tracker)
    page.get_by_role("button", name="Vérifier").click()
    assert "inconnu" not in page.get_by_role("status").inner_text()
    page.goto("/messages")
    assert page.get_by_role("heading", level=2).first.is_visible()
    context.close()


@pytest.mark.timeout(240)
def test_a_result_is_recounted_from_what_the_pages_give(browser: Browser, platform: Platform, tmp_path: Path) -> None:
    context = browser.new_context(locale="fr-FR", base_url=platform.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.locator("section[aria-labelledby=termines] a").first.click()
    page.get_by_role("link", name="Voir les résultats").click()
    manifest_hash = page.locator(".fingerprint").inner_text()
    bundle = _downloaded(page, "Télécharger tout le scrutin", tmp_path / "scrutin.ndjson")
    told = json.loads(_downloaded(page, "Résultats pour logiciel", tmp_path / "r.json").read_text())
    context.close()
    audit = [sys.executable, "-m", "services.ballot.audit", str(bundle), "--manifest-hash", manifest_hash]
    done = subprocess.run(audit, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    cast = told["tally"]["counted"] + told["tally"]["superseded"]
    assert f"{cast} ballots checked of {cast} expected" in done.stdout + done.stderr


def _vote(page: Page, answer: str) -> str:
    """From the ballot paper to the receipt; gives the tracker."""
    page.get_by_label(answer, exact=True).check()
    page.get_by_role("button", name="Vérifier mon bulletin").click()
    page.get_by_role("button", name="Déposer mon bulletin").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Votre bulletin est déposé"
    return "".join(page.locator(".sheet__key").inner_text().split())


def _downloaded(page: Page, link: str, path: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("link", name=link).click()
    download.value.save_as(path)
    return path


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _until(ready: Callable[[], bool], process: subprocess.Popen[bytes], output: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if ready():
            return
        assert process.poll() is None, output.read_text()
        time.sleep(0.2)
    raise AssertionError(output.read_text())
