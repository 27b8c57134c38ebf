"""The desk where people come: signing in a person who shows a paper proof, ordering a code by letter, and the trail of
what is done there."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, request

from services.gateway.clients.codes import Act
from services.gateway.clients.http import ServiceRefused, ServiceUnavailable
from services.gateway.pages import words
from services.gateway.pages.front import front, page, token
from services.gateway.pages.kit import trail
from services.gateway.pages.kit.fields import Choice
from services.gateway.pages.kit.flow import Answers, Flow, Said, Sent, Step
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.listing import Column, Listing, Rows
from services.gateway.pages.staff.journal import NAME_UNKNOWN
from services.gateway.pages.staff.people import NOT_FOUND, PersonForm, found_person
from services.shared import logs, web

AGENT: Final = web.role("agent")
AUDITING: Final = web.role("administrator", "auditor")
ROOT: Final = "/agent/guichet"
SESSION: Final = f"{ROOT}/connexion"
CRUMBS: Final = (("/", "Scrutins"), ("/agent", "Espace agent"))
PROOFS: Final = {
    "identity_card": "Carte nationale d’identité",
    "passport": "Passeport",
    "residence_permit": "Titre de séjour",
    "driving_licence": "Permis de conduire",
    "family_record_book": "Livret de famille",
    "other_official": "Autre document officiel",
}
_ACTS: Final = {
    "sign_in": "Connexion au guichet",
    "letter": "Code par courrier demandé",
    "contacts_asked": "Changement de coordonnées demandé",
    "contacts_confirmed": "Changement de coordonnées confirmé",
    "contacts_withdrawn": "Changement de coordonnées retiré",
}
OWN: Final = "Personne ne se sert soi-même au guichet : demandez à un collègue."
PROOF_HINT: Final = "Seule la sorte de document est notée, jamais son numéro. N’en faites pas de copie."


class SessionForm(PersonForm):
    title = "Connecter une personne présente"
    help = (
        "La personne est devant vous et montre une pièce. Saisissez ses nom, prénom et date de naissance : un code "
        "s’affiche, qu’elle tape sur l’ordinateur du public. Accents et majuscules ne comptent pas."
    )
    send = "Obtenir le code"
    secret = True
    proof = Choice("Pièce présentée", list(PROOFS.items()), ask="Choisissez la pièce présentée", hint=PROOF_HINT)


# --- signing in ---


def session_form() -> Response:
    return _session_page(SessionForm())


def open_session() -> Response:
    """The code is shown once, and kept nowhere here."""
    form: Any = SessionForm(request.form)
    if not form.validate():
        return _session_page(form, 400)
    ours = token("identity")
    try:
        person = found_person(form, ours)
        trail.about(person.subject)
        made = front().desk.open(person.subject, form.proof.data, ours)
    except ServiceUnavailable:
        return _session_page(form, 503, "Le service d’identité ne répond pas : réessayez dans quelques instants.")
    except ServiceRefused as e:
        logs.failure(e.told)
        form.refuse("family_name", NOT_FOUND.text if e.told == "PersonNotFound" else OWN)
        return _session_page(form, 409)
    return page("pages/desk_code.html", code=made.code, minutes=made.minutes, name=person.name)


def _session_page(form: Form, status: int = 200, problem: str = "") -> Response:
    return page("pages/desk_session.html", status, form=form, action=SESSION, problem=problem)


# --- a code by letter ---


def _order(answers: Answers) -> Sent:
    ours = token("identity")
    person = found_person(answers["personne"], ours)
    trail.about(person.subject)
    front().desk.order_letter(person.subject, ours)
    return Sent(
        "Courrier demandé",
        f"Un code part à l’adresse de {person.name} qui figure sur la liste. Il est valable trente jours.",
        [("/agent", "Revenir à l’espace agent")],
    )


LETTER: Final = Flow(
    key="desk_letter",
    path=f"{ROOT}/courrier",
    title="Envoyer un code par courrier",
    who=AGENT,
    steps=(Step("personne", PersonForm),),
    send=_order,
    label="Demander le courrier",
    trail="Code par courrier demandé",
    crumbs=CRUMBS,
    refusals={
        "PersonNotFound": NOT_FOUND,
        "AddressMissing": Said(
            "La liste ne donne pas d’adresse à cette personne : faites-la corriger d’abord.", "personne", "family_name"
        ),
        "TooOften": Said(
            "Un courrier est déjà parti pour cette personne : un par jour au plus.", "personne", "family_name"
        ),
    },
)


# --- the trail ---


def _acts(_filters: Form, number: int) -> Rows:
    found = front().desk.acts(number, token("identity"))
    return Rows(found.acts, found.pages)


def _proof(act: Act) -> str:
    return PROOFS.get(act.proof, act.proof)


ACTS: Final = Listing(
    key="desk_acts",
    path=f"{ROOT}/journal",
    title="Journal du guichet",
    who=AUDITING,
    help="Chaque connexion au guichet, avec la sorte de pièce que l’agent dit avoir vue.",
    crumbs=CRUMBS,
    columns=(
        Column("Date", lambda act: words.day_and_time(act.at)),
        Column("Agent", lambda act: act.by_name or NAME_UNKNOWN),
        Column("Action", lambda act: _ACTS.get(act.act, act.act)),
        Column("Personne", lambda act: act.name or NAME_UNKNOWN),
        Column("Pièce", _proof),
    ),
    rows=_acts,
    empty="Rien n’a encore été fait au guichet.",
)


def add_routes(app: web.App) -> None:
    app.get(SESSION, who=AGENT, quiet=True, endpoint="desk_session")(session_form)
    app.post(SESSION, who=AGENT, quiet=True, endpoint="desk_session_open", trail="Connexion au guichet")(open_session)
    for part in (LETTER, ACTS):
        part.add_routes(app)
