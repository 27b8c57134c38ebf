"""`make screenshots`: ten pages of the real platform with its demo town, into docs/screenshots.

Each is taken light and dark, on a phone and on a desk. `--at URL --data FOLDER` takes them from a platform that runs
already; `--whole` takes each page down to its foot, to look at it rather than to keep it.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from PIL import Image
from playwright.sync_api import Page

from tests.journeys import chromium
from tests.journeys.leading import leads
from tests.journeys.platform import running, sign_in

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
MOST: Final = 2_000_000
"""Bytes, all pictures together."""
_SIZES: Final = {"desk": (1280, 800), "phone": (390, 844)}
_SCHEMES: Final = ("light", "dark")
_QUALITY: Final = 78


class Shot(NamedTuple):
    """One picture: file, what it shows in French, how a page comes to it from the one before, where it then is."""

    name: str
    shows: str
    go: Callable[[Page], object]
    at: str


def _open_poll(page: Page) -> None:
    page.goto("/")
    leads(page.locator("section[aria-labelledby=ouverts]").get_by_role("link", name="La place de la Halle"))


def _ballot(page: Page) -> None:
    leads(page.get_by_role("link", name="Voter", exact=True))
    page.get_by_label("Oui", exact=True).check()


def _results(page: Page) -> None:
    page.goto("/")
    leads(page.locator("section[aria-labelledby=termines]").get_by_role("link", name=re.compile("Trois habitants")))
    leads(page.get_by_role("link", name="Voir les résultats"))


def _press(name: str) -> Callable[[Page], object]:
    return lambda page: leads(page.get_by_role("button", name=name))


def _go(path: str) -> Callable[[Page], object]:
    return lambda page: page.goto(path)


def _making(page: Page) -> None:
    page.goto("/agent/scrutins/nouveau/question-1")
    page.locator("main input[type=text], main textarea").first.fill("Quel nom donner au nouveau pont ?")


RESIDENT: Final = (
    Shot("polls", "Les scrutins de la commune", _go("/"), "/"),
    Shot("poll", "Un scrutin", _open_poll, "/scrutins/[^/]+"),
    Shot("ballot", "Le bulletin", _ballot, "/voter"),
    Shot("check", "La vérification avant le dépôt", _press("Vérifier mon bulletin"), "/voter/verifier"),
    Shot("receipt", "Le reçu, montré une seule fois", _press("Déposer mon bulletin"), "/voter/deposer"),
    Shot("results", "Les résultats, tour par tour", _results, "/resultats"),
    Shot("my-space", "Mon espace", _go("/mon-espace"), "/mon-espace"),
)
OFFICER: Final = (
    Shot("desk", "L’espace agent", _go("/agent"), "/agent"),
    Shot("making", "Préparer un scrutin, une étape à la fois", _making, "/question-1"),
    Shot("inbox", "Ce qui attend un second regard", _go("/agent/a-valider"), "/agent/a-valider"),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.journeys.screenshots", description=__doc__)
    parser.add_argument("--at", help="address of a platform that runs")
    parser.add_argument("--data", type=Path, help="its data folder, which holds the codes of the demo")
    parser.add_argument("--into", type=Path, default=FOLDER)
    parser.add_argument("--whole", action="store_true")
    given = parser.parse_args()
    with _platform(given.at, given.data) as (url, codes):
        _take(url, codes, given.into, given.whole)
    if given.into == FOLDER:
        (FOLDER / "README.md").write_text(_page(), "utf-8")
    weight = sum(file.stat().st_size for file in given.into.glob("*.webp"))
    print(f"{len(list(given.into.glob('*.webp')))} pictures, {weight // 1000} KB, in {given.into}")
    return 0 if weight <= MOST or given.whole else 1


@contextmanager
def _platform(url: str | None, data: Path | None) -> Iterator[tuple[str, tuple[str, str]]]:
    """Address, and the codes of a resident and of an officer, once the demo region stands."""
    if url and data:
        yield url, _codes(data)
        return
    with TemporaryDirectory() as folder, running(Path(folder)) as started:
        started.until(lambda: "Démonstration prête" in started.output.read_text(), 300)
        yield started.url, _codes(started.data)


def _codes(data: Path) -> tuple[str, str]:
    people = json.loads((data / "demo.json").read_text())["people"]
    return people["residents"][0]["code"], people["officers"][0]["code"]


def _take(url: str, codes: tuple[str, str], into: Path, whole: bool) -> None:
    into.mkdir(parents=True, exist_ok=True)
    with chromium.launched() as browser:
        for code, shots in zip(codes, (RESIDENT, OFFICER), strict=True):
            page = browser.new_context(locale="fr-FR", base_url=url, reduced_motion="reduce").new_page()
            page.goto("/connexion")
            sign_in(page, code)
            for shot in shots:
                shot.go(page)
                page.wait_for_url(re.compile(f"{shot.at}$"))
                for size in _SIZES:
                    for scheme in _SCHEMES:
                        _keep(page, into / f"{shot.name}-{size}-{scheme}.webp", size, scheme, whole)


def _keep(page: Page, file: Path, size: str, scheme: str, whole: bool) -> None:
    width, height = _SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.evaluate("scrollTo(0, 0); document.activeElement?.blur()")
    taken = Image.open(io.BytesIO(page.screenshot(full_page=whole)))
    taken.convert("RGB").save(file, "WEBP", quality=_QUALITY, method=6)


def _page() -> str:
    """The page of docs that shows them."""
    lines = ["# Screens\n", "Taken by `make screenshots` on the real platform and its demo town: made-up people.\n"]
    for shot in (*RESIDENT, *OFFICER):
        lines += [f"## {shot.shows}\n", "| | light | dark |", "|-|-|-|"]
        for size in _SIZES:
            pictures = (f"![{shot.shows}, {size}, {scheme}]({shot.name}-{size}-{scheme}.webp)" for scheme in _SCHEMES)
            lines.append(f"| {size} | {' | '.join(pictures)} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
