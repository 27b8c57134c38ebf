"""A poll from the first page of its making to the audit of its result: two officers, three residents in their own
browsers, without JavaScript, on the real services. A smoke run is a whole one: its hours are told in whole minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page

from deploy.processes import ROOT
from services.gateway.assets import build
from services.gateway.pages.words import PARIS
from tests.journeys import chromium
from tests.journeys.leading import leads
from tests.journeys.platform import Platform, audited, downloaded, running, sign_in, vote

_PEOPLE = 60
_TITLE = "La couleur des bancs de la place"
_GRADES = ("Bien", "Très bien", "Passable")


@dataclass
class Town:
    platform: Platform
    residents: list[str]
    officers: list[str]


def main(smoke: bool, seed: int) -> dict[str, object]:
    build.build(with_tests=True)
    with tempfile.TemporaryDirectory(prefix="parvis-office-") as folder, _town(Path(folder)) as town:
        with chromium.launched() as browser:
            return _run(town, lambda code: _someone(browser, town, code), Path(folder))


@contextmanager
def _town(folder: Path) -> Iterator[Town]:
    """Sixty residents and the officers, by identity's own command; no poll."""
    with running(folder, "--no-demo") as started:
        started.until(lambda: "Parvis est prêt" in started.output.read_text())
        words = [sys.executable, "-m", "services.identity", "demo", "--people", str(_PEOPLE)]
        environment = os.environ | {"PARVIS_DATA": str(started.data)}
        told = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
        people = json.loads(told.strip().splitlines()[-1])
        codes = {kind: [one["code"] for one in people[kind]] for kind in ("residents", "officers")}
        yield Town(started, codes["residents"], codes["officers"])


def _someone(browser: Browser, town: Town, code: str) -> Page:
    """A person's own browser, signed in by this code."""
    context = browser.new_context(locale="fr-FR", base_url=town.platform.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/connexion")
    sign_in(page, code)
    return page


def _go_on(page: Page) -> None:
    leads(page.get_by_role("button", name="Continuer"))


def _make(page: Page, opens: datetime, closes: datetime) -> str:
    """From the officers' list to the draft; the poll's id."""
    page.goto("/agent/scrutins")
    leads(page.get_by_role("link", name="Préparer un scrutin"))
    page.get_by_label("Titre").fill(_TITLE)
    page.get_by_label("Description").fill("Les bancs sont repeints au printemps.\nLa couleur durera dix ans.")
    _go_on(page)
    page.get_by_label("Question", exact=True).fill("Quelle couleur ?")
    page.get_by_label("Jugement majoritaire").check()
    _go_on(page)
    page.get_by_label("Réponses possibles").fill("Vert\nBleu nuit\nGris")
    page.get_by_label("Ajouter une autre question").check()
    _go_on(page)
    page.get_by_label("Question", exact=True).fill("Faut-il aussi repeindre les lampadaires ?")
    page.get_by_label("Oui ou non").check()
    _go_on(page)
    _go_on(page)
    for name, at in (("d’ouverture", opens), ("de clôture", closes)):
        page.get_by_label(f"Jour {name}").fill(f"{at:%d/%m/%Y}")
        page.get_by_label(f"Heure {name}").fill(f"{at:%H:%M}")
    _go_on(page)
    page.get_by_role("checkbox").first.check()
    _go_on(page)
    assert page.get_by_role("heading", level=1).inner_text() == "Vérifiez vos réponses"
    leads(page.get_by_role("button", name="Préparer ce scrutin"))
    leads(page.get_by_role("link", name="Continuer avec ce scrutin"))
    return page.url.rpartition("/")[2]


def _mark(page: Page, poll: str, grade: str) -> None:
    page.goto(f"/scrutins/{poll}/voter")
    for fieldset in page.locator("fieldset fieldset").all():
        fieldset.get_by_label(grade, exact=True).check()
    vote(page, "Oui")


def _run(town: Town, someone: Callable[[str], Page], folder: Path) -> dict[str, object]:
    began = time.monotonic()
    opens = (datetime.now(PARIS) + timedelta(seconds=125)).replace(second=0, microsecond=0)
    first, second = (someone(code) for code in town.officers[:2])
    poll = _make(first, opens, opens + timedelta(minutes=2))
    desk = f"/agent/scrutins/{poll}"
    manifest_hash = _publish(first, second, desk)
    residents = [someone(code) for code in town.residents[: len(_GRADES)]]
    made = time.monotonic() - began
    assert datetime.now(PARIS) < opens, "the machine was too slow to make the poll before it opens"
    _until_told(town, first, desk, "Ouvert")
    assert datetime.now(PARIS) >= opens
    for resident, grade in zip(residents, _GRADES, strict=True):
        _mark(resident, poll, grade)
    _until_told(town, first, desk, "Clos, comptage à confirmer")
    for officer in (first, second):
        officer.goto(desk)
        leads(officer.get_by_role("button", name="Confirmer le comptage"))
    _until_told(town, first, desk, "Résultats publiés")
    first.goto(f"{desk}/chiffres")
    assert first.get_by_text(f"{len(_GRADES)}\u00a0votants sur {_PEOPLE}\u00a0inscrits").is_visible()
    anyone = residents[0]
    anyone.goto(f"/scrutins/{poll}/resultats")
    assert anyone.locator(".fingerprint").inner_text() == manifest_hash
    bundle = downloaded(anyone, "Télécharger tout le scrutin", folder / "scrutin.ndjson")
    audited(bundle, manifest_hash, len(residents))
    return {
        "seconds to make and publish the poll by its pages": round(made, 1),
        "ballots cast by pages, each found by the audit of the result's file": len(residents),
    }


def _publish(first: Page, second: Page, desk: str) -> str:
    """Its preview seen, its opening confirmed by two; the hash for the press."""
    leads(first.get_by_role("link", name="Aperçu du bulletin de vote"))
    assert first.get_by_text("Aucun vote n’est possible ici").is_visible()
    first.goto(desk)
    leads(first.get_by_role("button", name="Publier ce scrutin"))
    leads(first.get_by_role("button", name="Publier ce scrutin"))
    assert first.get_by_text("Faites paraître l’empreinte").is_visible()
    manifest_hash = first.locator(".fingerprint").first.inner_text()
    for officer in (first, second):
        officer.goto(desk)
        leads(officer.get_by_role("button", name="Confirmer l’ouverture"))
    return manifest_hash


def _until_told(town: Town, page: Page, path: str, tag: str) -> None:
    def told() -> bool:
        page.goto(path)
        return page.locator(".govuk-tag").first.inner_text().casefold() == tag.casefold()

    town.platform.until(told, 200, every=2)
