"""The corpus of xss.py through every field of every form, and through every word of the services that a page prints.

Pages are shown without their policy: escaping alone must hold. That the policy would hold too is looked at apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route

from services.gateway.pages.security import HEADERS
from tests.gateway import xss
from tests.gateway.processes import visitor
from tests.gateway.stub_services import OPEN, PEOPLE, World
from tests.journeys.attacks import FRAMES, LONG, SHORT, Forms, Rotation, attacked, faults, keep, seen
from tests.journeys.conftest import Town, opened
from tests.journeys.route_map import OFFICER, PAGES, Visit, Walker
from tests.journeys.snapshots import Snapshots, serving
from tests.journeys.walked import Walked

pytestmark = pytest.mark.browser
ASKED = (
    *(("/connexion", "suite"), ("/messages", "q"), ("/", "page"), ("/connexion/fin", "state")),
    *(("/connexion/franceconnect/retour", name) for name in ("error_description", "state")),
)


class Poison:
    """What the services say, each word of it a pack of the corpus; another at every look."""

    def __init__(self, turn: int) -> None:
        made = xss.packs(LONG)
        self._next = cycle(made[turn % len(made) :] + made[: turn % len(made)])

    def __call__(self, world: World) -> None:
        for poll in world.polls.values():
            poll.title, poll.description, poll.station = next(self._next), next(self._next), next(self._next)
            poll.reason = next(self._next) if poll.reason else None
            poll.questions = [self._words(question) for question in poll.manifest["questions"]]
        world.letters = [{**letter, "subject": next(self._next), "body": next(self._next)} for letter in world.letters]
        name = next(self._next)
        world.rewrite["identity"] = lambda said: said | {"name": name} if "name" in said else said

    def _words(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._words(one) for one in value]
        if not isinstance(value, dict):
            return value
        words = ("text", "label", "least_label", "most_label")
        return {k: next(self._next) if k in words and v else self._words(v) for k, v in value.items()}


@pytest.fixture(scope="module")
def pages(built: Path) -> Iterator[Snapshots]:
    with serving(built) as snapshots:
        yield snapshots


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="fr-FR")
    yield context.new_page()
    context.close()


def test_nothing_that_is_typed_becomes_part_of_a_page(
    window: Page, pages: Snapshots, town: Town, walked: list[Walked]
) -> None:
    """Each field of each form with the strings whose turn it is; `make drill-xss` sends each all of them."""
    rotation, kept, kinds = Rotation(), dict[str, str](), set[object]()
    for form, name, html in attacked(Walker(town.url, town.world), bringing_a_form(walked, town), rotation):
        kinds.add(form.kind)
        keep(kept, name, html)
    print(f"{len(kinds)} forms, {len(kept)} different pages")
    assert len(kinds) >= 90 and len(kept) >= 100
    assert rotation.left == set(), "strings that no field had"
    assert faults(window, pages, kept) == []


def test_nothing_of_an_address_becomes_part_of_a_page(window: Page, pages: Snapshots, town: Town) -> None:
    kept = dict[str, str]()
    with visitor(town.url) as client:
        for text in xss.packs(900):  # a line of a request holds 4 KB
            for path, name in (*ASKED, (f"/scrutins/{OPEN}", "q")):
                keep(kept, path, client.get(path, params={name: text}).text)
            keep(kept, "not found", client.get(f"/nulle-part/{quote(text, safe='')}").text)
        _sign_in(client, OFFICER)
        for text in xss.packs(900):
            keep(kept, "desk", client.get(f"/agent/scrutins/{OPEN}", params={"fait": text}).text)
    assert len(kept) > 20, "the sign-in form keeps the address that it goes back to"
    assert faults(window, pages, kept) == []


@pytest.mark.parametrize("step", ["reponse-q1", "rang"])
def test_nothing_of_a_ballot_that_waits_becomes_part_of_a_page(
    window: Page, pages: Snapshots, town: Town, step: str
) -> None:
    """The urn does not answer: the page keeps fields by their names, which came with the form too."""
    kept, walker = dict[str, str](), Walker(town.url, town.world)
    waiting = next(v for v in PAGES if v.name == "check, ballot down")
    with visitor(town.url) as client:
        answer = walker.walk_in(client, waiting)
        [form] = [f for f in Forms(answer.response.text).found if "verifier" in f.action]
        strings = [text for text in xss.CORPUS if len(text) < SHORT]
        for start in range(0, len(strings), 100):
            fields = {step + text: text for text in strings[start : start + 100]}
            keep(kept, "retry", client.post(form.action, data=form.hidden | fields).text)
    assert all("reponse" in text for text in kept) and kept
    assert faults(window, pages, kept) == []


def test_nothing_that_a_service_says_becomes_part_of_a_page(window: Page, pages: Snapshots, town: Town) -> None:
    kept = dict[str, str]()
    for turn in range(len(xss.packs(LONG)) // 2):
        for visit in _poisonable():
            answer = Walker(town.url, town.world, Poison(turn * 2)).walk(visit)
            keep(kept, f"{visit.name}, turn {turn}", answer.response.text)
    everything = "".join(kept)
    assert everything.count("&lt;xss-probe") > 1000, "what the services say is not printed"
    assert faults(window, pages, kept) == []


def _sign_in(client: httpx.Client, code: str) -> None:
    [form] = [form for form in Forms(client.get("/connexion").text).found if form.action == "/connexion"]
    assert client.post("/connexion", data=form.hidden | {"code": code}).status_code == 303


def bringing_a_form(walked: list[Walked], town: Town) -> Iterator[Visit]:
    """Visits that end on a form which none before has; what was sent through those before is no draft any more."""
    known: set[tuple[object, ...]] = set()
    for one in walked:
        kinds = (
            {form.kind for form in Forms(one.text).found} if one.visit in PAGES and one.visit.status < 500 else set()
        )
        if kinds - known:
            town.forget_drafts()
            yield one.visit
        known |= kinds


def _poisonable() -> list[Visit]:
    """One visit of each template, and of each shape of an answer."""
    shapes = ("single_choice", "score", "majority_judgment", "schulze", "budget_greedy", "survey")
    every = [f"paper {method}" for method in shapes] + [f"results {method}-10" for method in shapes]
    names = {
        *every,
        *("home", "poll open", "poll cancelled", "results open", "results done", "results cancelled", "messages"),
        *("check", "check ranks", "receipt", "tracker", "tracker unknown", "code", "desk", "desk open", "desk soon"),
        *("cancel", "cancel check", "paper typed ranks wrong", "paper survey wrong", "paper cumulative wrong"),
    }
    found = [visit for visit in PAGES if visit.name in names]
    assert len(found) == len(names), names - {visit.name for visit in found}
    return found


def test_the_corpus_is_large_and_every_string_of_it_is_seen_in_a_careless_page(window: Page, pages: Snapshots) -> None:
    assert len(set(xss.CORPUS)) == len(xss.CORPUS) >= 200 and len(PEOPLE) > 0
    found = seen(window, pages, [xss.careless(place, text) for place, text in xss.IN_PLACES])
    missed = [pair for pair, lines in zip(xss.IN_PLACES, found, strict=True) if not lines]
    assert missed == []
    assert sum("scripts ran" in line for lines in found for line in lines) == -(-len(found) // FRAMES)


def test_the_policy_of_every_page_lets_no_script_of_a_careless_one_run(browser: Browser, town: Town) -> None:
    policy = {"Content-Security-Policy": HEADERS["Content-Security-Policy"]}
    assert httpx.get(town.url).headers["Content-Security-Policy"] == policy["Content-Security-Policy"]
    for headers in ({}, policy):
        with opened(browser, town) as page:
            body = xss.careless("text", "".join(xss.ELEMENTS))
            page.on("dialog", lambda dialog: dialog.dismiss())
            page.route("**/negligente", Careless(body, headers))
            page.goto("/negligente", wait_until="commit")
            page.wait_for_selector("b[data-xss]", state="attached")
            assert bool(page.evaluate("window.__xss | 0")) is not bool(headers)


@dataclass
class Careless:
    body: str
    headers: dict[str, str]

    def __call__(self, route: Route) -> None:
        route.fulfill(body=self.body, headers={"Content-Type": "text/html", **self.headers})
