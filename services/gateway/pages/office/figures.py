"""Figures for those who run polls: every poll with its turnout, and one poll station by station and over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from flask import Response, request

from services.gateway.clients.ballot import Epoch, Listed, Poll
from services.gateway.pages import shared_reads, words
from services.gateway.pages.front import front, needed, page, together, token
from services.gateway.pages.kit.exports import FORMATS, Cell, table_file
from services.gateway.pages.kit.fields import Pick
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.listing import Column, Listing, Rows
from services.gateway.pages.numbers import count, number, percent
from services.gateway.pages.office.making import CRUMBS, ONE, ROOT, WHO
from services.gateway.pages.results.model import Block, Row, Span, Table, Words
from services.gateway.pages.results.model import Cell as Drawn
from services.gateway.pages.results.model import Column as Head
from services.gateway.pages.results.turnout import Turnout, turnout
from services.shared import web
from services.shared.errors import NotFound

FIGURES: Final = "/agent/chiffres"
_STATES: Final = [(code, state.label) for code, state in words.STATES.items()]


class Filters(Form):
    state = Pick("État", _STATES, optional=True, nothing="Tous")


class PublishedFilters(Form):
    state = Pick("État", [one for one in _STATES if one[0] != "draft"], optional=True, nothing="Tous")


def _polls(filters: Form, page: int) -> Rows:
    """Drafts come first, since someone has to go on with them."""
    state = filters["state"].data or ""
    if state == "draft":
        drafts = shared_reads.drafts(page)
        return Rows(drafts.polls, drafts.pages)
    if page == 1 and not state:
        drafts, published = shared_reads.drafts_and_polls()
        return Rows([*drafts.polls, *published.polls], published.pages)
    published = shared_reads.polls(page, state)
    return Rows(published.polls, published.pages)


def _published(filters: Form, page: int) -> Rows:
    found = shared_reads.polls(page, filters["state"].data or "")
    return Rows(found.polls, found.pages)


def _share(poll: Listed) -> str:
    return percent(poll.turnout or 0, poll.roll) if poll.roll else ""


def _drawn(rows: Sequence[Any]) -> Sequence[Block]:
    """A bar a poll: how many of its roll have voted."""
    voted = [poll for poll in rows if poll.roll]
    if not voted:
        return ()
    most = max(voted, key=lambda poll: (poll.turnout or 0) / poll.roll)
    said = f"{count(len(voted), 'scrutin', 'scrutins')} sur cette page. Participation la plus forte : {_share(most)}."
    lines = [_line(poll.title, poll.turnout or 0, poll.roll) for poll in voted]
    return (
        Words("", [said]),
        Table("Part des inscrits qui ont voté", [Head("Scrutin"), Head("Votants")], lines, "bars"),
    )


def _line(label: str, voted: int, roll: int) -> Row:
    share = min(1000, 1000 * voted // roll) if roll else 0
    told = Drawn(number(voted), small=percent(voted, roll), strong=True)
    return Row(label, [told], bar=[Span(0, share, "won")], note=count(roll, "inscrit", "inscrits"))


_TITLE: Final = Column("Scrutin", lambda poll: poll.title, lambda poll: f"{ROOT}/{poll.poll}")
_STATE: Final = Column("État", lambda poll: words.state(poll.state).label)
_DATES: Final = (
    Column("Ouverture", lambda p: words.day_and_time(p.opens_at), value=lambda p: words.clock_of(p.opens_at)),
    Column("Clôture", lambda p: words.day_and_time(p.closes_at), value=lambda p: words.clock_of(p.closes_at)),
)
_NUMBERS: Final = (
    Column("Inscrits", lambda p: number(p.roll or 0), numeric=True, value=lambda p: p.roll or 0),
    Column("Votants", lambda p: number(p.turnout or 0), numeric=True, value=lambda p: p.turnout or 0),
)
LIST: Final = Listing(
    key="officer_polls",
    path=ROOT,
    title="Scrutins à conduire",
    who=WHO,
    help="Les scrutins en préparation d’abord, puis ceux qui sont ouverts.",
    crumbs=CRUMBS[:2],
    columns=(_TITLE, _STATE, *_DATES),
    rows=_polls,
    filters=Filters,
    empty="Aucun scrutin. Préparez le premier.",
    links=((f"{ROOT}/nouveau", "Préparer un scrutin"),),
)
OVERVIEW: Final = Listing(
    key="chiffres",
    path=FIGURES,
    title="Chiffres des scrutins",
    who=WHO,
    help="Participation aux derniers lots scellés : ce qui attend encore dans l’urne n’y est pas.",
    crumbs=CRUMBS[:2],
    columns=(
        Column("Scrutin", lambda poll: poll.title, lambda poll: f"{ROOT}/{poll.poll}/chiffres"),
        _STATE,
        *_DATES,
        *_NUMBERS,
        Column("Participation", _share, numeric=True),
    ),
    rows=_published,
    filters=PublishedFilters,
    drawn=_drawn,
    empty="Aucun scrutin n’est encore publié.",
)


def one_poll(poll: UUID) -> Response:
    """In words, as pictures, as tables; each table as a file."""
    found, epochs = together(
        lambda: front().ballot.poll(str(poll), token("ballot")), lambda: front().ballot.epochs(str(poll))
    )
    found = needed(found)
    wanted = request.args.get("format", "")
    if wanted in FORMATS:
        return _file(wanted, found, epochs)
    values: dict[str, Any] = {"poll": found, "m": found.manifest, "down": epochs is None, "blocks": _stations(found)}
    values |= {"sentences": _said(found), "apart": _apart(found, epochs or [])}
    return page("pages/officer_figures.html", turnout=turnout(epochs) if epochs else None, **values)


def _apart(found: Poll, epochs: list[Epoch]) -> list[tuple[str, str, Turnout]]:
    """Each station's own, where there are several."""
    if len(found.stations) < 2:
        return []
    by = {s.station: [e for e in epochs if e.station == s.station] for s in found.stations}
    return [(s.station, s.label, turnout(by[s.station])) for s in found.stations if by[s.station]]


def _said(found: Poll) -> list[str]:
    roll, voted = found.roll or 0, found.turnout or 0
    taken = count(found.issued, "droit de vote délivré", "droits de vote délivrés")
    said = [
        f"{count(voted, 'votant', 'votants')} sur {count(roll, 'inscrit', 'inscrits')}, soit {percent(voted, roll)}."
    ]
    if found.state in ("closing", "closed", "tallied"):
        again = count(found.reissued, "réédition", "rééditions")
        return [*said, f"{taken[0].upper()}{taken[1:]}, et {again}."]
    return [*said, "Les droits de vote délivrés et réédités sont comptés à la clôture."]


def _rolls(found: Poll) -> dict[str, int]:
    """Station → how many people vote there."""
    return {stratum.station: stratum.roll_size or 0 for stratum in found.manifest.strata}


def _stations(found: Poll) -> list[Block]:
    rolls = _rolls(found)
    lines = [_line(s.label, s.turnout, rolls.get(s.station, 0)) for s in found.stations]
    return [Table("Part des inscrits qui ont voté, par bureau", [Head("Bureau"), Head("Votants")], lines, "bars")]


def _file(format: str, found: Poll, epochs: list[Epoch] | None) -> Response:
    labels = {station.station: station.label for station in found.stations}
    match request.args.get("table"):
        case "bureaux":
            head = ("Bureau", "Inscrits", "Votants", "Lots scellés")
            return table_file(format, f"bureaux-{found.poll}", head, _station_rows(found))
        case "lots":
            rows: list[tuple[Cell, ...]] = [
                (labels.get(e.station, e.station), e.epoch, e.turnout) for e in needed(epochs)
            ]
            return table_file(format, f"lots-{found.poll}", ("Bureau", "Lot", "Votants cumulés"), rows)
        case _:
            raise NotFound(field="table")


def _station_rows(found: Poll) -> Iterator[tuple[Cell, ...]]:
    rolls = _rolls(found)
    yield from ((s.label, rolls.get(s.station, 0), s.turnout, s.epochs) for s in found.stations)


def add_routes(app: web.App) -> None:
    OVERVIEW.add_routes(app)
    app.get(f"{ONE}/chiffres", who=WHO, endpoint="poll_figures")(one_poll)
