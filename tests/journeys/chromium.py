"""Debian's Chromium, as tests, drills and pictures start it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, sync_playwright

MISSING: Final = "no Chromium here: install Debian's package chromium"
_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


_WHOLE: Final = ("chromium", "chromium-browser")
_SHELL: Final = "chromium-headless-shell"
"""The same engine in a program without windows, tabs or icons: half the processor time a page."""


def program(*, whole: bool = False) -> str | None:
    """Its path; None where there is none. `whole`: as people have it, where what is left out of the shell tells."""
    names = _WHOLE if whole else (_SHELL, *_WHOLE)
    return next((path for path in map(shutil.which, names) if path), None)


@contextmanager
def launched(*, whole: bool = False) -> Iterator[Browser]:
    """Closed at the end. Raises AssertionError where there is no Chromium."""
    found = program(whole=whole)
    assert found, MISSING
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        yield browser
        browser.close()
