"""What is written down about a person, in French."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from services.gateway.clients.persons import Entry, Person
from services.gateway.clients.registry import Standing
from services.gateway.pages import words

UNKNOWN: Final = "une personne effacée ou inconnue"
FIELDS: Final = {
    "family_name": "Nom de famille",
    "given_name": "Prénom",
    "birth_date": "Date de naissance",
    "address": "Adresse",
    "office": "Bureau de vote",
    "stratum": "Liste",
    "email": "Courriel",
    "phone": "Téléphone",
}
_TITLES: Final = {
    ("correction", "applied"): "Correction faite",
    ("correction", "asked"): "Correction demandée",
    ("correction", "refused"): "Correction refusée",
    ("change", "applied"): "Changée par un import",
    ("attach", "open"): "Rattachement à une liste demandé",
    ("attach", "attached"): "Rattachée à une liste",
    ("attach", "refused"): "Rattachement refusé",
    ("appeal", "open"): "Recours déposé",
    ("appeal", "granted"): "Recours accepté",
    ("appeal", "dismissed"): "Recours rejeté",
    ("duplicate", "asked"): "Fusion de deux comptes demandée",
    ("duplicate", "confirmed"): "Deux comptes fusionnés",
    ("duplicate", "two_people"): "Ressemblance écartée : deux personnes",
}
_LABELS: Final = {"text": "Texte", "reason": "Motif", "answer": "Réponse", "stratum": "Liste"}
_STANDINGS: Final = {
    "on_roll": "Elle est sur la liste, et le scrutin est ouvert. Si elle a perdu son code de vote, un responsable de "
    "scrutin peut rééditer son droit de vote.",
    "not_open_yet": "Le vote n’est pas ouvert ; elle est sur la liste.",
    "closed": "Le vote est clos ; elle était sur la liste.",
    "another_stratum": "Elle est sur une autre liste que celles de ce scrutin.",
    "not_on_roll": "Elle est venue sur la liste après que celle du scrutin a été figée.",
    "not_attached": "Son compte n’est rattaché à aucune liste.",
}


def value(field: str, text: str) -> str:
    """A field's value, in words."""
    if not text:
        return "Rien"
    try:
        return words.long_date(date.fromisoformat(text)) if field == "birth_date" else text
    except ValueError:
        return text


def person_rows(person: Person) -> list[tuple[str, str]]:
    return [(label, value(name, getattr(person, name))) for name, label in FIELDS.items()]


def happened(entry: Entry) -> tuple[str, list[str]]:
    """What it is, and sentences of what it holds."""
    title = _TITLES.get((entry.kind, entry.state), entry.kind)
    if entry.kind == "correction":
        return title, [correction(entry.words), *_said(entry.words, "reason", "answer")]
    if entry.kind == "change":
        fields = [name.removeprefix("before_") for name in entry.words if name.startswith("before_")]
        changes = [_change(name, entry.words[f"before_{name}"], entry.words[f"after_{name}"]) for name in fields]
        return title, changes
    return title, _said(entry.words, "text", "stratum", "reason", "answer")


def correction(told: Mapping[str, str]) -> str:
    return _change(told["field"], told["before"], told["after"])


def _change(field: str, before: str, after: str) -> str:
    return f"{FIELDS.get(field, field)} : « {value(field, before)} » devient « {value(field, after)} »."


def _said(told: Mapping[str, str], *names: str) -> list[str]:
    return [f"{_LABELS[name]} : {told[name]}" for name in names if told.get(name)]


def standing(found: Standing) -> str:
    """Why the person can or cannot vote, in a sentence or two."""
    own = f" Liste du compte : {found.own_stratum}." if found.own_stratum else ""
    return f"{_STANDINGS.get(found.reason, found.reason)}{own} Listes du scrutin : {', '.join(found.strata)}."
