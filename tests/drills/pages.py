"""Every page of the gateway's map under pa11y: its own axe, and HTML_CodeSniffer, which `make test` does not have.

Then axe in three looks, which `make test` takes on pages that bring something new only. Checks: no error on any page,
in the state in which its visit ends; a deliberately bad page gets errors from both.
"""

from __future__ import annotations

import json
import random
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from services.gateway.assets import build
from tests.gateway.processes import site
from tests.journeys import chromium
from tests.journeys.engines import MODULES, Axe, looked_at
from tests.journeys.route_map import PAGES, Walker
from tests.journeys.snapshots import serving

BAD: Final = Path(__file__).parent.parent / "journeys" / "bad" / "page.html"
_SCRIPT: Final = Path(__file__).with_name("_pa11y.mjs")
_SMOKE_PAGES: Final = 40


def main(smoke: bool, seed: int) -> dict[str, object]:
    build.build(with_tests=True)
    visits = random.Random(seed).sample(PAGES, _SMOKE_PAGES) if smoke else list(PAGES)
    with tempfile.TemporaryDirectory(prefix="parvis-pages-") as folder, site(Path(folder) / "data") as (running, world):
        texts = {visit.name: Walker(running.url, world).walk(visit).response.text for visit in visits}
    began = time.perf_counter()
    found = _look(texts | {"(bad)": BAD.read_text("utf-8")})
    seconds = time.perf_counter() - began
    bad = found.pop("(bad)")
    for engine in ("axe ", "htmlcs "):
        assert any(line.startswith(engine) for line in bad), f"{engine} finds nothing on a bad page: {bad}"
    wrong = [f"{name}: {line}" for name, lines in found.items() for line in lines]
    wrong += _in_each_look(texts)
    assert not wrong, "\n".join(wrong)
    return {
        "pages": len(found),
        "errors": 0,
        "errors on the bad page": len(bad),
        "seconds a page": round(seconds / len(texts), 2),
    }


def _look(texts: dict[str, str]) -> dict[str, list[str]]:
    """What pa11y finds, by page."""
    program = chromium.program()
    assert program, chromium.MISSING
    node = build.find_node(build.OLDEST_FOR_TESTS).node
    with serving(build.STATIC) as pages:
        addresses = json.dumps({name: pages.add(text) for name, text in texts.items()})
        words = [*node, str(_SCRIPT), str(build.HERE / "node_modules"), program]
        done = subprocess.run(words, input=addresses, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def _in_each_look(texts: dict[str, str]) -> list[str]:
    """What axe finds in light, dark and forced colours."""
    axe, found = Axe(MODULES / "axe-core"), []
    with serving(build.STATIC) as pages, chromium.launched() as browser:
        context = browser.new_context(locale="fr-FR")
        axe.prepare(context)
        window = context.new_page()
        for name, text in texts.items():
            found += [f"{name}: {fault}" for fault in looked_at(window, pages.add(text), axe)]
    return found
