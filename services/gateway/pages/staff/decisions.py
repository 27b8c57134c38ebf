"""A page for each kind of thing that waits for a second pair of eyes: what was asked, by whom; accepted or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import g

from services.gateway.clients.registry import Case
from services.gateway.pages import words
from services.gateway.pages.front import front, is_caller, token, unless_down
from services.gateway.pages.kit import trail
from services.gateway.pages.kit.confirm import Asked, Confirm
from services.gateway.pages.kit.fields import Choice, Day, LongText, Pick
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.steps import Said
from services.gateway.pages.staff.entries import FIELDS, UNKNOWN, person_rows, value
from services.gateway.pages.staff.rolls import CRUMBS, WHO
from services.gateway.pages.staff.sheets import OWN
from services.shared import web
from services.shared.errors import NotFound

ROOT: Final = "/agent/a-valider"
_UNDER: Final = (*CRUMBS, (ROOT, "À valider"))
_GONE: Final = "Cette demande a été acceptée, refusée ou retirée entre-temps."
_OWN_REQUEST: Final = "Vous avez fait cette demande : un collègue doit la valider. Vous pouvez la retirer."
_ACCEPT, _REFUSE = ("accept", "Accepter"), ("refuse", "Refuser")
_WITHDRAW: Final = ("refuse", "Retirer ma demande")
_NAMESAKE: Final = "Une autre personne porte déjà ces nom, prénom et date de naissance : voyez les doublons."
_KINDS: Final = {"rna": "RNA", "siren": "SIREN", "siret": "SIRET"}


def _lists() -> list[tuple[str, str]]:
    """Asked once a request; none while identity does not answer."""
    if "lists" not in g:
        g.lists = unless_down(lambda: front().rolls.strata(token("identity"))) or []
    return [(one.stratum, one.stratum) for one in g.lists]


class DecisionForm(Form):
    decision = Choice("Votre décision", [_ACCEPT, _REFUSE], ask="Choisissez une décision")
    reason = LongText("Motif", optional=True, rows=3, hint="Nécessaire pour refuser. La personne le lit.")

    def validate(self, extra_validators: Any = None) -> bool:
        good = super().validate(extra_validators)
        if self["decision"].data == "refuse" and not self["reason"].data:
            self.refuse("reason", "Indiquez le motif du refus")
            return False
        return good


class OwnForm(DecisionForm):
    decision = Choice("Votre décision", [_WITHDRAW], ask="Choisissez une décision")


class AttachForm(Form):
    decision = Choice("Votre décision", [("accept", "Rattacher à une liste"), _REFUSE], ask="Choisissez une décision")
    stratum = Pick("Liste", _lists, optional=True, nothing="Choisissez une liste", hint="Nécessaire pour rattacher.")
    reason = LongText("Motif", ask="Indiquez le motif", rows=3, hint="La personne le lit, quelle que soit la décision.")

    def validate(self, extra_validators: Any = None) -> bool:
        good = super().validate(extra_validators)
        if self["decision"].data == "accept" and not self["stratum"].data:
            self.refuse("stratum", "Choisissez la liste à laquelle rattacher")
            return False
        return good


class OrganisationForm(Form):
    decision = Choice(
        "Votre décision", [("accept", "Confirmer cette organisation"), _REFUSE], ask="Choisissez une décision"
    )
    until = Day(
        "Jusqu’à quand cette personne parle pour elle",
        optional=True,
        hint="Si vous confirmez. Laissez vide sans fin prévue. Par exemple : 24/05/2027",
    )
    reason = LongText("Motif", ask="Indiquez le motif", rows=3, hint="Par exemple : vérifié au registre ce jour.")


class ErasureForm(Form):
    decision = Choice(
        "Votre décision",
        [("accept", "Effacer cette personne, définitivement"), ("refuse", "Ne pas l’effacer")],
        ask="Choisissez une décision",
    )


class OwnErasureForm(ErasureForm):
    decision = Choice("Votre décision", [_WITHDRAW], ask="Choisissez une décision")


def _decided(accepted: bool) -> str:
    return f"{ROOT}?fait={'accepte' if accepted else 'refuse'}"


def _case(given: Mapping[str, str], kind: str, state: str) -> Case:
    case = front().registry.case(given["id"], token("identity"))
    if (case.entry.kind, case.entry.state) != (kind, state):
        raise NotFound(field="id")
    return case


def _asked_by(case: Case) -> list[tuple[str, str]]:
    return [("Demandé par", case.by_name or UNKNOWN), ("Demandé le", words.day_and_time(case.entry.at))]


# --- corrections ---


def _ask_correction(given: Mapping[str, str]) -> Asked:
    case = _case(given, "correction", "asked")
    told, mine = case.entry.words, is_caller(case.entry.by)
    field = told.get("field", "")
    rows = [
        ("Champ", FIELDS.get(field, field)),
        ("Connu", value(field, told.get("before", ""))),
        ("Demandé", value(field, told.get("after", ""))),
        ("Motif", told.get("reason", "")),
        *_asked_by(case),
    ]
    text = _OWN_REQUEST if mine else "Vérifiez la pièce ou le motif. Acceptée, la correction est faite aussitôt."
    closed = OWN if is_caller(case.person.subject) else ""
    form = OwnForm if mine else None
    return Asked(f"Correction pour {case.person.display_name}", text, rows, form=form, closed=closed)


def _decide_correction(given: Mapping[str, str]) -> str:
    trail.about(_case(given, "correction", "asked").person.subject)
    accepted = given["decision"] == "accept"
    front().registry.decide_correction(given["id"], accepted, given["reason"], token("identity"))
    return _decided(accepted)


# --- accounts that ask for a roll ---


def _ask_attach(given: Mapping[str, str]) -> Asked:
    case = _case(given, "attach", "open")
    text = "Cette personne s’est inscrite et n’est sur aucune liste. Rattachée, elle vote aux scrutins publiés ensuite."
    rows = [*person_rows(case.person), ("Demandé le", words.day_and_time(case.entry.at))]
    closed = OWN if is_caller(case.person.subject) else ""
    return Asked(f"Rattacher {case.person.display_name} à une liste ?", text, rows, closed=closed)


def _decide_attach(given: Mapping[str, str]) -> str:
    trail.about(_case(given, "attach", "open").person.subject)
    accepted = given["decision"] == "accept"
    stratum = given["stratum"] if accepted else ""
    front().registry.decide_request(given["id"], accepted, stratum, given["reason"], token("identity"))
    return _decided(accepted)


# --- organisations ---


def _ask_organisation(given: Mapping[str, str]) -> Asked:
    one = front().registry.organisation(given["organisation"], token("identity"))
    if one.state != "asked":
        raise NotFound(field="organisation")
    rows = [
        ("Nom", one.name),
        (f"Numéro {_KINDS.get(one.kind, one.kind)}", one.number),
        ("Adresse", one.address or "Aucune"),
        ("Demandé par", one.asked_by_name or UNKNOWN),
        ("Demandé le", words.day_and_time(one.at)),
    ]
    text = "Cherchez-la au registre avant de confirmer. La personne qui demande parlera alors pour elle."
    return Asked(f"Compte de « {one.name} »", text, rows, closed=OWN if is_caller(one.asked_by) else "")


def _decide_organisation(given: Mapping[str, str]) -> str:
    accepted, day = given["decision"] == "accept", Day.of(given["until"])
    until = words.instant(day) if day and accepted else ""
    front().registry.decide_organisation(given["organisation"], accepted, given["reason"], until, token("identity"))
    return _decided(accepted)


# --- erasures ---


def _ask_erasure(given: Mapping[str, str]) -> Asked:
    ours, subject = token("identity"), given["subject"]
    asked = next((one for one in front().identity.erasures(ours) if one.subject == subject), None)
    if asked is None:
        raise NotFound(field="subject")
    names = front().identity.names([subject, asked.asked_by], ours)
    mine = is_caller(asked.asked_by)
    text = _OWN_REQUEST if mine else (
        "Tout ce qui est connu de cette personne devient illisible, sans retour possible. Les listes figées et les "
        "résultats ne changent pas."
    )  # fmt: skip
    rows = [("Demandé par", names.get(asked.asked_by, UNKNOWN))]
    form = OwnErasureForm if mine else None
    return Asked(f"Effacer {names.get(subject, UNKNOWN)} ?", text, rows, form=form)


def _decide_erasure(given: Mapping[str, str]) -> str:
    trail.about(given["subject"])
    accepted, identity = given["decision"] == "accept", front().identity
    (identity.erase if accepted else identity.keep)(given["subject"], token("identity"))
    return _decided(accepted)


# --- the pages ---

_COMMON: Final[dict[str, Any]] = {"who": WHO, "label": "Décider", "back": ROOT, "crumbs": _UNDER, "gone": _GONE}
_SECOND: Final = "Vous avez fait cette demande : un autre agent doit la valider."
CORRECTION: Final = Confirm(
    key="decide_correction",
    path=f"{ROOT}/correction",
    fields=("id",),
    ask=_ask_correction,
    do=_decide_correction,
    form=DecisionForm,
    trail="Correction décidée",
    refusals={
        "SecondPersonNeeded": _SECOND,
        "OwnCase": OWN,
        "ChangedMeanwhile": "Ce champ a changé depuis la demande : refusez-la, puis demandez la correction à nouveau.",
        "PersonAlreadyKnown": _NAMESAKE,
    },
    **_COMMON,
)
ATTACH: Final = Confirm(
    key="decide_attach",
    path=f"{ROOT}/rattachement",
    fields=("id",),
    ask=_ask_attach,
    do=_decide_attach,
    form=AttachForm,
    trail="Rattachement à une liste décidé",
    refusals={
        "OwnCase": OWN,
        "PersonAlreadyKnown": "Une personne de ces nom, prénom et date de naissance est déjà sur une liste.",
        "BadInput.stratum": Said("Choisissez une liste.", field="stratum"),
    },
    **_COMMON,
)
ORGANISATION: Final = Confirm(
    key="decide_organisation",
    path=f"{ROOT}/organisation",
    fields=("organisation",),
    ask=_ask_organisation,
    do=_decide_organisation,
    form=OrganisationForm,
    trail="Compte d’organisation décidé",
    refusals={
        "OwnCase": OWN,
        "OrganisationDecided": _GONE,
        "RoleDates": Said("La fin doit être à venir.", field="until"),
    },
    **_COMMON,
)
ERASURE: Final = Confirm(
    key="decide_erasure",
    path=f"{ROOT}/effacement",
    fields=("subject",),
    ask=_ask_erasure,
    do=_decide_erasure,
    form=ErasureForm,
    trail="Effacement décidé",
    refusals={
        "SecondPersonNeeded": _SECOND,
        "LastAdministrator": "C’est le dernier administrateur : nommez-en d’abord un autre.",
    },
    **_COMMON,
)


def add_routes(app: web.App) -> None:
    for part in (CORRECTION, ATTACH, ORGANISATION, ERASURE):
        part.add_routes(app)
