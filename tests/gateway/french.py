"""French that stands on a page which speaks another language."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.gateway.html import Page

FRENCH = re.compile(
    r"[éèêàùçœ«»’]|\b(?:le|les|la|un|une|des|du|de|et|ou|est|sont|vous|votre|pas|ne|il|elle|ce|cette|pour|par|avec|au|"
    r"aux|en|sur|dans|puis|bulletin|scrutin|vote blanc|voter|connexion|erreur)\b",
    re.IGNORECASE,
)
OURS = re.compile(r"Zoé|[a-z’]*[a-zé]’(?:s|t|re)\b|vote(?:s|d|r|rs)?\b")


class Passages(HTMLParser):
    """What a page says outside of what is marked as French: its texts, and its attributes that are read out."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        before = self._open[-1][1] if self._open else False
        french = {None: before}.get(known.get("lang"), known.get("lang") != "en")
        if not french:
            self.found += [
                str(known[name]) for name in ("aria-label", "title", "alt", "placeholder") if known.get(name)
            ]
        if tag not in ("meta", "link", "input", "br", "img"):
            self._open.append((tag, french))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Part of a figure."""

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and not (self._open and (self._open[-1][1] or self._open[-1][0] in ("title", "desc", "code"))):
            self.found.append(data.strip())


def french_in(page: Page) -> list[str]:
    """Passages that an English voice would mispronounce."""
    assert '<html lang="en"' in page.source and 'id="contenu" tabindex="-1">' in page.source
    return [text for text in Passages(page.source).found if FRENCH.search(OURS.sub("", text))]
