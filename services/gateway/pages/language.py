"""In which language a page speaks: French is the source, others stand in `translations`, one catalogue each.

A page has two languages: that of its frame (header and footer), which is the visitor's, and that of its main part,
which is French where the page is not translated yet: never a mixture that a screen reader would mispronounce.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextvars import ContextVar
from fractions import Fraction
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel.messages import mofile, pofile
from babel.support import Translations
from markupsafe import Markup, escape
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

SOURCE: Final = "fr"
NAMES: Final = {"fr": "Français", "en": "English", "br": "Brezhoneg"}
COOKIE: Final = "langue"
FOLDER: Final = Path(__file__).resolve().parent.parent / "translations"
ENVIRON: Final = "parvis.language"
TRANSLATED: Final = {
    "en": frozenset(
        {
            *("pages/home.html", "pages/failure.html", "pages/offline.html", "pages/poll.html"),
            *("pages/choose.html", "pages/check.html", "pages/receipt.html", "pages/retry.html"),
            *("pages/code.html", "pages/tracker.html"),
            *("pages/sign_in.html", "pages/code_step.html", "pages/letter_asked.html", "pages/signed_out.html"),
            *("pages/leaving.html", "pages/linked.html", "pages/external_failure.html"),
            *("pages/help.html", "pages/why.html", "pages/results_none.html"),
            *("pages/results.html", "pages/rounds.html", "pages/turnout.html"),
        }
    ),
    "br": frozenset({"pages/home.html", "pages/failure.html"}),
}
"""The templates whose main part is translated. A test holds them against the catalogues."""
_COOKIE: Final = re.compile(rf"(?:^|;\s*){COOKIE}=")
_FRENCH: Final = Markup(' lang="fr"')
_frame: ContextVar[str] = ContextVar("parvis_frame_language", default=SOURCE)
_main: ContextVar[str] = ContextVar("parvis_main_language", default=SOURCE)


def of(environ: dict[str, Any]) -> str:
    """The visitor's: chosen here, else what the browser asks for, else French."""
    known: str | None = environ.get(ENVIRON)
    if known is not None:
        return known
    cookies = environ.get("HTTP_COOKIE", "")
    if _COOKIE.search(cookies):
        chosen = _chosen(cookies)
        if chosen is not None:
            return chosen
    return _asked(environ.get("HTTP_ACCEPT_LANGUAGE", ""))


def begin(language: str, template: str) -> None:
    """What the page that is being rendered speaks."""
    _frame.set(language)
    _main.set(language if template in TRANSLATED.get(language, ()) else SOURCE)


def end() -> None:
    _frame.set(SOURCE)
    _main.set(SOURCE)


def main() -> str:
    return _main.get()


def frame_language() -> str:
    return _frame.get()


def said(text: str, /, **values: object) -> str:
    """The text in the language of the main part; the French text where a catalogue has none. Markup among the values
    stays markup, and the others are then escaped."""
    return _translated(_main.get(), text, values)


def frame(text: str, /, **values: object) -> str:
    """The same for header and footer."""
    return _translated(_frame.get(), text, values)


def mark(text: str) -> str:
    """Says that the text is translated where it is used: for tables of texts."""
    return text


def theirs(text: str) -> str:
    """What an officer or a voter wrote, within a text of ours: it says that it is French where ours is not."""
    return Markup('<span lang="fr">{}</span>').format(text) if _main.get() != SOURCE else text


def strung(texts: Iterable[str], between: str = " ") -> str:
    """One text of several; markup among them stays markup, and the others are then escaped."""
    parts = list(texts)
    return (escape(between) if any(isinstance(part, Markup) for part in parts) else between).join(parts)


def plural(one: str, many: str, number: int | Fraction, /, **values: object) -> str:
    """By number, which stands in the texts as %(n)s unless given in words. In French, zero takes the singular."""
    catalogue = catalogues().get(_main.get())
    if catalogue is None:
        text = one if -2 < number < 2 else many
    else:
        text = catalogue.ungettext(one, many, number if isinstance(number, int) else 2)  # "0.5 votes"
    return _filled(text, {"n": number} | values)


def around() -> dict[str, Any]:
    """What templates need to say which passage speaks what: `french_main` where the main part is French in another
    frame, `french_frame` for a text of the frame without translation, `french_passage` for what an officer wrote."""
    frame, main = _frame.get(), _main.get()
    other = frame != SOURCE
    return {
        "lang": frame,
        "french_main": _FRENCH if main != frame else Markup(),
        "french_frame": _FRENCH if other else Markup(),
        "french_passage": _FRENCH if main != SOURCE else Markup(),
    }


def french_unless_translated(text: str) -> Markup:
    """The same for one of our own texts, which the catalogue may lack."""
    language = _frame.get()
    catalogue = catalogues().get(language)
    return _FRENCH if catalogue is not None and catalogue.ugettext(text) == text else Markup()


@lru_cache(1)
def catalogues() -> dict[str, Translations]:
    """Read from their sources at the first use: there is nothing to compile, and nothing that could be out of date."""
    return {name: _read(FOLDER / name / "LC_MESSAGES" / "messages.po") for name in NAMES if name != SOURCE}


def _read(path: Path) -> Translations:
    compiled = BytesIO()
    with path.open("rb") as source:
        mofile.write_mo(compiled, pofile.read_po(source))
    compiled.seek(0)
    return Translations(compiled)


def _translated(language: str, text: str, values: dict[str, object]) -> str:
    catalogue = catalogues().get(language) if language != SOURCE else None
    found: str = catalogue.ugettext(text) if catalogue is not None else text
    return _filled(found, values) if values else found


def _filled(text: str, values: dict[str, object]) -> str:
    return (Markup(text) if any(isinstance(value, Markup) for value in values.values()) else text) % values  # noqa: S704 our own text


@lru_cache(512)
def _asked(header: str) -> str:
    accepted = parse_accept_header(header, LanguageAccept)  # best first
    known = (tag.partition("-")[0].lower() for tag, quality in accepted if quality > 0)
    return next((tag for tag in known if tag in NAMES), SOURCE)


def _chosen(cookies: str) -> str | None:
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return None
    return found.value if found is not None and found.value in NAMES else None
