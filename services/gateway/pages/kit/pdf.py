"""A page as a file to keep: PDF/UA, made on this machine from a template that is also a page to print.

    return sheet("pages/sent_sheet.html", "recu-12.pdf", receipt=…)

The template extends `kit/sheet.html` where `pdf` is true, else `base.html`. Nothing is fetched but our own assets.
Where the system has no Pango, the page itself is given, and says how to make a file of it.
"""

from __future__ import annotations

import logging
import mimetypes
import re
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

from flask import Response, current_app, render_template

from services.gateway.pages import language
from services.gateway.pages.front import attachment, page
from services.gateway.turns import given_away

_ORIGIN: Final = "https://feuille.invalid/"
_ASSET: Final = re.compile(re.escape(_ORIGIN) + r"assets/([A-Za-z0-9_-]+(?:\.[a-z0-9]+)+)")
_ONE: Final = Lock()  # a file takes all of a processor for a moment: the other threads go on with pages
_log = logging.getLogger("parvis")


class NotOurs(ValueError):
    """The sheet asks for something that is no asset of ours."""


def sheet(template: str, name: str, **values: Any) -> Response:
    """A file to download, `name`; or the same as a page to print."""
    if not can_print():
        return page(template, pdf=False, **values)
    language.begin(language.SOURCE, template)
    with given_away(), _ONE:
        content = printed(render_template(template, pdf=True, **values), current_app.extensions["static"])
    return attachment(content, name, "application/pdf")


@lru_cache(1)
def can_print() -> bool:
    """Whether this machine has what it takes; looked at once, at the first file."""
    try:
        import weasyprint  # noqa: F401 a second and 35 MB, which pages do without
    except (ImportError, OSError) as e:
        _log.warning("no PDF can be made here, pages to print are given instead: %s", type(e).__name__)
        return False
    return True


def printed(html: str, static: Path) -> bytes:
    """PDF/UA-1. Raises NotOurs."""
    from weasyprint import HTML

    refused: list[str] = []
    made = HTML(string=html, base_url=_ORIGIN, url_fetcher=_fetcher(static, refused))
    pdf: bytes = made.write_pdf(pdf_variant="pdf/ua-1")
    if refused:  # WeasyPrint goes on without the picture
        raise NotOurs("a sheet may use the assets of this release alone")
    return pdf


def _fetcher(static: Path, refused: list[str]) -> Any:
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OwnAssets(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            found = _ASSET.fullmatch(url)
            if found is None or not (static / found[1]).is_file():
                refused.append(url)
                raise NotOurs
            kind = mimetypes.guess_type(found[1])[0] or "application/octet-stream"
            return URLFetcherResponse(url, (static / found[1]).read_bytes(), {"Content-Type": kind})

    return OwnAssets()
