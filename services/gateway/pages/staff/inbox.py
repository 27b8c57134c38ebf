"""All that waits for a second pair of eyes, on one page. What one asked oneself is shown, and others decide on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from services.gateway.clients.registry import Waiting
from services.gateway.pages import words
from services.gateway.pages.front import front, is_caller, token
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.listing import Action, Column, Listing, Rows
from services.gateway.pages.staff import duplicates
from services.gateway.pages.staff.contacts import CONTACTS
from services.gateway.pages.staff.decisions import ROOT
from services.gateway.pages.staff.journal import NAME_UNKNOWN
from services.gateway.pages.staff.rolls import CRUMBS, WHO
from services.gateway.pages.staff.sheets import SHEET
from services.shared import web

_KINDS: Final = {
    "correction": "Correction",
    "contacts": "Nouvelles coordonnées",
    "merge": "Fusion de deux comptes",
    "organisation": "Compte d’organisation",
    "attach": "Rattachement à une liste",
    "erasure": "Effacement",
}


def _rows(_filters: Form, number: int) -> Rows:
    found = front().registry.inbox(number, token("identity"))
    return Rows(found.waiting, found.pages)


def _by(one: Waiting) -> str:
    if is_caller(one.by):
        return "Vous : un collègue doit décider"
    return "La personne elle-même" if one.by == one.subject else one.by_name or NAME_UNKNOWN


def _about(one: Waiting) -> str:
    return f"{_KINDS.get(one.kind, one.kind)}, {one.name or NAME_UNKNOWN}"


def _action(text: str, path: str, fields: Callable[[Waiting], dict[str, str]], *kinds: str, mine: bool) -> Action:
    """A button of these kinds alone; of what one asked oneself, or of what others did."""
    return Action(
        text, path, lambda one: fields(one) if one.kind in kinds and is_caller(one.by) is mine else {}, _about
    )


def _actions() -> list[Action]:
    examined: list[tuple[str, str, Callable[[Waiting], dict[str, str]]]] = [
        ("correction", f"{ROOT}/correction", lambda one: {"id": one.id}),
        ("attach", f"{ROOT}/rattachement", lambda one: {"id": one.id}),
        ("organisation", f"{ROOT}/organisation", lambda one: {"organisation": one.id}),
        ("erasure", f"{ROOT}/effacement", lambda one: {"subject": one.subject}),
        ("merge", f"{duplicates.ROOT}/examen", lambda one: {"first": one.subject, "second": one.other}),
    ]
    made = [_action("Examiner", path, fields, kind, mine=False) for kind, path, fields in examined]
    made += [_action("Voir ma demande", path, fields, kind, mine=True) for kind, path, fields in examined]
    change: Callable[[Waiting], dict[str, str]] = lambda one: {"change": one.id}  # noqa: E731
    made.append(_action("Confirmer", f"{CONTACTS}/confirmation", change, "contacts", mine=False))
    for mine in (False, True):
        made.append(_action("Retirer", f"{CONTACTS}/retrait", change, "contacts", mine=mine))
        subject: Callable[[Waiting], dict[str, str]] = lambda one: {"subject": one.subject}  # noqa: E731
        made.append(_action("Fiche", SHEET, subject, "correction", "attach", "contacts", mine=mine))
    return made


INBOX: Final = Listing(
    key="a-valider",
    path=ROOT,
    title="À valider",
    who=WHO,
    help="Tout ce qui attend un second regard, le plus ancien d’abord. Personne ne valide ce qu’il a demandé.",
    crumbs=CRUMBS,
    columns=(
        Column("Quoi", lambda one: _KINDS.get(one.kind, one.kind)),
        Column("Qui est concerné", lambda one: one.name or NAME_UNKNOWN),
        Column("Demandé par", _by),
        Column("Demandé le", lambda one: words.day_and_time(one.at) if one.at else "Date non gardée"),
    ),
    rows=_rows,
    empty="Rien n’attend de second regard.",
    actions=_actions(),
    done={
        "accepte": "C’est accepté et fait. Votre décision est inscrite au journal.",
        "refuse": "C’est refusé ou retiré : rien n’a changé. Votre décision est inscrite au journal.",
    },
)


def add_routes(app: web.App) -> None:
    INBOX.add_routes(app)
