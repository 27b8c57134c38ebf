"""Every journey in every look: plain, without JavaScript, 320 px, keyboard alone, dark, forced colours, poor link.

Checks each page on the way: axe in its look; on a small phone nothing scrolls sideways or is under 24 px high; by
keyboard each control is reached, in sight, and shows the focus, nothing traps it, and the skip link skips. The poor
link is 50 kbit/s with 500 ms, the processor six times slower. A smoke run walks the main journey in two looks.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from playwright.sync_api import Browser

from services.gateway.assets import build
from tests.gateway.processes import site
from tests.gateway.stub_services import World
from tests.journeys import chromium
from tests.journeys.engines import MODULES, Axe
from tests.journeys.happenings import happenings
from tests.journeys.places import provided
from tests.journeys.steps import JOURNEYS, MAIN, Journey
from tests.journeys.walk import LOOKS, Look, Walked, walk

_FIRST_PAINT: Final = 3.0
"""Seconds, at the poor link: 5-front-end.md's gate."""


def main(smoke: bool, seed: int) -> dict[str, object]:
    build.build(with_tests=True)
    axe = Axe(MODULES / "axe-core")
    chosen = [(MAIN, look) for look in LOOKS if look.name in ("keyboard", "dark")]
    if not smoke:
        chosen = [(journey, look) for journey in JOURNEYS for look in LOOKS]
    with chromium.launched(whole=True) as browser, tempfile.TemporaryDirectory(prefix="parvis-journeys-") as folder:
        with _places(Path(folder)) as places:
            told = [(journey, look, _walked(browser, places, journey, look, axe)) for journey, look in chosen]
    wrong = [fault for _, _, walked in told for fault in walked.found]
    assert not wrong, "\n".join(wrong)
    figures: dict[str, object] = {
        "journeys × looks": len(told),
        "pages walked": sum(walked.pages for _, _, walked in told),
        "findings": len(wrong),
    }
    for journey, look, walked in told:
        if look.slow:
            figures |= _slow(journey.name, walked)
    return figures


def _walked(
    browser: Browser, places: Mapping[str, tuple[str, World]], journey: Journey, look: Look, axe: Axe
) -> Walked:
    url, world = places[journey.place]
    world.reset()
    return walk(browser, url, journey, look, happenings(world), None if look.slow else axe)


def _slow(name: str, walked: Walked) -> dict[str, object]:
    first, later = walked.paints[0], walked.paints[1:]
    assert 0 < first < _FIRST_PAINT, f"{name}: first paint after {first:.1f} s"
    paint, load = median(later), median(walked.seconds[1:])
    return {
        f"{name}, 50 kbit/s: first page paints, loads (s)": f"{first:.1f}, {walked.seconds[0]:.1f}",
        f"{name}, 50 kbit/s: later pages paint, load, median (s)": f"{paint:.1f}, {load:.1f}",
        f"{name}, 50 kbit/s: slowest page (s)": f"{max(walked.seconds[1:]):.1f}",
        f"{name}, 50 kbit/s: {walked.pages} pages (KB)": round(walked.octets / 1024),
    }


@contextmanager
def _places(folder: Path) -> Iterator[dict[str, tuple[str, World]]]:
    for name in ("town", "provided"):
        (folder / name).mkdir()
    with site(folder / "town" / "data") as (town, known), provided(folder / "provided") as (other, its):
        yield {"town": (town.url, known), "provided": (other.url, its)}
