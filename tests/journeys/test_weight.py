"""What a page weighs on the wire: each public page as the first that a browser sees, and as a later one."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from tests.gateway import results_cases
from tests.gateway.stub_services import OPEN
from tests.journeys.conftest import WORKER_READY, Town, opened
from tests.journeys.route_map import VISITS, Visit, counted

pytestmark = pytest.mark.browser
LONG = [Visit(f"results {case.name}", (counted(case), case.path)) for case in results_cases.CASES if case.size == 60]
PUBLIC = [*(visit for visit in VISITS if visit.public and visit.status == 200), *LONG]
KILOBYTE = 1024
FIRST, LATER, REQUESTS = 50 * KILOBYTE, 10 * KILOBYTE, 6
LATE = 10.0
"""Seconds that a part of a page may take on a busy machine."""
ASKED_BY_WORKER = "performance.getEntriesByType('resource').map(asked => [asked.name, asked.transferSize])"


@dataclass
class Load:
    """Bytes on the wire, headers included; what was asked for, and of whom."""

    bytes: int
    asked: list[str]

    @property
    def parts(self) -> set[str]:
        """What it asks for beside itself."""
        return {url for url in self.asked if "/assets/" in url}

    @property
    def hosts(self) -> set[str]:
        return {"/".join(url.split("/")[:3]) for url in self.asked}


class Scales:
    """Weighs what a window loads, page by page: a browser asks for the icon after the page has loaded, at times when
    the next one is on its way. Pages that pass through a service worker weigh nothing here: it has to be kept out.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Network.enable")
        self._sizes: dict[str, float] = {}
        self._asked: list[dict[str, Any]] = []
        self._session.on("Network.requestWillBeSent", self._is_asked)
        self._session.on("Network.loadingFinished", self._has_come)
        self._session.on("Network.loadingFailed", self._has_come)

    def _is_asked(self, event: dict[str, Any]) -> None:
        self._asked.append(event)

    def _has_come(self, event: dict[str, Any]) -> None:
        self._sizes[event["requestId"]] = event.get("encodedDataLength", 0)

    def first(self, path: str) -> Load:
        """As a browser that has never been here."""
        self._session.send("Network.clearBrowserCache")
        return self.load(path)

    def load(self, path: str) -> Load:
        self._sizes.clear()
        self._asked.clear()
        self._page.goto(path, wait_until="load")
        self._page.evaluate("document.fonts.ready.then(() => 0)")
        asked = self._until_the_icon()
        urls = [event["request"]["url"] for event in asked]
        return Load(int(sum(self._sizes[event["requestId"]] for event in asked)), urls)

    def _until_the_icon(self) -> list[dict[str, Any]]:
        """What this page asked for, once all of it has come."""
        end = time.monotonic() + LATE
        while True:
            self._session.send("Network.getCookies")  # answered after the events before it
            page = next(event["loaderId"] for event in reversed(self._asked) if event.get("type") == "Document")
            asked = [e for e in self._asked if e["loaderId"] == page and not e["request"]["url"].startswith("data:")]
            come = self._sizes.keys() >= {event["requestId"] for event in asked}
            if come and "Other" in {event.get("type") for event in asked}:
                return asked
            assert time.monotonic() < end, f"no icon, or a part that never came: {asked}"
            time.sleep(0.005)


def too_much(name: str, load: Load, most: int, site: str) -> list[str]:
    found = [f"{name}: {load.bytes} bytes, {most} at most"] if load.bytes > most else []
    many = len(load.asked) > REQUESTS
    found += [f"{name}: {len(load.asked)} requests, {REQUESTS} at most: {' '.join(load.asked)}"] if many else []
    return found + [f"{name}: asks {host}" for host in sorted(load.hosts - {site})]


def _on_the_wire(url: str) -> int:
    """Bytes of an answer, as a browser gets it."""
    site, path = url.removeprefix("http://").split("/", 1)
    with closing(http.client.HTTPConnection(site, timeout=LATE)) as line:
        line.request("GET", f"/{path}", headers={"Accept-Encoding": "gzip"})
        answer = line.getresponse()
        assert answer.status == 200 and answer.headers["Content-Encoding"] == "gzip"
        return len(answer.headers.as_bytes()) + len(answer.read())


@contextmanager
def _window(browser: Browser, town: Town) -> Iterator[Scales]:
    """Without a service worker."""
    with opened(browser, town, color_scheme="light", service_workers="block") as page:
        yield Scales(page)


def _prepared(town: Town, visits: Iterable[Visit]) -> Iterator[tuple[Visit, str]]:
    """Each with its address, and with the world that it needs."""
    for visit in visits:
        town.world.reset()
        for step in visit.steps[:-1]:
            assert callable(step)
            step(town.world)
        assert isinstance(visit.steps[-1], str)
        yield visit, visit.steps[-1]


def test_any_public_page_is_light_at_a_first_visit_and_lighter_later(whole_browser: Browser, town: Town) -> None:
    """Pages that ask for the same parts differ by themselves alone: the heaviest of them is the heaviest as a first."""
    later, first, heaviest = {}, {}, dict[frozenset[str], Visit]()
    with _window(whole_browser, town) as scales:
        scales.load("/connexion/fin")
        for visit, path in _prepared(town, PUBLIC):
            load = later[visit.name] = scales.load(path)
            other = heaviest.setdefault(frozenset(load.parts), visit)
            if load.bytes > later[other.name].bytes:
                heaviest[frozenset(load.parts)] = visit
        for visit, path in _prepared(town, heaviest.values()):
            first[visit.name] = scales.first(path)
            assert first[visit.name].parts == later[visit.name].parts
    for when, loads in (("first", first), ("later", later)):
        name = max(loads, key=lambda name: loads[name].bytes)
        print(f"{len(loads)} {when} visits; {name}: {loads[name].bytes} bytes, {len(loads[name].asked)} requests")
    faults = [fault for name, load in first.items() for fault in too_much(name, load, FIRST, town.url)]
    faults += [fault for name, load in later.items() for fault in too_much(name, load, LATER, town.url)]
    assert faults == []
    assert min(load.bytes for load in first.values()) > LATER, "a first visit without style sheet and font is none"
    assert min(load.bytes for load in later.values()) > KILOBYTE, "the pages themselves are not weighed"


def test_what_is_kept_for_the_moments_without_a_network_is_part_of_a_first_visit(
    whole_browser: Browser, town: Town
) -> None:
    with opened(whole_browser, town, color_scheme="light") as page:
        load = Scales(page).first(f"/scrutins/{OPEN}")
        page.evaluate(WORKER_READY)
        [worker] = page.context.service_workers
        asked = worker.evaluate(ASKED_BY_WORKER)
    names = [worker.url, *(name for name, size in asked if size)]
    whole = Load(int(load.bytes + _on_the_wire(worker.url) + sum(size for _, size in asked)), [*load.asked, *names])
    print(f"with the worker: {whole.bytes} bytes in {len(whole.asked)} requests")
    assert asked, "what the worker asks for is not seen"
    assert too_much("poll open", whole, FIRST, town.url) == []


def test_a_heavy_page_with_many_parts_is_seen(whole_browser: Browser, town: Town) -> None:
    parts = "".join(f'<img src="/assets/{n}.png">' for n in range(REQUESTS))
    with opened(whole_browser, town) as page:
        page.route("**/lourd", lambda route: route.fulfill(body="x" * 60 * KILOBYTE + parts, content_type="text/html"))
        load = Scales(page).load("/lourd")
    assert load.bytes > FIRST
    heavy = Load(load.bytes, [*load.asked, "https://ailleurs.example/x.js"])
    said = " ".join(too_much("lourd", heavy, FIRST, town.url))
    assert "bytes" in said and "requests" in said and "asks https://ailleurs.example" in said
