"""A list with search, filters, paging, an empty state and an export, declared once.

HOLDERS = Listing("roles", "/agent/roles", "Rôles", who=ADMINISTRATOR, columns=(…), rows=_rows, filters=Filters)
HOLDERS.add_routes(app)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from flask import Response, current_app, get_template_attribute, request
from markupsafe import Markup

from services.gateway.clients.http import ServiceUnavailable
from services.gateway.pages import language
from services.gateway.pages.front import page, speak
from services.gateway.pages.kit.exports import FORMATS, Cell, table_file
from services.gateway.pages.kit.form import Form
from services.gateway.pages.results.model import Block
from services.shared import web

_MOST_PAGES: Final = 500  # of an export


@dataclass(frozen=True, slots=True)
class Column:
    """`words(row)`: the cell's text; `link(row)`: where it leads, if anywhere; `value(row)`: the number or the moment
    that the words tell, for exports."""

    title: str
    words: Callable[[Any], str]
    link: Callable[[Any], str] | None = None
    numeric: bool = False
    value: Callable[[Any], Cell] | None = None

    def cell(self, row: Any) -> Cell:
        return (self.value or self.words)(row)


@dataclass(frozen=True, slots=True)
class Rows:
    """A page's rows, and the last page that is known to be there."""

    rows: Sequence[Any]
    last: int = 1


@dataclass(frozen=True, slots=True)
class Action:
    """A button of a row. It posts `fields(row)` to `path`, a `kit.confirm.Confirm`, which asks before it acts: what a
    row is about may be a person, whom no address names. No fields: no button."""

    text: str
    path: str
    fields: Callable[[Any], dict[str, str]]
    about: Callable[[Any], str]
    """What the row is, read aloud after the text."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    key: str
    path: str
    """May hold names, as `…/<uuid:roll_import>/rapport`; `rows` finds them in `request.view_args`."""
    title: str
    who: web.Who
    columns: Sequence[Column]
    rows: Callable[[Form, int], Rows]
    """The rows for these filters and this page. ServiceUnavailable costs the table, not the page."""
    filters: type[Form] = Form
    empty: str = "Rien à montrer ici pour le moment."
    none_found: str = "Rien ne répond à ces critères. Élargissez votre recherche."
    help: str = ""
    crumbs: Sequence[tuple[str, str]] = (("/", "Scrutins"),)
    links: Sequence[tuple[str, str]] = ()
    """Buttons above the table: (address, text)."""
    actions: Sequence[Action] = field(default_factory=tuple)
    drawn: Callable[[Sequence[Any]], Sequence[Block]] | None = None
    """What these rows say as sentences and pictures, above the table."""
    done: dict[str, str] = field(default_factory=dict)
    """What `?fait=…` says above the list, after an action."""

    def add_routes(self, app: web.App) -> None:
        app.get(self.path, who=self.who, endpoint=self.key)(self.show)

    def at(self) -> str:
        """Its address, with the names filled in."""
        at = self.path
        for name, value in (request.view_args or {}).items():
            at = at.replace(f"<uuid:{name}>", str(value)).replace(f"<{name}>", str(value))
        return at

    def show(self, **_place: Any) -> Response:
        filters = self.filters(request.args)
        number = web.page()
        if not filters.validate():
            return self._page(filters, Rows(()), number, 400)
        if (wanted := request.args.get("format", "")) in FORMATS:
            return table_file(wanted, self.key, [column.title for column in self.columns], self._all(filters))
        try:
            found = self.rows(filters, number)
        except ServiceUnavailable:
            return self._page(filters, None, number)
        return self._page(filters, found, number)

    def _all(self, filters: Form) -> Iterator[list[Cell]]:
        for number in range(1, _MOST_PAGES + 1):
            found = self.rows(filters, number)
            yield from ([column.cell(row) for column in self.columns] for row in found.rows)
            if found.last <= number:
                return

    def _page(self, filters: Form, found: Rows | None, number: int, status: int = 200) -> Response:
        speak("kit/list.html")
        asked = [(f.name, v) for f in filters for v in f.raw_data or () if v]
        values = {"list": self, "at": self.at(), "filters": filters, "found": found, "number": number, "asked": asked}
        values |= {"blocks": self.drawn(found.rows) if self.drawn and found and found.rows else ()}
        values |= {"criteria": _drawn(filters) if asked else _unasked(self.filters)}
        values |= {"query": urlencode(asked), "done": self.done.get(request.args.get("fait", ""))}
        return page("kit/list.html", status, **values)


def _unasked(filters: type[Form]) -> Markup:
    """The fields as they come, the same for everyone who reads that language: drawn once."""
    drawn: dict[tuple[type[Form], str], Markup] = current_app.extensions.setdefault("unasked filters", {})
    key = (filters, language.main())
    if key not in drawn:
        drawn[key] = _drawn(filters())
    return drawn[key]


def _drawn(filters: Form) -> Markup:
    fields: Callable[[Form], Markup] = get_template_attribute("kit/fields.html", "fields")
    return fields(filters)
