"""What is pressed and leads to another page: Playwright's click alone returns while the old page may still stand."""

from __future__ import annotations

from playwright.sync_api import Locator


def leads(what: Locator) -> None:
    """Presses it, and waits until the next page has loaded."""
    with what.page.expect_navigation():
        what.click()
