"""Small pieces of markup that stand many times on a page: drawn here, since a macro's call costs more than they do.

What somebody else wrote is escaped; classes and numbers are ours."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup, escape

from services.gateway.pages import words
from services.gateway.pages.language import said

GLOBALS: Final = ("tag", "when", "when_short", "meter")


def tag(code: str) -> Markup:
    """A poll's state."""
    state = words.state(code)
    return Markup(f'<strong class="govuk-tag {state.tag}">{escape(said(state.label))}</strong>')  # noqa: S704


def when(moment: str) -> Markup:
    """lundi 23 novembre 2026 à 11 h 00"""
    return _time(moment, words.date_time(moment))


def when_short(moment: str) -> Markup:
    """23 novembre à 11 h 00"""
    return _time(moment, words.short_date(moment))


def meter(part: int, whole: int) -> Markup:
    """How much of a whole it is; the number stands beside it."""
    width = 1000 * part // whole if whole else 0
    return Markup(  # noqa: S704
        '<svg class="meter" viewBox="0 0 1000 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="meter__track" width="1000" height="8"/>'
        f'<rect class="meter__fill" width="{width}" height="8"/></svg>'
    )


def _time(moment: str, text: str) -> Markup:
    return Markup(f'<time datetime="{escape(moment)}">{escape(text)}</time>')  # noqa: S704
