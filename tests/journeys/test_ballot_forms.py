"""Every ballot paper in a real browser: nothing wider than a small phone, and a vote by keyboard alone, without a
script. What axe says of them: test_accessibility.py."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.gateway import ballot_cases as cases
from tests.gateway.stub_services import OPEN
from tests.journeys.conftest import Town, opened
from tests.journeys.leading import leads

pytestmark = pytest.mark.browser
SHAPES = (
    "single_choice",
    "multiple_choice",
    "score",
    "cumulative",
    "majority_judgment",
    "schulze",
    "budget_greedy",
    "survey",
)
PAPER = f"/scrutins/{OPEN}/voter"
SHOTS = os.environ.get("PARVIS_SHOTS")
"""A folder: what each page looked like is kept there."""


def sign_in(page: Page) -> None:
    page.goto("/connexion")
    page.get_by_label("Code de connexion").fill("LILAS-1")
    leads(page.get_by_role("button", name="Se connecter", exact=True))


def keep(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def phone(browser: Browser, served: Town) -> Iterator[Page]:
    """A small one, on which somebody is signed in."""
    served.world.reset()
    with opened(browser, served, width=320, height=640) as page:
        sign_in(page)
        yield page


@pytest.mark.parametrize("method", SHAPES)
@pytest.mark.parametrize("options", [2, 10, 60])
def test_a_ballot_paper_fits_a_small_phone(phone: Page, town: Town, method: str, options: int) -> None:
    town.world.polls[OPEN].questions = [cases.question(method, options)]
    phone.goto(PAPER)
    keep(phone, f"form-{method}-{options}-320")
    assert phone.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert phone.locator(f'form[action="{PAPER}/verifier"]').count() == 1, phone.url


def test_a_ranking_is_voted_by_keyboard_alone_without_a_script(browser: Browser, town: Town) -> None:
    town.world.polls[OPEN].questions = [cases.question("irv", 3)]
    with opened(browser, town, java_script_enabled=False) as page:
        sign_in(page)
        page.goto(PAPER)
        page.locator("select").first.focus()
        for rank in ("2", "1"):
            page.keyboard.press(rank)
            page.keyboard.press("Tab")
        page.locator("button", has_text="Vérifier mon bulletin").focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{PAPER}/verifier")
        lines = page.locator("ol li").all_inner_texts()
        page.locator("button", has_text="Déposer mon bulletin").press("Enter")
        page.wait_for_url(f"**{PAPER}/deposer")
        assert "Votre bulletin" in page.locator("h1").inner_text()
    labels = [option["label"] for option in cases.question("irv", 3)["options"]]
    assert [line for line in lines if labels[0] in line or labels[1] in line] == [
        f"«\N{NO-BREAK SPACE}{labels[1]}\N{NO-BREAK SPACE}»",
        f"«\N{NO-BREAK SPACE}{labels[0]}\N{NO-BREAK SPACE}»",
    ]


def test_a_questionnaire_is_answered_without_a_script(browser: Browser, town: Town) -> None:
    town.world.polls[OPEN].questions = [cases.question("survey")]
    with opened(browser, town, java_script_enabled=False) as page:
        sign_in(page)
        page.goto(PAPER)
        page.get_by_text("En voiture", exact=True).click()
        leads(page.get_by_role("button", name="Vérifier mon bulletin"))
        assert page.locator(".govuk-error-summary").inner_text().count("Où vous garez-vous") == 1
        assert page.locator("input[value='choix:auto']").is_checked()
        page.get_by_label("À la gare").check()
        leads(page.get_by_role("button", name="Vérifier mon bulletin"))
        assert "À la gare" in page.locator(".answers").inner_text()
