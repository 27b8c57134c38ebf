"""The accessibility declaration is the operator's data; without a valid audit it says "non conforme"."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.gateway.pages import declaration
from services.gateway.pages.app import create_app
from services.gateway.pages.declaration import Declaration, load
from services.gateway.settings import GatewaySettings
from services.shared.settings import SettingRefused
from services.shared.store import open_database
from tests.gateway.conftest import Site
from tests.gateway.stub_services import World

TODAY = date(2026, 11, 25)
WHOLE: dict[str, Any] = {
    "organisation": "La métropole de Parvis",
    "state": "partial",
    "established": "2026-10-01",
    "audit": {
        "date": "2026-09-15",
        "by": "un cabinet indépendant",
        "rate": 71.4,
        "report": "https://example.org/audit",
    },
    "contents": [
        {"what": "Les plans de bureaux en image.", "why": "fault", "instead": "la liste des adresses."},
        {"what": "Les procès-verbaux numérisés d’avant 2019.", "why": "exempt"},
        {"what": "Le sous-titrage des séances d’avant 2024.", "why": "burden"},
    ],
    "contact": {"mail": "accessibilite@example.org", "phone": "02 99 00 00 00"},
    "plan": {"years": "2025–2027", "address": "https://example.org/schema", "actions": "https://example.org/2026"},
}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "declaration.json"
    path.write_text(json.dumps(WHOLE | changes), "utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(SettingRefused) as told:
        load(path, lambda: TODAY)
    assert declaration.SETTING in str(told.value)
    return str(told.value)


def test_without_a_file_nothing_is_claimed(site: Site) -> None:
    assert load(None) == Declaration() and Declaration().standing(TODAY) == "none"
    page = site.get("/accessibilite")
    assert page.faults() == [] and "Ce site est non conforme" in page.text.replace("\n", " ")
    for path in ("/", "/aide", "/nulle-part"):
        assert "Accessibilité\u00a0: non conforme" in site.get(path).text


def test_a_file_in_toml_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "declaration.toml"
    path.write_text(
        'state = "partial"\n[audit]\ndate = 2026-09-15\nby = "un cabinet"\nrate = 71.4\n[contact]\nphone = "02 99"\n'
    )
    found = load(path, lambda: TODAY)
    assert found.standing(TODAY) == "partial" and found.contact.phone == "02 99"


def test_the_page_has_every_legal_part(
    environment: World, static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(declaration.SETTING, str(written(tmp_path)))
    settings = GatewaySettings.from_env()
    app = create_app(settings, open_database(settings.common, "gateway"), static=static)
    page = Site(app.test_client(), tmp_path).get("/accessibilite")
    assert all(fault.startswith("leaves the site: https://example.org/") for fault in page.faults())
    said = page.text.replace("\n", " ")
    for part in (
        *(
            "La métropole de Parvis",
            "partiellement conforme",
            "15 septembre 2026",
            "71,4\u00a0%",
            "un cabinet indépendant",
        ),
        *("plans de bureaux", "liste des adresses", "charge disproportionnée", "sous-titrage", "d’avant 2019"),
        *("accessibilite@example.org", "02 99 00 00 00", "Défenseur des droits", "2025–2027", "1er octobre 2026"),
    ):
        assert part in said.replace("\u00a0octobre", " octobre").replace("\u00a0septembre", " septembre"), part
    assert "Accessibilité\u00a0: partiellement conforme" in said


def test_an_audit_of_more_than_three_years_counts_no_more(tmp_path: Path) -> None:
    found = load(written(tmp_path), lambda: TODAY)
    assert found.standing(date(2029, 9, 14)) == "partial"
    assert found.standing(date(2029, 9, 15)) == "none"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"state": "parfait"}, "state"),
        ({"state": "total"}, "audit.rate"),
        ({"audit": None}, "audit"),
        ({"audit": {**WHOLE["audit"], "rate": 49.9}}, "audit.rate"),
        ({"audit": {**WHOLE["audit"], "rate": 171}}, "audit.rate"),
        ({"audit": {**WHOLE["audit"], "rate": "beaucoup"}}, "audit.rate"),
        ({"audit": {**WHOLE["audit"], "date": "hier"}}, "audit.date"),
        ({"audit": {**WHOLE["audit"], "date": "2027-01-01"}}, "audit.date"),
        ({"audit": {"date": "2026-09-15", "rate": 80}}, "audit.by"),
        ({"contents": [{"why": "fault"}]}, "contents[0].what"),
        ({"contents": [{"what": "Tout.", "why": "paresse"}]}, "contents[0].why"),
        ({"contact": {}}, "contact"),
        ({"etat": "total"}, "etat"),
    ],
)
def test_a_wrong_field_is_named_at_the_start(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    assert f"field {field}:" in refused(written(tmp_path, **changes)).replace("[...]", "[0]")


def test_a_file_that_is_missing_or_no_data_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "absent.json")
    (tmp_path / "x.toml").write_text("= oui")
    assert "neither JSON nor TOML" in refused(tmp_path / "x.toml")
