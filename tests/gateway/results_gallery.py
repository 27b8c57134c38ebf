"""Pictures of every results page, to be looked at. Usage: python -m tests.gateway.results_gallery FOLDER [WORD…]

Makes FOLDER/<case>-{phone,desk,dark}.png, each page from top to foot, and FOLDER/<case>.pdf as it is printed on A4.
With words, only the cases whose name holds one of them. Needs Chromium and the built front end.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser

from services.gateway.assets import build
from tests.gateway import results_cases
from tests.gateway.processes import site
from tests.gateway.results_cases import CASES, Case
from tests.journeys import chromium

LOOKS: Final[dict[str, dict[str, Any]]] = {
    "phone": {"viewport": {"width": 320, "height": 640}, "color_scheme": "light"},
    "desk": {"viewport": {"width": 1180, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
}


def take(browser: Browser, url: str, case: Case, folder: Path) -> None:
    for look, options in LOOKS.items():
        context = browser.new_context(locale="fr-FR", **options)
        page = context.new_page()
        page.goto(url + case.path)
        page.screenshot(path=folder / f"{case.name}-{look}.png", full_page=True)
        if look == "desk":
            page.pdf(path=folder / f"{case.name}.pdf", format="A4", margin={"top": "14mm", "bottom": "14mm"})
        context.close()


def main(arguments: list[str]) -> int:
    if not arguments or chromium.program() is None:
        print(__doc__ if not arguments else "The gallery needs Chromium.", file=sys.stderr)
        return 2
    folder, wanted = Path(arguments[0]), arguments[1:]
    folder.mkdir(parents=True, exist_ok=True)
    build.build()
    cases = [case for case in CASES if not wanted or any(word in case.name for word in wanted)]
    with tempfile.TemporaryDirectory() as kept:
        with site(Path(kept) / "data") as (running, world), chromium.launched() as browser:
            for case in cases:
                results_cases.add(world, case)
            for case in cases:
                take(browser, running.url, case, folder)
    print(f"{len(cases)} pages in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
