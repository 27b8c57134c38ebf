"""Associations that a person speaks for: asking for an account, naming and ending delegates."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from flask import Response, g, request
from stdnum.fr import siren, siret
from wtforms.validators import ValidationError

from services.gateway.clients.http import ServiceRefused
from services.gateway.clients.own import Access, Delegate
from services.gateway.clients.persons import Represented
from services.gateway.pages import words
from services.gateway.pages.front import front, own_data, page, subject, together, token, unless_down
from services.gateway.pages.kit.confirm import Asked, Confirm
from services.gateway.pages.kit.fields import Choice, Day, Pick, Text
from services.gateway.pages.kit.flow import Answers, Flow, Said, Sent, Step
from services.gateway.pages.kit.form import Form
from services.shared import web
from services.shared.errors import NotFound

ROOT: Final = "/mon-espace/associations"
NEW: Final = f"{ROOT}/nouvelle"
CRUMBS: Final = (("/", "Scrutins"), ("/mon-espace", "Mon espace"))
KINDS: Final = {"rna": "Numéro RNA", "siren": "Numéro SIREN", "siret": "Numéro SIRET"}
STATES: Final = {"asked": "En attente d’un agent", "active": "Confirmée", "refused": "Refusée"}
FOR_GOOD: Final = "9999"
_SHAPES: Final = {"rna": "W suivi de 9 chiffres", "siren": "9 chiffres", "siret": "14 chiffres"}
_DONE: Final = {"fin": "Cette personne ne parle plus au nom de l’association."}


class OrganisationForm(Form):
    title = "Quelle association ?"
    help = "Un agent vérifiera qu’elle figure au registre, puis vous pourrez parler en son nom."
    name = Text("Nom de l’association", ask="Saisissez le nom de l’association", autocomplete="organization")
    kind = Choice(
        "Quel numéro allez-vous donner ?",
        list(KINDS.items()),
        ask="Choisissez la sorte de numéro",
        hints={kind: f"{shape[0].upper()}{shape[1:]}" for kind, shape in _SHAPES.items()},
    )
    number = Text("Numéro", ask="Saisissez le numéro", longest=30, width="20", autocomplete="off")
    address = Text("Adresse du siège", ask="Saisissez l’adresse du siège", autocomplete="off")

    def validate_number(self, field: Any) -> None:
        kind = self["kind"].data
        if field.data and kind in KINDS and not _is_number(kind, field.data):
            raise ValidationError(
                f"Ce {KINDS[kind].lower().replace(kind, kind.upper())} n’en est pas un : {_SHAPES[kind]}"
            )


def _choices() -> list[tuple[str, str]]:
    """Associations that the signed-in person speaks for; asked once a request. A form that was sent comes back with
    what was typed, whether or not identity answers."""
    if "associations" not in g:
        data = own_data() if request.method == "GET" else unless_down(own_data)
        g.associations = [(one.subject, one.name) for one in held(data) if one.until] if data else []
    return list(g.associations)


class DelegateForm(Form):
    title = "Qui parlera aussi au nom de l’association ?"
    help = "Demandez à cette personne son numéro de compte : elle le trouve en haut de sa page « Mes données »."
    organisation = Pick("Association", _choices, ask="Choisissez l’association")
    number = Text(
        "Numéro de compte de la personne", ask="Saisissez son numéro de compte", longest=64, autocomplete="off"
    )
    until = Day("Jusqu’au", optional=True, hint="Au début de ce jour. Laissez vide : aussi longtemps que vous.")


def show() -> Response:
    ours = token("identity")
    data, delegates = together(own_data, lambda: front().own.delegates(ours))
    done = _DONE.get(request.args.get("fait", ""))
    values: dict[str, Any] = {
        "held": data and held(data),
        "delegates": delegates,
        "done": done,
        "kinds": KINDS,
        "ends": ends,
        "states": STATES,
        "own": subject(),
    }
    return page("pages/associations.html", **values)


def held(data: Access) -> list[Represented]:
    """One row an organisation: those that were asked for, and those that the person speaks for now."""
    now = words.moment_of(int(time.time()))
    return [one for one in data.organisations if not one.until or one.since <= now < one.until]


def ends(until: str) -> str:
    return "Sans fin prévue" if until.startswith(FOR_GOOD) else words.day_and_time(until)


def _register(answers: Answers) -> Sent:
    form = answers["association"]
    told = {name: form[name].data for name in ("name", "kind", "number", "address")}
    front().own.register(told, answers.id, token("identity"))
    text = "Un agent va vérifier l’association au registre. Sa réponse paraîtra sous « Mes associations »."
    return Sent("Demande envoyée", text, [(ROOT, "Voir mes associations")])


def _add(answers: Answers) -> Sent:
    form = answers["delegue"]
    until = words.instant(form.until.value) if form.until.value else ""
    number = "".join(form.number.data.split()).lower()
    try:
        ended = front().own.add_delegate(form.organisation.data, number, until, token("identity"))
    except NotFound as e:
        raise ServiceRefused("NotFound", e.reason, "number") from None
    text = f"Cette personne parle au nom de l’association dès sa prochaine connexion. Fin : {ends(ended)}."
    return Sent("Délégué ajouté", text, [(ROOT, "Voir mes associations")])


def _found(given: Mapping[str, str]) -> Delegate:
    for one in front().own.delegates(token("identity")):
        if (one.organisation, one.subject) == (given["organisation"], given["subject"]):
            return one
    raise NotFound(field="subject")


def _ask_end(given: Mapping[str, str]) -> Asked:
    text = "Elle ne pourra plus parler ni agir au nom de l’association."
    if given["subject"] == subject():
        text = "C’est vous-même. Si personne d’autre ne parle en son nom, seul un agent pourra nommer quelqu’un."
    return Asked(f"Retirer {_found(given).name} ?", text)


def _end(given: Mapping[str, str]) -> str:
    front().own.end_delegate(given["organisation"], given["subject"], token("identity"))
    return f"{ROOT}?fait=fin"


REGISTER: Final = Flow(
    key="association",
    path=NEW,
    title="Inscrire une association",
    who=web.SIGNED_IN,
    steps=(Step("association", OrganisationForm),),
    send=_register,
    label="Envoyer cette demande",
    crumbs=(*CRUMBS, (ROOT, "Mes associations")),
    refusals={
        "OrganisationKnown": Said(
            "Une association de ce numéro est déjà connue : demandez à l’un de ses délégués, ou à un agent.",
            *("association", "number"),
        ),
        "TooManyRequests": Said("Trois de vos demandes attendent déjà un agent.", "association", "name"),
        "BadInput": Said("Vérifiez ce qui est écrit : un caractère ne convient pas.", "association", "name"),
    },
)
ADD: Final = Flow(
    key="delegate",
    path=f"{ROOT}/delegue",
    title="Ajouter un délégué",
    who=web.SIGNED_IN,
    steps=(Step("delegue", DelegateForm),),
    send=_add,
    label="Ajouter ce délégué",
    crumbs=(*CRUMBS, (ROOT, "Mes associations")),
    refusals={
        "NotFound": Said("Personne n’a ce numéro de compte : vérifiez-le.", "delegue", "number"),
        "DelegateKnown": Said("Cette personne parle déjà au nom de l’association.", "delegue", "number"),
        "RoleDates": Said("Un jour à venir, et pas après la fin de votre propre mandat.", "delegue", "until"),
    },
)
END: Final = Confirm(
    key="delegate_end",
    path=f"{ROOT}/delegue/fin",
    who=web.SIGNED_IN,
    fields=("organisation", "subject"),
    ask=_ask_end,
    do=_end,
    label="Retirer cette personne",
    back=ROOT,
    crumbs=(*CRUMBS, (ROOT, "Mes associations")),
)


def add_routes(app: web.App) -> None:
    app.get(ROOT, who=web.SIGNED_IN, endpoint="associations")(show)
    for part in (REGISTER, ADD, END):
        part.add_routes(app)


def _is_number(kind: str, typed: str) -> bool:
    clean = "".join(typed.split()).upper()
    if kind == "rna":
        return len(clean) == 10 and clean[0] == "W" and clean[1:].isdigit() and clean.isascii()
    return clean.isascii() and bool((siren if kind == "siren" else siret).is_valid(clean))
