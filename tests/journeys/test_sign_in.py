"""Signing in by a code, in a browser: without JavaScript, on the narrowest screen, by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.conftest import Town, opened

pytestmark = pytest.mark.browser


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def _focus(page: Page, wanted: str) -> None:
    """Tabs on until the element of that id or name has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()") == wanted:
            return
    raise AssertionError(f"{wanted} cannot be reached by the keyboard")


def test_a_code_is_asked_for_and_typed_without_javascript_on_a_small_phone(browser: Browser, town: Town) -> None:
    with opened(browser, town, width=320, height=640, java_script_enabled=False) as page:
        page.goto("/messages")
        page.get_by_role("link", name="Recevoir un code").click()
        page.get_by_role("heading", level=1, name="Recevoir un code de connexion").wait_for()
        assert _fits(page)
        page.get_by_label("Adresse électronique ou numéro de mobile").fill("06 39 98 00 00")
        page.get_by_role("button", name="Recevoir un code").click()
        page.get_by_role("heading", level=1, name="Saisir le code reçu").wait_for()
        assert _fits(page)
        page.get_by_label("Code à huit chiffres").fill("00000000")
        page.get_by_role("button", name="Se connecter", exact=True).click()
        page.get_by_role("heading", name="La connexion n’a pas abouti").wait_for()
        assert _fits(page)
        page.get_by_label("Code à huit chiffres").fill(town.world.code())
        page.get_by_role("button", name="Se connecter", exact=True).click()
        page.get_by_role("heading", level=1, name="Messages").wait_for()  # back to where one wanted to go
        assert page.locator(".top__person").inner_text().startswith("Lilas Moreau,")


def test_a_code_is_asked_for_and_typed_by_keyboard_alone(browser: Browser, town: Town) -> None:
    with opened(browser, town) as page:
        page.goto("/connexion")
        _focus(page, "Recevoir un code")
        page.keyboard.press("Enter")
        page.wait_for_url("**/connexion/code*")
        _focus(page, "contact")
        page.keyboard.type("subject-noe@exemple.fr")
        page.keyboard.press("Enter")
        page.wait_for_url("**/connexion/code/saisie")
        _focus(page, "code")
        page.keyboard.type(town.world.code())
        page.keyboard.press("Enter")
        page.wait_for_selector(".top__person")
        assert page.locator(".top__person").inner_text().startswith("Noé Le Goff,")


def test_an_agent_gives_a_code_that_the_person_types_on_the_publics_computer(browser: Browser, town: Town) -> None:
    with opened(browser, town, java_script_enabled=False) as desk:
        desk.goto("/connexion")
        desk.get_by_label("Code de connexion").fill("INES-7")
        desk.get_by_role("button", name="Se connecter", exact=True).click()
        desk.goto("/agent")
        desk.get_by_role("link", name="Connecter une personne présente").click()
        desk.get_by_label("Nom de famille").fill("moreau")
        desk.get_by_label("Prénom").fill("lilas")
        desk.get_by_label("Date de naissance").fill("12/03/1980")
        desk.get_by_role("button", name="Obtenir le code").click()
        desk.get_by_role("link", name="Choisissez la pièce présentée").wait_for()
        assert desk.get_by_label("Nom de famille").input_value() == "moreau"
        desk.get_by_label("Passeport").check()
        desk.get_by_role("button", name="Obtenir le code").click()
        code = desk.locator(".sheet__key").inner_text()
    with opened(browser, town, width=320, height=640, java_script_enabled=False) as public:
        public.goto("/connexion")
        public.get_by_role("link", name="Code reçu par courrier ou au guichet").click()
        public.get_by_label("Code à usage unique").fill(code.lower())
        public.get_by_role("button", name="Se connecter", exact=True).click()
        assert public.locator(".top__person").inner_text().startswith("Lilas Moreau,")
        (cookie,) = [c for c in public.context.cookies() if c["name"] == "session"]
        assert cookie["expires"] == -1, "it ends with the browser"
