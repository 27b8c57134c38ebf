"""What is said of a roll file's lines, and all the files that came: lists that can be taken along."""

from __future__ import annotations

from typing import Final

from flask import request

from services.gateway.clients.rolls import LISTED, Imports, Line
from services.gateway.pages import words
from services.gateway.pages.front import front, token
from services.gateway.pages.kit.fields import Pick
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.listing import Column, Listing, Rows
from services.gateway.pages.staff import roll_words
from services.gateway.pages.staff.journal import NAME_UNKNOWN
from services.gateway.pages.staff.roll_import import ONE
from services.gateway.pages.staff.rolls import IMPORT, IMPORTS, UNDER, WHO
from services.shared import web

_SOME_LINES: Final = 100


class KindFilter(Form):
    kind = Pick("Lignes", list(roll_words.KINDS.items()), optional=True, nothing="Toutes celles dont il y a à dire")


def _lines(filters: Form, number: int) -> Rows:
    id, kind = str((request.view_args or {})["roll_import"]), filters["kind"].data or ""
    found = front().rolls.lines(id, kind, number, _SOME_LINES, token("identity"))
    return Rows(found, number + (len(found) == _SOME_LINES))


def _reason(line: Line) -> roll_words.Reason:
    return roll_words.reason(line.reason)


LINES: Final = Listing(
    key="rapport-import",
    path=f"{ONE}/rapport",
    title="Rapport ligne par ligne",
    who=WHO,
    help="Ce qu’il y a à dire de chaque ligne, jamais ce qu’elle contient. Les lignes sans remarque n’y sont pas.",
    crumbs=(*UNDER, (IMPORTS, "Imports")),
    columns=(
        Column("Ligne", lambda line: words.number(line.line), numeric=True, value=lambda line: line.line),
        Column("Résultat", lambda line: roll_words.KINDS.get(line.kind, line.kind)),
        Column("Champ", lambda line: roll_words.field(line.field)),
        Column("Raison", lambda line: _reason(line).what),
        Column("Que faire", lambda line: _reason(line).todo),
    ),
    rows=_lines,
    filters=KindFilter,
    empty="Il n’y a rien à dire des lignes de ce fichier.",
    none_found="Aucune ligne n’est dans ce cas.",
)


def _imports(_filters: Form, number: int) -> Rows:
    found: Imports = front().rolls.imports(number, token("identity"))
    rows = [(one, found.names.get(one.asked_by, NAME_UNKNOWN)) for one in found.imports]
    return Rows(rows, number + (len(rows) == LISTED))


HISTORY: Final = Listing(
    key="imports",
    path=IMPORTS,
    title="Imports de listes",
    who=WHO,
    help="Les fichiers envoyés, du plus récent au plus ancien. Un fichier est détruit dès qu’il est importé.",
    crumbs=UNDER,
    columns=(
        Column(
            "Envoyé le",
            lambda row: words.day_and_time(row[0].at),
            lambda row: f"{IMPORT}/{row[0].id}",
            value=lambda row: words.clock_of(row[0].at),
        ),
        Column("Par", lambda row: row[1]),
        Column("Liste", lambda row: row[0].stratum or "Celle de chaque ligne"),
        Column("État", lambda row: roll_words.STATES.get(row[0].state, row[0].state)),
        Column("Lignes", lambda row: words.number(row[0].total), numeric=True, value=lambda row: row[0].total),
        Column("Ajoutées", lambda row: words.number(row[0].added), numeric=True, value=lambda row: row[0].added),
        Column("Changées", lambda row: words.number(row[0].altered), numeric=True, value=lambda row: row[0].altered),
    ),
    rows=_imports,
    empty="Aucun fichier n’a encore été envoyé.",
    links=((IMPORT, "Importer une liste"),),
    done={"abandonne": "L’import est abandonné, son fichier est détruit."},
)


def add_routes(app: web.App) -> None:
    for part in (LINES, HISTORY):
        part.add_routes(app)
