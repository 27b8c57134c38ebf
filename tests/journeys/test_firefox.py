"""The main journey in a second engine: Debian's Firefox, driven by puppeteer, with axe and Tab on each page."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from services.gateway.assets import build
from tests.journeys.conftest import Town
from tests.journeys.engines import MODULES, TAGS
from tests.journeys.snapshots import serving
from tests.journeys.steps import MAIN, Go

pytestmark = pytest.mark.browser
SCRIPT: Final = Path(__file__).with_name("firefox.mjs")
BAD: Final = Path(__file__).parent / "bad"


@pytest.fixture(scope="module")
def firefox() -> str:
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI has no Firefox: install Debian's package firefox-esr")
        pytest.skip("the second engine needs Firefox (Debian's package firefox-esr): not run here")
    return program


def _walk(firefox: str, url: str, steps: list[dict[str, Any]], home: Path) -> dict[str, Any]:
    node = build.find_node(build.OLDEST_FOR_TESTS).node
    asked = json.dumps({"url": url, "steps": steps, "tags": TAGS})
    alone = os.environ | {"HOME": str(home), "MOZ_DISABLE_CONTENT_SANDBOX": "1"}
    words = [*node, str(SCRIPT), str(MODULES), firefox]
    done = subprocess.run(words, input=asked, capture_output=True, text=True, timeout=100, env=alone)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_vote_in_firefox_reaches_its_end_with_nothing_for_axe_and_every_control_under_tab(
    firefox: str, town: Town, tmp_path: Path
) -> None:
    # But for the sign-out: Firefox under puppeteer never tells the end of an answer that carries Clear-Site-Data.
    told = _walk(firefox, town.url, MAIN.as_json()[:-2], tmp_path)
    assert told["found"] == [], "\n".join(told["found"])
    assert told["pages"] >= 10 and len(town.world.ballots) == 1
    assert all("govuk-skip-link" in order[0] for order in told["order"])


def test_firefox_too_finds_what_is_wrong_with_bad_pages(firefox: str, built: Path, tmp_path: Path) -> None:
    with serving(built) as pages:
        bad = [pages.add((BAD / name).read_text("utf-8")) for name in ("page.html", "trap.html")]
        steps = [{"do": Go.__name__, "path": address.removeprefix(pages.url)} for address in bad]
        said = "\n".join(_walk(firefox, pages.url, steps, tmp_path)["found"])
    for rule in ("color-contrast", "image-alt", "html-has-lang", "a trap"):
        assert rule in said, said
