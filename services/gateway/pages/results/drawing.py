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
    place = f'class="p {span.look or "plain"}" x="{_pc(span.at)}" width="{_pc(span.long)}"'
    if span.key_at is None:
        return f'<rect {place} height="100%"/>'
    within = _pc((span.key_at - span.at) * 1000 // span.long)  # nearly always the middle, which compresses
    key = f'<text x="{within}" y="50%" dy=".36em">{escape(span.key)}</text>'
    return f'<svg {place}><rect width="100%" height="100%"/>{key}</svg>'
