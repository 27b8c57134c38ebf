"""A person as agents see them: found by names and birth date, shown with all that was written down, corrected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, request

from services.gateway.clients.http import ServiceRefused, ServiceUnavailable
from services.gateway.clients.persons import Entry, Person
from services.gateway.clients.registry import Sheet
from services.gateway.pages import words
from services.gateway.pages.front import front, page, token
from services.gateway.pages.kit import trail
from services.gateway.pages.kit.confirm import Asked, Confirm
from services.gateway.pages.kit.fields import LongText, Pick, Text
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.steps import Said
from services.gateway.pages.staff.entries import FIELDS, UNKNOWN, happened, person_rows
from services.gateway.pages.staff.people import NOT_FOUND, PersonForm, found_person
from services.gateway.pages.staff.roles import FOR_GOOD, NAMES
from services.gateway.pages.staff.rolls import CRUMBS, WHO
from services.shared import web

ROOT: Final = "/agent/personnes"
SHEET: Final = f"{ROOT}/fiche"
_UNDER: Final = (*CRUMBS, (ROOT, "Personnes"))
_DOWN: Final = "Un service ne répond pas : réessayez dans quelques instants."
_SEEN: Final = "Fiche de personne consultée"
OWN: Final = "Personne ne décide de son propre cas : demandez à un collègue."
_DONE: Final = {
    "corrige": "La correction est faite. La personne la retrouve dans son dossier.",
    "demande": "La correction est demandée. Un autre agent doit la valider.",
}


class CorrectionForm(Form):
    field = Pick(
        "Ce qui est à corriger",
        list(FIELDS.items()),
        ask="Choisissez ce qui est à corriger",
        hint="Nom, prénom, date de naissance, courriel et téléphone attendent un second agent.",
    )
    value = Text("Nouvelle valeur", optional=True, autocomplete="off", hint="Vide : ce qui est connu est effacé.")
    reason = LongText(
        "Motif",
        ask="Indiquez le motif",
        rows=3,
        hint="La personne le lit. Par exemple : livret de famille présenté au guichet.",
    )


# --- finding ---


def search_form() -> Response:
    return _search_page(PersonForm())


def search() -> Response:
    form: Any = PersonForm(request.form)
    if not form.validate():
        return _search_page(form, 400)
    ours = token("identity")
    try:
        person = found_person(form, ours)
        return _sheet_page(front().registry.sheet(person.subject, ours))
    except ServiceUnavailable:
        return _search_page(form, 503, _DOWN)
    except ServiceRefused:
        form.refuse("family_name", NOT_FOUND.text)
        return _search_page(form, 404)


def sheet() -> Response:
    """Of somebody whom another page named: their subject comes in the body."""
    return _sheet_page(front().registry.sheet(request.form.get("subject", "")[:64], token("identity")))


def _search_page(form: Form, status: int = 200, problem: str = "") -> Response:
    done = _DONE.get(request.args.get("fait", ""), "")
    return page("pages/person_search.html", status, form=form, action=ROOT, problem=problem, crumbs=CRUMBS, done=done)


def _sheet_page(found: Sheet) -> Response:
    trail.about(found.person.subject)
    history = [{"at": entry.at, "title": happened(entry)[0], "text": _told(entry, found)} for entry in found.entries]
    roles = [(NAMES.get(r.role, r.role), words.day_and_time(r.since), _until(r.until)) for r in found.roles]
    values: dict[str, Any] = {"found": found, "rows": person_rows(found.person), "history": history, "roles": roles}
    return page("pages/person.html", crumbs=_UNDER, root=ROOT, **values)


def _told(entry: Entry, found: Sheet) -> str:
    by = "la personne elle-même" if entry.by == found.person.subject else found.names.get(entry.by, UNKNOWN)
    said = [f"Par {by}.", *happened(entry)[1]]
    if entry.decided_by:
        decided = found.names.get(entry.decided_by, UNKNOWN)
        said.append(f"Décidé par {decided}, {words.day_and_time(entry.decided_at)}.")
    return " ".join(said)


def _until(moment: str) -> str:
    return "Sans fin prévue" if moment.startswith(FOR_GOOD) else words.day_and_time(moment)


# --- correcting ---


def _person(given: Mapping[str, str]) -> Person:
    return front().registry.sheet(given["subject"], token("identity")).person


def _ask_correction(given: Mapping[str, str]) -> Asked:
    person = _person(given)
    text = "Ce qui est connu aujourd’hui, puis ce qui est à corriger. La personne lit chaque correction et son motif."
    return Asked(f"Correction : {person.display_name}", text, person_rows(person))


def _correct(given: Mapping[str, str]) -> str:
    trail.about(given["subject"])
    told = (given["subject"], given["field"], given["value"], given["reason"])
    state = front().registry.correct(*told, token("identity"))
    return f"{ROOT}?fait={'demande' if state == 'asked' else 'corrige'}"


CORRECT: Final = Confirm(
    key="person_correct",
    path=f"{ROOT}/correction",
    who=WHO,
    fields=("subject",),
    ask=_ask_correction,
    do=_correct,
    form=CorrectionForm,
    label="Corriger",
    back=ROOT,
    trail="Correction demandée",
    crumbs=_UNDER,
    gone="Cette personne n’est plus connue.",
    refusals={
        "OwnCase": OWN,
        "NotOnARoll": Said("Ce compte n’est sur aucune liste : rattachez-le d’abord.", field="field"),
        "PersonAlreadyKnown": "Une autre personne porte déjà ces nom, prénom et date de naissance.",
        "BadInput.value": Said(
            "Cette valeur ne convient pas : elle est déjà celle connue, ou n’a pas la bonne forme.", field="value"
        ),
    },
)


def add_routes(app: web.App) -> None:
    app.get(ROOT, who=WHO, quiet=True, endpoint="person_search")(search_form)
    app.post(ROOT, who=WHO, quiet=True, endpoint="person_found", trail=_SEEN)(search)
    app.post(SHEET, who=WHO, quiet=True, endpoint="person_sheet", trail=_SEEN)(sheet)
    CORRECT.add_routes(app)
