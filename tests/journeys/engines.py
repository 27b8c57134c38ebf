"""The engines that look at pages: axe-core in a browser, html-validate on the text. Each gives one line a finding."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, ViewportSize

from services.gateway.assets import build

MODULES = build.HERE / "node_modules"
RULES = Path(__file__).with_name("html-validate.json")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "RGAAv4", "EN-301-549", "EN-301-549v4", "best-practice"]
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "forced_colors": "none", "reduced_motion": "no-preference"},
    "dark": {"color_scheme": "dark", "forced_colors": "none", "reduced_motion": "no-preference"},
    "forced": {"color_scheme": "dark", "forced_colors": "active", "reduced_motion": "reduce"},
}
WIDE, NARROW = ViewportSize(width=1280, height=800), ViewportSize(width=320, height=640)
_SMALL = """[...document.querySelectorAll('button, input:not([type=hidden]), select, textarea, summary, nav a')]
    .filter(e => e.checkVisibility() && (e.closest('label') || e).getBoundingClientRect().height < 24)
    .map(e => e.outerHTML.slice(0, 80))"""


COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules that depend on colours alone."""
SPACE = ["target-size", "scrollable-region-focusable", "css-orientation-lock", "meta-viewport"]
"""Those that depend on the room there is."""


class Axe:
    """axe-core with the rules of WCAG 2.2 AA, RGAA 4 and EN 301 549, and its good practices."""

    def __init__(self, folder: Path) -> None:
        french = json.dumps(json.loads((folder / "locales" / "fr.json").read_text("utf-8")))
        self._engine = (folder / "axe.min.js").read_text("utf-8") + f";axe.configure({{locale: {french}}})"

    def prepare(self, context: BrowserContext) -> None:
        """Each page that is opened from now on brings the engine along."""
        context.add_init_script(self._engine)

    def __call__(self, page: Page, rules: Sequence[str] = ()) -> list[str]:
        """What it finds as the page now looks; by these rules, else by all that the law names."""
        only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
        options = json.dumps({"runOnly": only, "resultTypes": ["violations"]})
        found = page.evaluate(
            f"""axe.run(document, {options}).then(r => r.violations.map(
                v => `${{v.id}}: ${{v.nodes[0].html.slice(0, 120)}} ${{v.nodes[0].failureSummary}}`))"""
        )
        return list(found)


_SHOW = """async url => {
    const text = await (await fetch(url)).text();
    document.open(); document.write(text); document.close();
    if (document.readyState !== 'complete') await new Promise(done => addEventListener('load', done));
}"""


def _show(page: Page, url: str) -> None:
    """In the window's present document, if one of that site stands there: in a new one each script is compiled anew,
    axe too, and runs at half its speed."""
    if page.url.startswith("{0.scheme}://{0.netloc}/".format(urlsplit(url))):
        page.evaluate(_SHOW, url)
    else:
        page.goto(url)


def looked_at(page: Page, url: str, axe: Axe, *, narrow: Sequence[str] = ()) -> list[str]:
    """What is wrong with the page in each look; on a narrow screen, what scrolls sideways or is too small to press.

    In forced colours the page stands as it does in light, so only the rules of colours can tell another thing.
    `narrow`: the rules for the dark look on the narrow screen, if not all.
    """
    found = []
    page.emulate_media(**LOOKS["light"])
    page.set_viewport_size(WIDE)
    _show(page, url)
    found += [f"light: {fault}" for fault in axe(page)]
    page.emulate_media(**LOOKS["forced"])
    found += [f"forced: {fault}" for fault in axe(page, COLOURS)]
    page.emulate_media(**LOOKS["dark"])
    page.set_viewport_size(NARROW)
    found += [f"dark: {fault}" for fault in axe(page, narrow)]
    return found + too_narrow_for(page)


def bringing_every_part(texts: Mapping[str, str]) -> list[str]:
    """Few of the pages, by name, that together have every part of all: an element of that name, with those classes and
    attributes, inside such a parent, with or without content. What values and words say is not looked at."""
    parts = {name: _parts(text) for name, text in texts.items()}
    wanted, chosen = set[_Part]().union(*parts.values()), list[str]()
    while wanted:
        chosen.append(max(parts, key=lambda name: len(parts[name] & wanted)))
        wanted -= parts[chosen[-1]]
    return chosen


def _parts(text: str) -> set[_Part]:
    reader = _Parts()
    reader.feed(text)
    return reader.parts


_Part = tuple[str, ...]


class _Parts(HTMLParser):
    """The parts of a page: (what stands before, element, classes, names of attributes), and where text stands."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: set[_Part] = set()
        self._last: _Part = ("",)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = dict(attrs).get("class") or ""
        self.parts.add((self._last[0], tag, classes, *sorted(name for name, _ in attrs)))
        self._last = (tag, classes)

    def handle_endtag(self, tag: str) -> None:
        self._last = (f"/{tag}",)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.parts.add((*self._last, "text"))


def too_narrow_for(page: Page) -> list[str]:
    """What scrolls sideways in this window, or is under 24 px high and can be pressed (WCAG 2.2: 1.4.10, 2.5.8)."""
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    found = [f"scrolls sideways by {over} px"] if over > 0 else []
    return found + [f"too small to press: {element}" for element in page.evaluate(_SMALL)]


def html_validate(pages: Mapping[str, str], folder: Path) -> list[str]:
    """What html-validate finds in these texts, by name."""
    for name, html in pages.items():
        (folder / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}.html").write_text(html, "utf-8")
    program = MODULES / "html-validate" / "bin" / "html-validate.mjs"
    node = build.find_node(build.OLDEST_FOR_TESTS).node
    told = folder / "told.json"  # a file: what is long would be cut off in a pipe
    words = [*node, str(program), "--config", str(RULES), "--formatter", f"json={told}", str(folder / "*.html")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, cwd=folder)
    assert done.returncode in (0, 1) and told.exists(), done.stdout + done.stderr
    return [
        f"{Path(report['filePath']).stem}:{m['line']}:{m['column']} {m['ruleId']}: {m['message']}"
        for report in json.loads(told.read_text("utf-8"))
        for m in report["messages"]
    ]
