"""docs/adding-a-page.md, followed to the letter: its module runs, in a gateway that knows nothing else of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from services.gateway.pages import app as gateway
from services.gateway.settings import GatewaySettings
from services.shared.store import open_database
from tests.gateway.conftest import Site
from tests.gateway.stub_services import World

GUIDE = Path(__file__).parents[2] / "docs/adding-a-page.md"
ROOT = "/agent/objets-trouves"
NAME = "services.gateway.pages.lost_property"


def block(title: str) -> str:
    found = re.search(rf"```python title={re.escape(title)}\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def module(tmp_path: Path) -> Iterator[ModuleType]:
    made = ModuleType(NAME)
    sys.modules[NAME] = made
    exec(compile(block("services/gateway/pages/lost_property.py"), "lost_property.py", "exec"), made.__dict__)
    yield made
    del sys.modules[NAME]


@pytest.fixture
def office(environment: World, static: Path, module: ModuleType) -> Site:
    """The gateway with the guide's second step taken."""
    settings = GatewaySettings.from_env()
    pages: Any = (*gateway.PAGES, module)
    app = gateway.create_app(settings, open_database(settings.common, "gateway"), static=static, pages=pages)
    site = Site(app.test_client(), settings.common.data)
    site.sign_in("INES-7")
    return site


def test_the_guides_pages_stand_and_keep_what_was_sent(office: Site) -> None:
    new = f"{ROOT}/nouveau"
    empty = office.get(ROOT)
    assert (empty.status, empty.faults()) == (200, []) and "Rien n’a été trouvé" in empty.text
    wrong = office.submit(office.get(f"{new}/objet"), f"{new}/objet", kind="keys")
    assert (wrong.status, wrong.faults()) == (400, []) and "Décrivez l’objet" in wrong.text
    office.submit(wrong, f"{new}/objet", kind="keys", text="Trois clés sur un anneau rouge")
    office.submit(office.get(f"{new}/lieu"), f"{new}/lieu", place="Place de la Halle", day="24/11/2026")
    check = office.get(f"{new}/verifier")
    assert (check.status, check.faults()) == (200, []) and "24\u00a0novembre 2026" in check.text
    receipt = office.get(office.submit(check, f"{new}/envoyer").headers["Location"])
    assert (receipt.status, receipt.faults()) == (200, []) and "un an et un jour" in receipt.text
    for path, seen in ((ROOT, True), (f"{ROOT}?q=ANNEAU", True), (f"{ROOT}?q=vélo", False)):
        page = office.get(path)
        assert ("Trois clés" in page.text) is seen and page.faults() == []
    assert "Trois clés" in office.get(f"{ROOT}?format=csv").source
    twin = office.get(f"{new}/papier")
    assert (twin.status, twin.faults()) == (200, []) and "Sac" in twin.text


def test_a_draft_waits_in_my_space(office: Site) -> None:
    new = f"{ROOT}/nouveau"
    office.submit(office.get(f"{new}/objet"), f"{new}/objet", kind="bag", text="Un sac à dos vert")
    assert "Déclarer un objet trouvé" in office.get("/mon-espace").text
    assert "Un sac à dos vert" in office.get(f"{new}/objet").source


def test_the_guide_touches_four_files_and_its_visits_are_python() -> None:
    steps = re.findall(r"^\*\*\d\. .*?`([a-z_./]+)`", GUIDE.read_text("utf-8"), re.MULTILINE)
    assert len(steps) <= 4 and all((GUIDE.parents[1] / step).exists() for step in steps)
    compile(block("tests/journeys/route_map.py"), "route_map.py", "exec")
