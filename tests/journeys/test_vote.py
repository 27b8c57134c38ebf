"""Whole journeys in a browser: without JavaScript, on the narrowest screen, by keyboard alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.gateway.stub_services import DONE, OPEN
from tests.journeys.conftest import Town, opened
from tests.journeys.leading import leads

pytestmark = pytest.mark.browser


def _fits(page: Page) -> bool:
    """Nothing has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def _small_targets(page: Page) -> list[str]:
    """What can be pressed and is under 24 px high, links within a sentence aside (WCAG 2.2, 2.5.8)."""
    return list(
        page.evaluate(
            """[...document.querySelectorAll('button, input:not([type=hidden]), summary, nav a')]
            .filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 24)
            .map(e => e.outerHTML.slice(0, 80))"""
        )
    )


def test_a_vote_reaches_its_receipt_without_javascript_on_a_small_phone(
    browser: Browser, town: Town, tmp_path: Path
) -> None:
    with opened(browser, town, width=320, height=640, java_script_enabled=False) as page:
        page.goto("/")
        leads(page.get_by_role("link", name="La place Hoche aux piétons"))
        leads(page.get_by_role("link", name="Voter", exact=True))
        page.get_by_label("Code de connexion").fill("LILAS-1")
        leads(page.get_by_role("button", name="Se connecter", exact=True))
        page.get_by_label("Oui").check()
        leads(page.get_by_role("button", name="Vérifier mon bulletin"))
        assert page.get_by_role("definition").inner_text() == "Oui"
        assert _fits(page) and _small_targets(page) == []
        leads(page.get_by_role("button", name="Déposer mon bulletin"))
        assert page.get_by_role("heading", level=1).inner_text() == "Votre bulletin est déposé"
        assert _fits(page) and _small_targets(page) == []
        tracker = page.locator(".sheet__key").inner_text()
        with page.expect_download() as download:
            page.get_by_role("button", name="JSON").click()
        kept = tmp_path / "promise.json"
        download.value.save_as(kept)
        assert json.loads(kept.read_text())["leaf_hash"] == "".join(tracker.split())
        leads(page.get_by_role("link", name="Vérifiez que votre bulletin"))
        page.get_by_label("Numéro de suivi").fill(tracker)
        leads(page.get_by_role("button", name="Vérifier"))
        assert page.get_by_text("Votre bulletin est reçu").is_visible()
    assert len(town.world.ballots) == 1


def test_the_same_browser_votes_again_and_another_needs_the_code(browser: Browser, town: Town) -> None:
    with opened(browser, town, java_script_enabled=False) as page:
        _vote(page, "Oui")
        page.goto(f"/scrutins/{OPEN}/voter")
        assert page.get_by_text("Vous avez déjà voté").is_visible()
        _vote(page, "Non", signed_in=True)
        page.goto(f"/scrutins/{OPEN}/voter/code")
        code = page.locator(".sheet__key").inner_text()
    with opened(browser, town, java_script_enabled=False) as page:
        _vote(page, "Vote blanc")
        leads(page.get_by_role("link", name="Saisir mon code de vote"))
        page.get_by_text("Voter à nouveau avec un code de vote").click()
        page.get_by_label("Code de vote", exact=True).fill(code.lower())
        leads(page.get_by_role("button", name="Utiliser ce code"))
        _vote(page, "Vote blanc", signed_in=True)
        assert page.get_by_role("heading", level=1).inner_text() == "Votre bulletin est déposé"
    assert sorted(json.loads(b)["seq"] for b in town.world.ballots.values()) == [0, 1, 2]


def test_a_vote_is_cast_by_keyboard_alone(browser: Browser, town: Town) -> None:
    with opened(browser, town, width=320, height=256, java_script_enabled=False) as page:
        page.goto(f"/scrutins/{OPEN}/voter")
        page.keyboard.press("Tab")
        assert _focused(page) == "Aller au contenu"
        page.keyboard.press("Enter")
        _tab_to(page, "code")
        page.keyboard.type("NOE-2")
        _enter(page)
        _tab_to(page, "reponse-q1")
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
        _tab_to(page, "Vérifier mon bulletin")
        _enter(page)
        assert page.get_by_role("definition").inner_text() == "Non"
        _tab_to(page, "Déposer mon bulletin")
        _enter(page)
        assert page.get_by_role("heading", level=1).inner_text() == "Votre bulletin est déposé"


def test_an_empty_answer_is_announced_and_leads_to_the_question(browser: Browser, town: Town) -> None:
    with opened(browser, town, java_script_enabled=False) as page:
        _sign_in(page)
        page.goto(f"/scrutins/{OPEN}/voter")
        leads(page.get_by_role("button", name="Vérifier mon bulletin"))
        page.get_by_role("alert").get_by_role("link", name="Choisissez une réponse, ou votez blanc.").click()
        assert page.url.endswith("#reponse-q1")


@pytest.mark.parametrize("width, height", [(320, 640), (320, 256), (768, 1024), (1280, 800)])
def test_no_page_scrolls_sideways(browser: Browser, town: Town, width: int, height: int) -> None:
    with opened(browser, town, width=width, height=height, java_script_enabled=False) as page:
        _sign_in(page)
        for path in (
            "/",
            f"/scrutins/{OPEN}",
            f"/scrutins/{DONE}/resultats",
            f"/scrutins/{OPEN}/resultats",
            "/aide",
            f"/scrutins/{OPEN}/voter",
            f"/scrutins/{OPEN}/voter/code",
            f"/scrutins/{OPEN}/suivi",
            "/messages",
        ):
            page.goto(path)
            assert _fits(page), path
            assert _small_targets(page) == [], path


def _sign_in(page: Page, code: str = "LILAS-1") -> None:
    page.goto("/connexion")
    page.get_by_label("Code de connexion").fill(code)
    leads(page.get_by_role("button", name="Se connecter", exact=True))


def _vote(page: Page, answer: str, *, signed_in: bool = False) -> None:
    if not signed_in:
        _sign_in(page)
    page.goto(f"/scrutins/{OPEN}/voter")
    page.get_by_label(answer).check()
    leads(page.get_by_role("button", name="Vérifier mon bulletin"))
    leads(page.get_by_role("button", name="Déposer mon bulletin"))


def _enter(page: Page) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _focused(page: Page) -> str:
    return str(page.evaluate("(e => e.id || e.innerText.trim())(document.activeElement)"))


def _tab_to(page: Page, wanted: str) -> None:
    for _ in range(30):
        page.keyboard.press("Tab")
        if _focused(page) == wanted:
            return
    raise AssertionError(f"{wanted} is never reached by Tab")
