"""What staff did, for administrators and auditors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import current_app

from services.gateway.pages import words
from services.gateway.pages.front import front, token, unless_down
from services.gateway.pages.kit.fields import Pick
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.listing import Column, Listing, Rows
from services.gateway.pages.staff.roles import AUDITING, CRUMBS
from services.gateway.store.trail import Deed
from services.shared import web

ROOT: Final = "/agent/journal"
NAME_UNKNOWN: Final = "Personne effacée ou inconnue"
NAME_NOT_NOW: Final = "Nom indisponible pour le moment"


class Filters(Form):
    action = Pick("Action", lambda: [(action, action) for action in actions()], optional=True, nothing="Toutes")


class Told:
    """A deed with the names that go with its subjects; who was erased has none. `names` is None where none can be
    had at the moment."""

    def __init__(self, deed: Deed, names: Mapping[str, str] | None) -> None:
        unknown = NAME_UNKNOWN if names is not None else NAME_NOT_NOW
        found = names or {}
        self.deed = deed
        self.at = words.moment_of(deed.at)
        self.by = found.get(deed.by, unknown)
        self.about = found.get(deed.about, unknown) if deed.about else ""
        self.outcome = _outcome(deed.status)


def _outcome(status: int) -> str:
    if status == 0:
        return "Interrompue : l’issue n’est pas connue"
    return "Faite" if status < 400 else f"Refusée ({status})"


def _rows(filters: Form, number: int) -> Rows:
    deeds, last = front().trail.page(number, action=filters["action"].data or "")
    subjects = {deed.by for deed in deeds} | {deed.about for deed in deeds if deed.about}
    names = unless_down(lambda: front().identity.names(subjects, token("identity")))
    return Rows([Told(deed, names) for deed in deeds], last)


JOURNAL: Final = Listing(
    key="journal",
    path=ROOT,
    title="Journal des actions",
    who=AUDITING,
    help="Chaque action d’un agent y est inscrite avant d’être faite. Rien n’en est retiré.",
    crumbs=CRUMBS,
    columns=(
        Column("Date", lambda told: words.day_and_time(told.at)),
        Column("Qui", lambda told: told.by),
        Column("Action", lambda told: told.deed.action),
        Column("Sur qui", lambda told: told.about),
        Column("Adresse", lambda told: told.deed.place),
        Column("Issue", lambda told: told.outcome),
    ),
    rows=_rows,
    filters=Filters,
    empty="Aucune action n’a encore été faite.",
)


def add_routes(app: web.App) -> None:
    JOURNAL.add_routes(app)


def actions() -> list[str]:
    """Every action that the journal can hold."""
    declared = {getattr(rule, "trail", "") for rule in current_app.url_map.iter_rules()}
    return sorted(declared - {""})
