"""Small pieces of a result's markup, of which a page has hundreds: drawn here, since a macro's call for each would be
most of the page's time. Whatever somebody wrote is escaped; places, lengths and looks are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup, escape

from services.gateway.pages.results.model import Cell, Flow, Span, Text

FILTERS: Final = ("percentage", "cells", "pieces", "ribbons", "texts")


def percentage(thousandths: int) -> Markup:
    """So that what is written in a bar keeps its size."""
    return _safe(_pc(thousandths))


def cells(row: Sequence[Cell | str]) -> Markup:
    """The cells of a table's line."""
    return _safe("".join(_cell(cell) for cell in row))


def pieces(spans: Sequence[Span]) -> Markup:
    """A bar in pieces."""
    return _safe("".join(_piece(span) for span in spans))


def ribbons(flow: Flow) -> Markup:
    """What of a flow grows with the picture's width."""
    drawn = [f'<path class="{r.look}" d="{r.d}"/>' for r in flow.ribbons]
    drawn += [f'<rect class="p {b.look}" x="{b.x}" y="{b.y}" width="{b.width}" height="28"/>' for b in flow.boxes]
    drawn += [f'<line class="mark" x1="{b.x}" x2="{b.x}" y1="{b.y}" y2="{b.y + 34}"/>' for b in flow.lines]
    return _safe("".join(drawn))


def texts(found: Sequence[Text]) -> Markup:
    """What of a flow keeps its size."""
    return _safe("".join(f'<text class="{t.look}" x="{_pc(t.at)}" y="{t.y}">{escape(t.text)}</text>' for t in found))


def _safe(drawn: str) -> Markup:
    return Markup(drawn)  # noqa: S704  every text in it went through `escape`


def _pc(thousandths: int) -> str:
    return f"{thousandths // 10}.{thousandths % 10}%"


def _cell(cell: Cell | str) -> str:
    if isinstance(cell, str):
        return f"<td>{escape(cell)}</td>"
    title = f' title="{escape(cell.title)}"' if cell.title else ""
    text = f"<b>{escape(cell.text)}</b>" if cell.strong else str(escape(cell.text))
    small = f" <small>{escape(cell.small)}</small>" if cell.small else ""
    return f"<td{title}>{text}{small}</td>"


def _piece(span: Span) -> str:
    look = span.look or "plain"
    drawn = f'<rect class="p {look}" x="{_pc(span.at)}" width="{_pc(span.long)}" height="100%"/>'
    if span.key_at is None:
        return drawn
    key = escape(span.key)
    return f'{drawn}<text class="t-{span.look}" x="{_pc(span.key_at)}" y="50%" dy=".36em">{key}</text>'
