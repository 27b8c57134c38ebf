"""The whole platform as `make run` starts it, with its demo town: until its first poll is counted; then a vote in the
browser on the real services, and a recount of a result."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from deploy.demo_polls import POLLS
from deploy.processes import ROOT
from tests.deploy.processes import gone
from tests.journeys.leading import leads
from tests.journeys.platform import audited, downloaded, running, sign_in, vote

_CODE = re.compile(r"^ +([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}) ", re.MULTILINE)


@dataclass
class Demo:
    url: str
    data: Path
    said: str
    resident: str


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Demo]:
    """Once the demo region stands."""
    with running(tmp_path_factory.mktemp("platform")) as started:
        started.until(lambda: "Démonstration prête" in started.output.read_text())
        said = started.output.read_text()
        yield Demo(started.url, started.data, said, _CODE.findall(said)[0])
    assert gone(f"PARVIS_DATA={started.data}")


def test_the_demo_town_votes_and_its_poll_can_be_recounted(platform: Demo) -> None:
    assert "responsable de scrutin" in platform.said
    assert "s'est arrêté" not in platform.said
    page = httpx.get(platform.url).text
    assert "Éteindre l’éclairage public la nuit" in page.replace("'", "’").replace("&#39;", "’")
    assert codes_in_files(platform.data, platform.said) == []
    known = json.loads((platform.data / "demo.json").read_text())
    assert known["done"] is True
    tally = httpx.get(f"{platform.url}/scrutins/{known['polls']['counted']}/resultats.json").json()["tally"]
    cast = tally["counted"] + tally["superseded"]
    assert f"{cast} ballots checked of {cast} expected" in recount(platform.data, known["polls"]["counted"])
    poll = next(poll for poll in POLLS if poll.name == "counted")
    [voted] = re.findall(rf"« {re.escape(poll.title)} » : (\d+) habitants ont voté", platform.said)
    assert tally["counted"] >= int(voted) > 50
    assert cast == 252 or int(voted) < poll.ballots, (
        "a slow machine still casts votes when the poll closes, and says so"
    )


@pytest.mark.browser
def test_a_resident_votes_checks_and_recounts_on_the_real_platform(
    browser: Browser, platform: Demo, tmp_path: Path
) -> None:
    context = browser.new_context(locale="fr-FR", base_url=platform.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    leads(page.locator("section[aria-labelledby=ouverts]").get_by_role("link", name="La place de la Halle"))
    poll = page.url
    leads(page.get_by_role("link", name="Voter", exact=True))
    sign_in(page, platform.resident)
    tracker = vote(page, "Oui")
    page.goto(f"{poll}/voter")
    assert page.get_by_text("Vous avez déjà voté").is_visible()
    assert vote(page, "Non") != tracker
    page.goto(f"{poll}/suivi")
    page.get_by_label("Numéro de suivi").fill(tracker)
    leads(page.get_by_role("button", name="Vérifier"))
    assert "inconnu" not in page.get_by_role("status").inner_text()
    page.goto("/messages")
    assert page.get_by_role("heading", level=2).first.is_visible()
    context.close()


@pytest.mark.browser
def test_a_result_is_recounted_from_what_the_pages_give(browser: Browser, platform: Demo, tmp_path: Path) -> None:
    context = browser.new_context(locale="fr-FR", base_url=platform.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    leads(page.locator("section[aria-labelledby=termines] a").first)
    leads(page.get_by_role("link", name="Voir les résultats"))
    manifest_hash = page.locator(".fingerprint").inner_text()
    bundle = downloaded(page, "Télécharger tout le scrutin", tmp_path / "scrutin.ndjson")
    told = json.loads(downloaded(page, "Résultats pour logiciel", tmp_path / "r.json").read_text())
    context.close()
    audited(bundle, manifest_hash, told["tally"]["counted"] + told["tally"]["superseded"])


def codes_in_files(data: Path, said: str) -> list[str]:
    """Log files that hold one of the codes that the terminal showed."""
    codes = [line.split()[0] for line in said.splitlines() if line.startswith("  ") and "Vère-le-Château)" in line]
    assert len(codes) == 3
    return [path.name for path in (data / "logs").iterdir() if any(code in path.read_text() for code in codes)]


def recount(data: Path, poll: str) -> str:
    bundle = data.parent / "bundle.ndjson"
    environment = {**os.environ, "PARVIS_DATA": str(data)}
    export = [sys.executable, "-m", "services.ballot", "export", poll, "--to", str(bundle)]
    subprocess.run(export, cwd=ROOT, env=environment, check=True, capture_output=True)
    audit = [sys.executable, "-m", "services.ballot.audit", str(bundle), "--unanchored", "--quiet", "--no-resume"]
    done = subprocess.run(audit, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
