"""My data: what is held of a person, told as page, JSON and PDF; asking to be erased."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from flask import Response, request

from services.gateway.clients.own import Access
from services.gateway.pages import words
from services.gateway.pages.citizen.associations import KINDS, STATES, ends
from services.gateway.pages.front import (
    attachment,
    front,
    needed,
    own_data,
    page,
    sealing_key,
    see_other,
    subject,
    together,
    token,
)
from services.gateway.pages.kit.confirm import Asked, Confirm
from services.gateway.pages.kit.pdf import sheet
from services.gateway.pages.staff.roles import NAMES
from services.shared import web

ROOT: Final = "/mes-donnees"
CRUMBS: Final = (("/", "Scrutins"), ("/mon-espace", "Mon espace"), (ROOT, "Mes données"))
_MOST_PAGES: Final = 500  # of receipts
_DONE: Final = {
    "effacement": "Votre demande d’effacement est enregistrée. Un agent doit la confirmer ; d’ici là, vous pouvez la "
    "retirer.",
    "garde": "Votre demande d’effacement est retirée : rien n’est effacé.",
}
_FIELDS: Final = {
    "subject": "Numéro de compte",
    "family_name": "Nom de famille",
    "given_name": "Prénom",
    "birth_date": "Date de naissance",
    "address": "Adresse",
    "email": "Adresse électronique",
    "phone": "Téléphone",
    "office": "Bureau de vote",
    "stratum": "Liste",
}
_KINDS: Final = {
    "appeal": "Recours",
    "attach": "Rattachement à une liste",
    "correction": "Correction",
    "change": "Changement par un fichier",
    "duplicate": "Compte en double",
}
_GOES: Final = (
    "Disparaissent aussitôt, partout et pour toujours : vos nom, prénom, date de naissance, adresse et coordonnées ; "
    "vos rôles, recours, demandes et corrections ; vos brouillons et vos reçus ; les messages qui vous étaient "
    "destinés ; vos codes de connexion. Vos sessions se ferment sur tous les appareils. Les copies de sauvegarde "
    "deviennent illisibles.\n\n"
    "Restent, sans que rien ne mène à vous : un numéro de compte vide, les bulletins déposés (ils n’ont jamais porté "
    "votre nom) et les résultats des scrutins.\n\n"
    "Vous ne pourrez plus voter, ni changer un vote déjà déposé. Un agent doit confirmer votre demande."
)


def show() -> Response:
    key, data = together(sealing_key, own_data)
    values: dict[str, Any] = {"data": data, "told": data and told(data), "kept": kept(key) if key else None}
    return page("pages/data.html", done=_DONE.get(request.args.get("fait", "")), **values)


def as_json() -> Response:
    """The whole, as the services keep it."""
    value = _whole()
    text = json.dumps({"identity": value[0].raw, "gateway": value[1]}, ensure_ascii=False, indent=2) + "\n"
    return attachment(text, "mes-donnees.json", "application/json; charset=utf-8")


def as_pdf() -> Response:
    data, ours = _whole()
    return sheet("pages/data_sheet.html", "mes-donnees.pdf", told=told(data), kept=ours)


def keep() -> Response:
    front().own.keep(token("identity"))
    return see_other(f"{ROOT}?fait=garde")


def told(data: Access) -> list[tuple[str, list[tuple[str, str]]]]:
    """What identity keeps, in words: (title, [(label, words)…])."""
    fields = [(label, _words(name, getattr(data.person, name))) for name, label in _FIELDS.items()]
    roles = [
        (NAMES.get(r.role, r.role), f"Depuis le {words.day_and_time(r.since)}. {_ends(r.until)}") for r in data.roles
    ]
    entries = [
        (
            f"{_KINDS.get(e.kind, e.kind)}, {words.day_and_time(e.at)}",
            "\n".join(text for text in e.words.values() if text),
        )
        for e in data.entries
    ]
    organisations = [
        (o.name, f"{KINDS.get(o.kind, o.kind)} {o.number}. {STATES.get(o.state, o.state)}.") for o in data.organisations
    ]
    return [
        ("Qui vous êtes", [(label, text or "Rien") for label, text in fields]),
        ("Vos rôles", roles or [("Rôles", "Aucun")]),
        ("Recours, demandes et corrections", entries or [("Écrits", "Aucun")]),
        ("Associations", organisations or [("Associations", "Aucune")]),
    ]


def kept(key: bytes) -> dict[str, list[dict[str, Any]]]:
    """What the gateway itself keeps: drafts, receipts, sessions. Nothing of a vote is among it."""
    own, found = subject(), front().drafts
    receipts = []
    for number in range(1, _MOST_PAGES + 1):
        some, last = found.receipts(key, own, number)
        receipts += [{"id": r.id, "at": words.moment_of(r.at), **r.content} for r in some]
        if last <= number:
            break
    drafts = [{"form": d.form, "at": words.moment_of(d.changed_at), "content": d.content} for d in found.of(key, own)]
    sessions = [
        {"opened_at": words.moment_of(opened), "ends_at": words.moment_of(end)}
        for opened, end in front().sessions.of(own)
    ]
    return {"drafts": drafts, "receipts": receipts, "sessions": sessions}


def _whole() -> tuple[Access, dict[str, list[dict[str, Any]]]]:
    key, data = together(sealing_key, own_data)
    return needed(data), kept(needed(key))


def _words(name: str, value: str) -> str:
    return words.long_date(date.fromisoformat(value)) if name == "birth_date" and value else value


def _ends(until: str) -> str:
    return f"Fin : {ends(until).lower() if until.startswith('9999') else ends(until)}."


def _ask(_given: Mapping[str, str]) -> Asked:
    return Asked("Effacer tout ce qui vous concerne ?", _GOES)


def _erase(_given: Mapping[str, str]) -> str:
    """An agent confirms; where one had asked before, it is done now and every session ends."""
    if front().own.ask_erasure(token("identity")) == "erased":
        front().drafts.forget(subject())
        return "/connexion/fin"
    return f"{ROOT}?fait=effacement"


ERASE: Final = Confirm(
    key="erase_own",
    path=f"{ROOT}/effacement",
    who=web.SIGNED_IN,
    fields=(),
    ask=_ask,
    do=_erase,
    label="Demander l’effacement",
    back=ROOT,
    crumbs=CRUMBS,
    tick="J’ai compris que rien ne pourra être rétabli",
    refusals={
        "LastAdministrator": "Vous êtes le dernier administrateur : nommez-en d’abord un autre.",
    },
)


def add_routes(app: web.App) -> None:
    app.get(ROOT, who=web.SIGNED_IN, endpoint="data")(show)
    app.get(f"{ROOT}.json", who=web.SIGNED_IN, endpoint="data_json")(as_json)
    app.get(f"{ROOT}.pdf", who=web.SIGNED_IN, endpoint="data_pdf")(as_pdf)
    app.post(f"{ROOT}/garder", who=web.SIGNED_IN, endpoint="data_keep")(keep)
    ERASE.add_routes(app)
