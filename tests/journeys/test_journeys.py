"""Each journey without JavaScript and in one look more; `make drill-journeys` has all looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.journeys import keyboard
from tests.journeys.conftest import Town
from tests.journeys.engines import NARROW, too_narrow_for
from tests.journeys.happenings import happenings
from tests.journeys.places import provided
from tests.journeys.snapshots import serving
from tests.journeys.steps import JOURNEYS, MAIN, Journey
from tests.journeys.walk import LOOKS, Look, walk

pytestmark = pytest.mark.browser
BY_NAME = {look.name: look for look in LOOKS}
BARE, BY_KEYBOARD = BY_NAME["no JavaScript"], BY_NAME["keyboard"]
OTHERS = [BY_NAME[name] for name in ("320 px", "plain", "keyboard", "dark", "320 px", "forced colours")]
BAD = Path(__file__).parent / "bad"


@pytest.fixture(scope="module")
def with_provider(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Town]:
    with provided(tmp_path_factory.mktemp("provided")) as (running, world):
        yield Town(running.url, world)


@pytest.fixture
def places(town: Town, with_provider: Town) -> dict[str, Town]:
    with_provider.world.reset()
    return {"town": town, "provided": with_provider}


@pytest.mark.parametrize(
    ("journey", "look"),
    [*((journey, BARE) for journey in JOURNEYS), *zip(JOURNEYS, OTHERS, strict=True)],
    ids=lambda one: one.name,
)
def test_a_journey_reaches_its_end(browser: Browser, places: dict[str, Town], journey: Journey, look: Look) -> None:
    at = places[journey.place]
    told = walk(browser, at.url, journey, look, happenings(at.world))
    assert told.found == [], "\n".join(told.found)
    assert told.pages >= 8


def test_a_vote_by_keyboard_alone_meets_no_trap_and_always_shows_where_it_is(browser: Browser, town: Town) -> None:
    told = walk(browser, town.url, MAIN, BY_KEYBOARD, happenings(town.world))
    assert told.found == [], "\n".join(told.found)
    assert len(town.world.ballots) == 1


REASONS = {
    "good": [],
    "trap": ["a trap: Tab does not leave"],
    "no-outline": ["focus shows nothing"],
    "mouse-only": ["never reached by Tab"],
    "covered": ["focused under something else"],
    "no-way-in": ["the skip link leads to"],
    "wide": ["scrolls sideways by"],
    "small": ["too small to press"],
}


@pytest.mark.parametrize("name", REASONS)
def test_a_page_that_is_bad_in_one_thing_fails_for_that_alone(browser: Browser, built: Path, name: str) -> None:
    with serving(built) as pages:
        page = browser.new_page(viewport=NARROW)
        page.goto(pages.add((BAD / f"{name}.html").read_text("utf-8")))
        found = [*too_narrow_for(page), *keyboard.round_of(page)]
        found += keyboard.skips(page) if name != "trap" else []
        page.close()
    assert sorted({fault for fault in REASONS[name] if any(f.startswith(fault) for f in found)}) == REASONS[name], found
    assert [f for f in found if not f.startswith(tuple(REASONS[name]) or ("-",))] == []
