"""The style sheets hold what the pages use: nothing that a page needs is left out of the sheets that it links."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from services.gateway.assets import build
from tests.journeys.walked import Walked

_CLASS = re.compile(r"\.(-?[a-zA-Z_][\w-]*)")
_GOVUK = Path("govuk-frontend") / "dist" / "govuk" / "govuk-frontend.min.css"
_CORE_KILOBYTES = 7


def _named(sheet: str) -> set[str]:
    return set(_CLASS.findall(re.sub(r"url\([^)]*\)|:not\([^)]*\)", "", sheet)))


def _sheets(static: Path) -> dict[str, str]:
    """By the file's name: what the sheet says."""
    made = json.loads((static / "manifest.json").read_text("utf-8"))
    return {made[name]["file"]: (static / made[name]["file"]).read_text("utf-8") for name in ("parvis.css", "more.css")}


def _unstyled(text: str, sheets: dict[str, str], offered: set[str]) -> set[str]:
    """Classes of the page that GOV.UK Frontend or a sheet of ours has rules for, and no sheet which the page links."""
    linked = set().union(*(_named(sheet) for file, sheet in sheets.items() if f"/assets/{file}" in text))
    used = set(" ".join(re.findall(r'class="([^"]*)"', text)).split())
    return used & offered - linked


@pytest.fixture(scope="module")
def offered(built: Path) -> set[str]:
    theirs = _named((build.HERE / "node_modules" / _GOVUK).read_text("utf-8"))
    return theirs.union(*(_named(sheet) for sheet in _sheets(built).values()))


def test_every_page_links_the_sheets_that_style_it(walked: list[Walked], built: Path, offered: set[str]) -> None:
    sheets = _sheets(built)
    pages = [one for one in walked if "<html" in one.text and "/assets/parvis-" in one.text]
    found = {one.visit.name: sorted(_unstyled(one.text, sheets, offered)) for one in pages}
    assert {name: classes for name, classes in found.items() if classes} == {}
    assert len(pages) > 100


def test_the_pages_that_people_come_to_first_have_the_first_sheet_alone(walked: list[Walked]) -> None:
    light = {one.visit.name for one in walked if "/assets/parvis-" in one.text and "/assets/more-" not in one.text}
    assert {"home", "sign in", "poll open", "poll done", "offline", "not found"} <= light
    assert not light & {"home, signed in", "sign in wrong", "results done"}


def test_a_class_that_no_linked_sheet_styles_is_found(built: Path, offered: set[str]) -> None:
    sheets = _sheets(built)
    core, more = sheets
    page = '<p class="govuk-warning-text lead">'
    for linked, missed in ((core, {"govuk-warning-text"}), (f"{core} /assets/{more}", set())):
        assert _unstyled(f'<link href="/assets/{linked}">{page}', sheets, offered) == missed
    assert _unstyled(f'/assets/{core} <b class="govuk-tag--green">', sheets, offered) == {"govuk-tag--green"}


def test_the_first_sheet_is_small(built: Path) -> None:
    [file] = [file for file in _sheets(built) if file.startswith("parvis-")]
    assert 0 < (built / f"{file}.br").stat().st_size < _CORE_KILOBYTES * 1024
