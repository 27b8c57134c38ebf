"""Every string of the corpus of tests/gateway/xss.py through every field of every form of the gateway's map.

Each answer is shown in Chromium without its policy: escaping alone must hold. Checks: nothing runs, no element or
handler of a string stands in a page; a careless page is seen through. A smoke run sends a tenth, drawn by the seed.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from services.gateway.assets import build
from tests.gateway import xss
from tests.gateway.processes import site
from tests.journeys import chromium
from tests.journeys.attacks import Form, Sent, attacked, every_attack, faults, keep
from tests.journeys.route_map import PAGES, Walker
from tests.journeys.snapshots import serving


def main(smoke: bool, seed: int) -> dict[str, object]:
    build.build(with_tests=True)
    kept, kinds, sent = dict[str, str](), set[object](), 0
    attacks = _tenth(random.Random(seed)) if smoke else every_attack
    with tempfile.TemporaryDirectory(prefix="parvis-xss-") as folder, site(Path(folder) / "data") as (running, world):
        for form, name, html in attacked(Walker(running.url, world), PAGES, attacks):
            kinds.add(form.kind)
            sent += 1
            keep(kept, name, html)
    wrong = _looked_at(kept)
    assert not wrong, "\n".join(wrong)
    return {
        "strings": len(xss.CORPUS),
        "forms": len(kinds),
        "requests": sent,
        "different pages shown": len(kept),
        "findings": len(wrong),
    }


def _tenth(chance: random.Random) -> Callable[[Form], Sent]:
    def some(form: Form) -> Sent:
        everything = list(every_attack(form))
        yield from chance.sample(everything, -(-len(everything) // 10))

    return some


def _looked_at(kept: dict[str, str]) -> list[str]:
    with serving(build.STATIC) as pages, chromium.launched() as browser:
        window = browser.new_context(locale="fr-FR").new_page()
        careless = xss.careless("text", xss.ELEMENTS[0])
        assert faults(window, pages, {careless: "careless"}), "nothing is seen in a careless page"
        return faults(window, pages, kept)
