"""Every page of the map under axe-core and html-validate: in light, dark and forced colours, and on a narrow screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.engines import (
    COLOURS,
    SPACE,
    Axe,
    bringing_every_part,
    html_validate,
    looked_at,
)
from tests.journeys.route_map import PAGES
from tests.journeys.snapshots import Snapshots, serving
from tests.journeys.walked import Walked

pytestmark = pytest.mark.browser
BAD = Path(__file__).parent / "bad" / "page.html"


@pytest.fixture(scope="module")
def texts(walked: list[Walked]) -> dict[str, str]:
    """The HTML of every page, by the name of its visit."""
    return {one.visit.name: one.text for one in walked if one.visit in PAGES}


@pytest.fixture(scope="module")
def pages(built: Path) -> Iterator[Snapshots]:
    with serving(built) as snapshots:
        yield snapshots


@pytest.fixture(scope="module")
def window(browser: Browser, axe: Axe) -> Iterator[Page]:
    context = browser.new_context(locale="fr-FR")
    axe.prepare(context)
    yield context.new_page()
    context.close()


def test_axe_finds_nothing_in_any_look(window: Page, pages: Snapshots, texts: dict[str, str], axe: Axe) -> None:
    """On pages that together have every part of all; `make drill-pages` looks at all of them, by all rules."""
    chosen, narrow = bringing_every_part(texts), [*COLOURS, *SPACE]
    found = [
        f"{name}: {fault}" for name in chosen for fault in looked_at(window, pages.add(texts[name]), axe, narrow=narrow)
    ]
    assert found == [], "\n".join(found)
    assert len(chosen) > 50


def test_every_part_of_all_pages_is_looked_at_on_few() -> None:
    known = "<main><h1 class='a'>x</h1><p>y</p></main>"
    others = {"text": known.replace("y", "z"), "class": known.replace("'a'", "'b'"), "tag": known.replace("p>", "q>")}
    others |= {"attribute": known.replace("<p", "<p hidden"), "order": known.replace("<p>y</p>", "<p>y</p><h1>z</h1>")}
    assert bringing_every_part({"known": known, **others}) == ["order", "class", "tag", "attribute"]


def test_html_validate_finds_nothing(texts: dict[str, str], tmp_path: Path) -> None:
    found = html_validate(texts, tmp_path)
    assert found == [], "\n".join(found)


def test_a_bad_page_passes_neither_engine(window: Page, pages: Snapshots, axe: Axe, tmp_path: Path) -> None:
    bad = BAD.read_text("utf-8")
    said = "\n".join(looked_at(window, pages.add(bad), axe))
    for rule in ("color-contrast", "image-alt", "label", "html-has-lang", "scrolls sideways", "too small to press"):
        assert rule in said, rule
    said = "\n".join(html_validate({"bad": bad}, tmp_path))
    for rule in ("no-dup-id", "element-required-attributes", "wcag/h37", "text-content"):
        assert rule in said, said


def test_a_page_that_is_pale_in_the_dark_alone_does_not_pass(
    window: Page, pages: Snapshots, texts: dict[str, str], axe: Axe
) -> None:
    rule = "@media (prefers-color-scheme: dark) and (forced-colors: none) { h1 { color: #333 !important } }"
    pale = f"<style>{rule}</style></head>"
    found = looked_at(window, pages.add(texts["help"].replace("</head>", pale)), axe)
    assert [f[:6] for f in found if "color-contrast" in f] == ["dark: "]
