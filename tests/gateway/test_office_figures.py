"""Figures of polls for those who run them: words, pictures, and tables as files that say the same in CSV and ODS."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook

from services.gateway.pages.kit.exports import ods_file, written
from tests.gateway.conftest import Site
from tests.gateway.stub_services import CANCELLED, OPEN, SOON, World

FIGURES = "/agent/chiffres"


def spreadsheet(content: bytes) -> list[list[object]]:
    """As another program reads it. The first sheet alone."""
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def as_written(row: list[object]) -> list[str]:
    """What the CSV file says for what the spreadsheet holds."""
    cells = [int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in row]
    return [cell if isinstance(cell, str) else written(cell) for cell in cells]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path",
    [
        FIGURES,
        "/agent/scrutins",
        f"/agent/scrutins/{OPEN}/chiffres?table=bureaux",
        f"/agent/scrutins/{OPEN}/chiffres?table=lots",
    ],
)
def test_a_table_says_the_same_on_paper_as_csv_and_as_a_spreadsheet(site: Site, path: str) -> None:
    site.sign_in("AUDE-3")
    joint = "&" if "?" in path else "?"
    answers = {kind: site.client.get(f"{path}{joint}format={kind}") for kind in ("csv", "ods")}
    assert answers["ods"].content_type == "application/vnd.oasis.opendocument.spreadsheet"
    text = list(csv.reader(io.StringIO(answers["csv"].data.decode("utf-8-sig")), delimiter=";"))
    assert [as_written(row) for row in spreadsheet(answers["ods"].data)] == text
    assert len(text) > 1


def test_numbers_are_numbers_and_dates_are_dates(site: Site) -> None:
    site.sign_in("AUDE-3")
    head, first, *_ = spreadsheet(site.client.get(f"{FIGURES}?format=ods").data)
    row = dict(zip(head, first, strict=True))
    assert isinstance(row["Inscrits"], float | int) and isinstance(row["Ouverture"], datetime)


def test_a_spreadsheet_runs_nothing_that_people_typed() -> None:
    app, evil = Flask(__name__), ["=1+1", "+33", "@SUM(A1)", '=HYPERLINK("http://mal.example")', "a\x00\x0b\ufffeb"]
    with app.test_request_context():
        content = ods_file("essai", ["Titre"], [[cell] for cell in evil]).data
    xml = zipfile.ZipFile(io.BytesIO(content)).read("content.xml").decode()
    assert "formula" not in xml
    assert [row[0] for row in spreadsheet(content)[1:5]] == evil[:4]
    assert spreadsheet(content)[5][0] == "a\ufffd\ufffd\ufffdb"


def test_every_poll_stands_with_its_turnout_in_words_a_picture_and_a_table(site: Site, world: World) -> None:
    site.sign_in("AUDE-3")
    page = site.get(FIGURES)
    assert (page.status, page.faults()) == (200, [])
    poll = world.polls[OPEN]
    assert "Participation la plus forte" in page.text and poll.title in page.text
    assert len(page.all("svg")) >= len([p for p in world.polls.values() if p.roll])
    assert world.polls[CANCELLED].title not in site.get(f"{FIGURES}?state=open").text


def test_a_poll_is_told_station_by_station_and_over_time(site: Site, world: World) -> None:
    site.sign_in("AUDE-3")
    page = site.get(f"/agent/scrutins/{OPEN}/chiffres")
    assert (page.status, page.faults()) == (200, [])
    assert "votants sur 12\u202f480\u00a0inscrits" in page.text and world.polls[OPEN].station in page.text
    assert "Les derniers lots" in page.text and page.all("polyline")
    assert "Aucun lot n’est encore scellé" in site.get(f"/agent/scrutins/{SOON}/chiffres").text
    assert site.get(f"/agent/scrutins/{OPEN}/chiffres?format=csv&table=autre").status == 404


def test_figures_are_the_officers_alone(site: Site) -> None:
    site.sign_in("INES-7")
    assert site.get(FIGURES).status == site.get(f"/agent/scrutins/{OPEN}/chiffres").status == 403


def test_each_station_of_several_has_its_own_curve(site: Site, world: World) -> None:
    def two(value: Any) -> Any:
        if isinstance(value, dict) and "stations" in value:
            value["stations"].append(value["stations"][0] | {"station": "bureau-2", "label": "Bureau du port"})
        if isinstance(value, dict) and "epochs" in value:
            value["epochs"] += [one | {"station": "bureau-2"} for one in value["epochs"][:3]]
        return value

    world.rewrite["ballot"] = two
    site.sign_in("AUDE-3")
    page = site.get(f"/agent/scrutins/{OPEN}/chiffres")
    assert (page.status, page.faults()) == (200, [])
    assert len(page.all("polyline")) == 3 and "Bureau du port\u00a0: votants cumulés" in page.text
