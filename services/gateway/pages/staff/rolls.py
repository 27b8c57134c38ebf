"""Voter rolls: which there are, how many people stand on each, and how each was frozen for polls."""

from __future__ import annotations

from typing import Final

from flask import Response, request

from services.gateway.clients.identity import Stratum
from services.gateway.clients.rolls import Frozen
from services.gateway.pages import words
from services.gateway.pages.front import front, needed, page, together, token
from services.gateway.pages.kit.exports import FORMATS, table_file
from services.gateway.pages.kit.fields import Text
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.listing import Column, Listing, Rows
from services.gateway.pages.staff.roll_words import STATES
from services.shared import web

WHO: Final = web.role("agent", "administrator")
ROOT: Final = "/agent/listes"
IMPORTS: Final = f"{ROOT}/imports"
IMPORT: Final = f"{ROOT}/import"
CRUMBS: Final = (("/", "Scrutins"), ("/agent", "Espace agent"))
UNDER: Final = (*CRUMBS, (ROOT, "Listes électorales"))


class Search(Form):
    q = Text("Nom de la liste", optional=True, longest=40)


def _rows(filters: Form, _number: int) -> Rows:
    wanted = (filters["q"].data or "").casefold()
    return Rows([one for one in front().rolls.strata(token("identity")) if wanted in one.stratum])


def _address(one: Stratum) -> str:
    return f"{ROOT}/liste/{one.stratum}"


def one_roll(stratum: str) -> Response:
    """A stratum today, and each poll's roll that holds it, as anybody can check it."""
    ours = token("identity")
    sheet, polls = together(lambda: front().rolls.stratum(stratum, ours), lambda: front().ballot.polls(1))
    found = needed(sheet)
    titles = {one.poll: one.title for one in polls.polls} if polls else None
    if (wanted := request.args.get("format", "")) in FORMATS:
        head = ("Scrutin", "Titre", "Ouverture", "Personnes", "Racine")
        return table_file(wanted, f"liste-{stratum}", head, [_row(one, titles or {}) for one in found.frozen])
    return page("pages/roll.html", sheet=found, titles=titles, states=STATES)


def _row(one: Frozen, titles: dict[str, str]) -> tuple[str | int, ...]:
    return (one.poll, titles.get(one.poll, ""), words.day_and_time(one.opens_at), one.roll_size, one.roll_root)


LIST: Final = Listing(
    key="rolls",
    path=ROOT,
    title="Listes électorales",
    who=WHO,
    help=(
        "Les personnes qui seraient sur une liste figée aujourd’hui. À la publication d’un scrutin, ses listes sont "
        "figées : leur taille et leur racine, une empreinte de toutes leurs lignes, sont alors publiques."
    ),
    crumbs=CRUMBS,
    columns=(
        Column("Liste", lambda one: one.stratum, _address),
        Column("Personnes", lambda one: words.number(one.people), numeric=True, value=lambda one: one.people),
    ),
    rows=_rows,
    filters=Search,
    empty="Personne n’est encore sur une liste. Importez-en une.",
    links=((IMPORT, "Importer une liste"), (IMPORTS, "Voir les imports")),
)


def add_routes(app: web.App) -> None:
    LIST.add_routes(app)
    app.get(f"{ROOT}/liste/<stratum>", who=WHO, endpoint="roll")(one_roll)
