"""How a person is reached: an agent asks for a change at the desk, another one confirms it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.gateway.clients.codes import Change
from services.gateway.pages import words
from services.gateway.pages.front import front, session, token
from services.gateway.pages.kit import trail
from services.gateway.pages.kit.confirm import Asked, Confirm
from services.gateway.pages.kit.fields import Choice, Text
from services.gateway.pages.kit.flow import Answers, Flow, Said, Sent, Step
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.listing import Action, Column, Listing, Rows
from services.gateway.pages.staff.people import NOT_FOUND, PersonForm, found_person
from services.gateway.pages.staff.reception import AGENT, CRUMBS, OWN, PROOF_HINT, PROOFS, ROOT
from services.shared import web
from services.shared.errors import NotFound

CONTACTS: Final = f"{ROOT}/coordonnees"


class ContactsForm(Form):
    title = "Nouvelles coordonnées"
    help = "Laissez vide ce par quoi la personne ne veut plus être jointe. Un autre agent doit confirmer."
    email = Text("Adresse électronique", optional=True, longest=254, autocomplete="off")
    phone = Text(
        "Numéro de téléphone", optional=True, longest=40, autocomplete="off", hint="Par exemple : 06 39 98 00 12"
    )
    proof = Choice("Pièce présentée", list(PROOFS.items()), ask="Choisissez la pièce présentée", hint=PROOF_HINT)


def _ask_change(answers: Answers) -> Sent:
    ours, asked = token("identity"), answers["coordonnees"]
    person = found_person(answers["personne"], ours)
    trail.about(person.subject)
    front().desk.ask_change(person.subject, asked.proof.data, asked.email.data or "", asked.phone.data or "", ours)
    return Sent(
        "Changement demandé",
        f"Un autre agent doit confirmer les nouvelles coordonnées de {person.name}.",
        [(CONTACTS, "Voir les changements en attente")],
    )


CHANGE: Final = Flow(
    key="desk_contacts",
    path=f"{CONTACTS}/nouvelles",
    title="Changer les coordonnées d’une personne",
    who=AGENT,
    steps=(Step("personne", PersonForm), Step("coordonnees", ContactsForm)),
    send=_ask_change,
    label="Demander ce changement",
    trail="Changement de coordonnées demandé",
    crumbs=(*CRUMBS, (CONTACTS, "Changements en attente")),
    refusals={
        "PersonNotFound": NOT_FOUND,
        "OwnAccount": Said(OWN, "personne", "family_name"),
        "ContactRefused": Said(
            "Vérifiez l’adresse et le numéro : l’un des deux n’a pas la bonne forme.", "coordonnees", "email"
        ),
        "NothingChanges": Said("Ce sont déjà les coordonnées connues.", "coordonnees", "email"),
    },
)


def _waiting(_filters: Form, _number: int) -> Rows:
    return Rows(front().desk.changes(token("identity")))


def _mine(change: Change) -> bool:
    person = session()
    return person is not None and person.subject in (change.asked_by, change.subject)


def _change(given: Mapping[str, str]) -> Change:
    found = next((c for c in front().desk.changes(token("identity")) if c.change == given["change"]), None)
    if found is None:
        raise NotFound(field="change")
    return found


def _rows(change: Change) -> list[tuple[str, str]]:
    return [
        ("Adresse actuelle", change.former_email or "Aucune"),
        ("Nouvelle adresse", change.email or "Aucune"),
        ("Numéro actuel", change.former_phone or "Aucun"),
        ("Nouveau numéro", change.phone or "Aucun"),
        ("Pièce vue par votre collègue", PROOFS.get(change.proof, change.proof)),
    ]


def _ask_confirm(given: Mapping[str, str]) -> Asked:
    change = _change(given)
    return Asked(
        f"Confirmer les nouvelles coordonnées de {change.name} ?",
        "Les codes de connexion y seront envoyés aussitôt. La personne en est prévenue à ses anciennes coordonnées.",
        _rows(change),
    )


def _confirm(given: Mapping[str, str]) -> str:
    trail.about(_change(given).subject)
    front().desk.confirm_change(given["change"], token("identity"))
    return f"{CONTACTS}?fait=confirme"


def _ask_withdraw(given: Mapping[str, str]) -> Asked:
    change = _change(given)
    return Asked(
        f"Retirer ce changement pour {change.name} ?", "Ses coordonnées restent ce qu’elles sont.", _rows(change)
    )


def _withdraw(given: Mapping[str, str]) -> str:
    trail.about(_change(given).subject)
    front().desk.withdraw_change(given["change"], token("identity"))
    return f"{CONTACTS}?fait=retire"


_GONE: Final = "Ce changement a été confirmé, retiré ou remplacé entre-temps."
CONFIRM: Final = Confirm(
    key="desk_contacts_confirm",
    path=f"{CONTACTS}/confirmation",
    who=AGENT,
    fields=("change",),
    ask=_ask_confirm,
    do=_confirm,
    label="Confirmer ces coordonnées",
    back=CONTACTS,
    trail="Changement de coordonnées confirmé",
    crumbs=(*CRUMBS, (CONTACTS, "Changements en attente")),
    refusals={
        "SecondPersonNeeded": "Vous avez demandé ce changement : un autre agent doit le confirmer.",
        "OwnAccount": OWN,
        "ChangeUnknown": _GONE,
    },
)
WITHDRAW: Final = Confirm(
    key="desk_contacts_withdraw",
    path=f"{CONTACTS}/retrait",
    who=AGENT,
    fields=("change",),
    ask=_ask_withdraw,
    do=_withdraw,
    label="Retirer ce changement",
    back=CONTACTS,
    trail="Changement de coordonnées retiré",
    crumbs=(*CRUMBS, (CONTACTS, "Changements en attente")),
    refusals={"ChangeUnknown": _GONE},
)
WAITING: Final = Listing(
    key="desk_changes",
    path=CONTACTS,
    title="Changements de coordonnées en attente",
    who=AGENT,
    help="Chaque changement attend un second agent, qui n’est pas celui qui l’a demandé.",
    crumbs=CRUMBS,
    columns=(
        Column("Personne", lambda change: change.name),
        Column("Nouvelle adresse", lambda change: change.email or "Aucune"),
        Column("Nouveau numéro", lambda change: change.phone or "Aucun"),
        Column("Demandé", lambda change: words.day_and_time(change.at)),
    ),
    rows=_waiting,
    empty="Aucun changement n’attend.",
    links=((f"{CONTACTS}/nouvelles", "Changer des coordonnées"),),
    actions=(
        Action(
            "Confirmer",
            f"{CONTACTS}/confirmation",
            lambda change: {} if _mine(change) else {"change": change.change},
            lambda change: f"coordonnées de {change.name}",
        ),
        Action(
            "Retirer",
            f"{CONTACTS}/retrait",
            lambda change: {"change": change.change},
            lambda change: f"coordonnées de {change.name}",
        ),
    ),
    done={"confirme": "Les coordonnées sont changées.", "retire": "Le changement est retiré."},
)


def add_routes(app: web.App) -> None:
    for part in (CHANGE, WAITING, CONFIRM, WITHDRAW):
        part.add_routes(app)
