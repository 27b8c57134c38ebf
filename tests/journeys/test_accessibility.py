"""axe-core on every page, in light, dark and forced colours; and the weight of a first visit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.gateway.stub_services import CANCELLED, CLOSED, DONE, OPEN, SOON
from tests.journeys.conftest import Town, opened

pytestmark = pytest.mark.browser
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "RGAAv4", "EN-301-549", "EN-301-549v4", "best-practice"]
PUBLIC = [
    "/",
    "/aide",
    "/accessibilite",
    "/connexion",
    "/connexion/fin",
    "/nulle-part",
    *(f"/scrutins/{poll}" for poll in (OPEN, SOON, DONE, CLOSED, CANCELLED)),
    *(f"/scrutins/{poll}/resultats" for poll in (OPEN, SOON, DONE, CLOSED)),
    f"/scrutins/{OPEN}/suivi",
]
LOOKS: list[dict[str, Any]] = [
    {"color_scheme": "light"},
    {"color_scheme": "dark", "width": 320, "height": 640},
    {"color_scheme": "dark", "forced_colors": "active", "reduced_motion": "reduce"},
]
KILOBYTE = 1024


@pytest.fixture(scope="session")
def axe(front_end: Path) -> Callable[[Page], list[str]]:
    """Runs axe in the page and gives what it finds, one line a violation."""
    engine = (front_end / "axe.min.js").read_text("utf-8")
    french = json.dumps(json.loads((front_end / "locales" / "fr.json").read_text("utf-8")))

    def run(page: Page) -> list[str]:
        page.evaluate(engine)
        page.evaluate(f"axe.configure({{locale: {french}}})")
        found = page.evaluate(f"axe.run(document, {{runOnly: {{type: 'tag', values: {json.dumps(TAGS)}}}}})")
        return [
            f"{page.url} {v['id']}: {v['nodes'][0]['html'][:120]} {v['nodes'][0]['failureSummary']}"
            for v in found["violations"]
        ]

    return run


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark", "forced"])
def test_axe_finds_nothing_on_any_public_page(
    browser: Browser, town: Town, axe: Callable[[Page], list[str]], look: dict[str, Any]
) -> None:
    with opened(browser, town, **look) as page:
        found = [fault for path in PUBLIC for fault in (page.goto(path), axe(page))[1]]
    assert found == []


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark", "forced"])
def test_axe_finds_nothing_along_a_vote(
    browser: Browser, town: Town, axe: Callable[[Page], list[str]], look: dict[str, Any]
) -> None:
    with opened(browser, town, **look) as page:
        found = [fault for step in _a_vote(page) for fault in [f"{step}: {f}" for f in axe(page)]]
    assert found == []


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark", "forced"])
def test_axe_finds_nothing_on_the_officers_pages(
    browser: Browser, town: Town, axe: Callable[[Page], list[str]], look: dict[str, Any]
) -> None:
    with opened(browser, town, **look) as page:
        _sign_in(page, "AUDE-3")
        found = []
        for path in ("/agent/scrutins", *(f"/agent/scrutins/{p}" for p in (SOON, CLOSED, OPEN))):
            page.goto(path)
            found += axe(page)
        page.goto(f"/agent/scrutins/{OPEN}/annulation")
        _follow(page, "button", "Continuer")
        found += axe(page)
        page.get_by_label("Motif").fill("La liste publiée est erronée.")
        _follow(page, "button", "Continuer")
        found += axe(page)
    assert found == []


def test_a_bad_page_does_not_pass(browser: Browser, town: Town, axe: Callable[[Page], list[str]]) -> None:
    with opened(browser, town) as page:
        page.goto("/aide")
        page.evaluate("document.body.innerHTML = '<img src=x><input><a href=#></a><p id=a></p><h4>x</h4>'")
        assert len(axe(page)) >= 3


@pytest.mark.parametrize("path", ["/", f"/scrutins/{OPEN}", f"/scrutins/{DONE}/resultats", "/connexion"])
def test_a_first_visit_is_light_and_the_next_one_lighter(browser: Browser, town: Town, path: str) -> None:
    with opened(browser, town, color_scheme="light") as page:
        first, requests, hosts = _weight(page, path)
        later, _, _ = _weight(page, "/aide")
    print(f"{path}: first visit {first} bytes in {requests} requests, then {later} bytes")
    assert first <= 50 * KILOBYTE and requests <= 6
    assert later <= 10 * KILOBYTE
    assert hosts == {town.url}


def _weight(page: Page, path: str) -> tuple[int, int, set[str]]:
    """Bytes on the wire, headers included; requests; who was asked."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    asked: list[str] = []
    session.on("Network.loadingFinished", lambda e: sizes.append(e["encodedDataLength"]))
    session.on("Network.requestWillBeSent", lambda e: asked.append(e["request"]["url"]))
    page.goto(path, wait_until="networkidle")
    session.detach()
    remote = [url for url in asked if not url.startswith("data:")]
    return int(sum(sizes)), len(remote), {"/".join(url.split("/")[:3]) for url in remote}


def _sign_in(page: Page, code: str) -> None:
    page.goto("/connexion")
    page.get_by_label("Code de connexion").fill(code)
    _follow(page, "button", "Se connecter")


def _follow(page: Page, role: Literal["button", "link"], name: str) -> None:
    """Presses it and waits for the page that comes: axe must not look at one that is going away."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).click()


def _a_vote(page: Page) -> Iterator[str]:
    page.goto(f"/scrutins/{OPEN}/voter")
    yield "sign in"
    page.get_by_label("Code de connexion").fill("faux")
    _follow(page, "button", "Se connecter")
    yield "wrong code"
    _sign_in(page, "LILAS-1")
    page.goto(f"/scrutins/{OPEN}/voter")
    yield "choose"
    page.get_by_text("Voter à nouveau avec un code").click()
    _follow(page, "button", "Utiliser ce code")
    yield "wrong code de vote"
    page.goto(f"/scrutins/{OPEN}/voter")
    _follow(page, "button", "Vérifier mon bulletin")
    yield "no answer"
    page.get_by_label("Oui").check()
    yield "chosen"
    _follow(page, "button", "Vérifier mon bulletin")
    yield "check"
    _follow(page, "button", "Déposer mon bulletin")
    yield "receipt"
    _follow(page, "link", "Vérifiez que votre bulletin")
    page.get_by_label("Numéro de suivi").fill("ab" * 32)
    _follow(page, "button", "Vérifier")
    yield "unknown tracker"
    for path in ("/messages", f"/scrutins/{OPEN}/voter/code", f"/scrutins/{OPEN}/voter"):
        page.goto(path)
        yield path
