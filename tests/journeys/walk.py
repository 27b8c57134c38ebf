"""Walks a journey in Chromium under one look, and judges each page that it comes to."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from playwright.sync_api import Browser, Locator, Page, expect

from tests.journeys import keyboard
from tests.journeys.engines import COLOURS, Axe, too_narrow_for
from tests.journeys.happenings import Happening, Noted
from tests.journeys.steps import Choose, Fill, Follow, Go, Happens, Journey, Note, Press, See, Step

_LINK: Final = {"offline": False, "latency": 500, "downloadThroughput": 50_000 / 8, "uploadThroughput": 50_000 / 8}
_CPU: Final = 6
_PATIENCE: Final = 60_000


@dataclass(frozen=True)
class Look:
    """How a person comes: the options of their browser, without a mouse if `by_keyboard`, by a poor link if `slow`."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    by_keyboard: bool = False
    slow: bool = False


LOOKS: Final = (
    Look("plain"),
    Look("no JavaScript", {"java_script_enabled": False}),
    Look("320 px", {"viewport": {"width": 320, "height": 640}}),
    Look("keyboard", by_keyboard=True),
    Look("dark", {"color_scheme": "dark"}),
    Look("forced colours", {"color_scheme": "dark", "forced_colors": "active", "reduced_motion": "reduce"}),
    Look("slow", {"service_workers": "block"}, slow=True),
)
"""A link is slowed down for pages, not for their service worker: what passes through one would come at once."""


@dataclass
class Walked:
    """What a walk found and measured; seconds and first paints in a row, one a page."""

    pages: int = 0
    found: list[str] = field(default_factory=list)
    paints: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    octets: int = 0


class Walk:
    """One person in one fresh browser on one site."""

    def __init__(
        self, page: Page, url: str, look: Look, happens: Mapping[str, Happening], axe: Axe | None = None
    ) -> None:
        self.page, self.look, self.told = page, look, Walked()
        self._url, self._axe, self._happens = url, axe, happens
        self._noted: Noted = {}
        page.set_default_timeout(_PATIENCE if look.slow else 45_000)
        if look.slow:
            self._slow_down()

    def take(self, step: Step) -> None:
        match step:
            case Go(path):
                began = time.perf_counter()
                self.page.goto(path.format(**self._noted))
                self._arrived(time.perf_counter() - began)
            case Fill(label, text):
                self._fill(self._field(label), text.format(**self._noted))
            case Choose(label, of):
                self._choose(label.format(**self._noted), of)
            case Press(name, away):
                self._lead(self.page.get_by_role("button", name=name, exact=True).first, away)
            case Follow(name):
                self._lead(self.page.get_by_role("link", name=name, exact=True).first, away=False)
            case See(text):
                expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible()
            case Note(name, css):
                self._noted[name] = self.page.locator(f".{css}").inner_text().strip()
            case Happens(name):
                self._happens[name](self._noted)

    def _field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True).or_(self.page.get_by_placeholder(label, exact=True))

    def _fill(self, where: Locator, text: str) -> None:
        if not self.look.by_keyboard:
            where.fill(text)
            return
        keyboard.tab_to(self.page, where)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def _choose(self, label: str, of: str) -> None:
        if of and self._field(of).and_(self.page.locator("select")).count():
            if self.look.by_keyboard:
                keyboard.pick(self.page, self._field(of), label)
            else:
                self._field(of).select_option(label=label)
        elif self.look.by_keyboard:
            keyboard.choose(self.page, self._field(label))
        else:
            self._field(label).check()

    def _lead(self, what: Locator, away: bool) -> None:
        """By what is pressed to the next page."""
        if self.look.by_keyboard:
            keyboard.tab_to(self.page, what)
        began = time.perf_counter()
        ours = re.compile(re.escape(self._url))
        before = self.page.evaluate("performance.timeOrigin")
        if self.look.by_keyboard:
            self.page.keyboard.press("Enter")
        else:
            what.click()
        if away:
            self.page.wait_for_url(lambda url: not ours.match(url))
            self.page.wait_for_load_state()
            return
        self._until_another(before)
        self.page.wait_for_url(ours)
        self._arrived(time.perf_counter() - began)

    def _until_another(self, before: float) -> None:
        """Until another document than the one of that time stands, loaded."""
        end = time.monotonic() + _PATIENCE / 1000
        while time.monotonic() < end:
            try:
                now, state = self.page.evaluate("[performance.timeOrigin, document.readyState]")
            except Exception as e:  # the page goes away as it is asked
                if "context" not in str(e) and "navigat" not in str(e):
                    raise
            else:
                if now != before and state == "complete":
                    return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"nothing comes after {self.page.url}")

    def _arrived(self, seconds: float) -> None:
        self.told.pages += 1
        found: list[str] = []
        if self.look.slow:
            self.told.seconds.append(seconds)
            self.told.paints.append(self._painted())
        if self.look.options.get("viewport"):
            found += too_narrow_for(self.page)
        if self.look.by_keyboard:
            found += [*keyboard.round_of(self.page), *keyboard.skips(self.page)]
        if self._axe and self.look.options.get("java_script_enabled", True):  # axe waits by timers, which are off too
            found += self._axe(self.page, COLOURS if "forced" in self.look.name else ())
        self.told.found += [f"{self.look.name}, {self.page.url}: {fault}" for fault in found]

    def _painted(self) -> float:
        """Told a moment after the page is loaded. Asked again and again: the page's policy forbids Playwright's own
        wait, which evaluates a text."""
        for _ in range(250):
            at = self.page.evaluate("performance.getEntriesByType('paint')[0]?.startTime ?? null")
            if at is not None:
                return float(at) / 1e3
            self.page.wait_for_timeout(20)
        raise AssertionError(f"{self.page.url} was not painted")

    def _slow_down(self) -> None:
        control = self.page.context.new_cdp_session(self.page)
        control.send("Network.enable")
        control.send("Network.emulateNetworkConditions", _LINK)
        control.send("Emulation.setCPUThrottlingRate", {"rate": _CPU})
        control.on("Network.loadingFinished", self._count)

    def _count(self, event: Mapping[str, Any]) -> None:
        self.told.octets += int(event["encodedDataLength"])


def walk(
    browser: Browser,
    url: str,
    journey: Journey,
    look: Look,
    happens: Mapping[str, Happening],
    axe: Axe | None = None,
) -> Walked:
    """The whole journey. Raises AssertionError where a person could not go on; faults of pages are in what it gives."""
    context = browser.new_context(**{"locale": "fr-FR", "base_url": url} | dict(look.options))
    try:
        if axe:
            axe.prepare(context)
        walked = Walk(context.new_page(), url, look, happens, axe)
        for number, step in enumerate(journey.steps, 1):
            try:
                walked.take(step)
            except Exception as e:
                raise AssertionError(f"{journey.name}, {look.name}, step {number} {step}: {e}") from e
        return walked.told
    finally:
        context.close()
