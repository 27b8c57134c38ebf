"""The first page of staff: what each role can do here."""

from __future__ import annotations

from typing import Final

from flask import Response

from services.gateway.pages.front import OFFICER, front, page, session, token, unless_down
from services.gateway.store.sessions import Session
from services.shared import web

STAFF: Final = web.role(OFFICER, "agent", "administrator", "auditor")
_AUDITING: Final = frozenset({"administrator", "auditor"})
_DESK: Final = frozenset({"agent"})
_FILES: Final = frozenset({"agent", "administrator"})
_PLACES: Final = (
    ("/agent/scrutins", "Scrutins", "Préparer, ouvrir, dépouiller ou annuler un scrutin.", frozenset({OFFICER})),
    (
        "/agent/chiffres",
        "Chiffres",
        "La participation de chaque scrutin, en images et en tableaux.",
        frozenset({OFFICER}),
    ),
    (
        "/agent/a-valider",
        "À valider",
        "Corrections, coordonnées, fusions, rattachements : ce qui attend un second regard.",
        _FILES,
    ),
    (
        "/agent/recours",
        "Recours",
        "Ce qu’écrivent les personnes qui ne peuvent pas voter ; votre réponse.",
        _FILES,
    ),
    (
        "/agent/listes",
        "Listes électorales",
        "Leur taille, leurs racines publiques, l’import d’un fichier avec son rapport ligne par ligne.",
        _FILES,
    ),
    (
        "/agent/personnes",
        "Fiche d’une personne",
        "Ce qui est connu d’elle, ce qui a été écrit ; une correction avec son motif.",
        _FILES,
    ),
    (
        "/agent/doublons",
        "Doublons probables",
        "Des comptes qui se ressemblent, côte à côte ; une fusion se décide à deux.",
        _FILES,
    ),
    (
        "/agent/guichet/connexion",
        "Connecter une personne présente",
        "Au guichet, avec une pièce : un code qu’elle tape sur l’ordinateur du public.",
        _DESK,
    ),
    (
        "/agent/guichet/coordonnees",
        "Changer des coordonnées",
        "Adresse électronique et téléphone d’une personne ; un second agent confirme.",
        _DESK,
    ),
    (
        "/agent/guichet/courrier",
        "Envoyer un code par courrier",
        "À l’adresse de la liste, pour qui n’a ni courriel ni mobile.",
        _DESK,
    ),
    ("/agent/guichet/journal", "Journal du guichet", "Qui a été connecté au guichet, avec quelle pièce.", _AUDITING),
    ("/agent/roles", "Qui a quel rôle", "Donner un rôle, le retirer, voir jusqu’à quand il court.", _AUDITING),
    (
        "/agent/cles",
        "Clés de l’interface publique",
        "Créer une clé pour une organisation, la révoquer.",
        frozenset({"administrator"}),
    ),
    ("/agent/journal", "Journal des actions", "Ce que chaque agent a fait, et quand.", _AUDITING),
)


def is_staff(person: Session) -> bool:
    return bool(STAFF.roles & person.roles)


def desk() -> Response:
    person = session()
    roles = person.roles if person else frozenset()
    asked = bool(_FILES & roles)
    counts = unless_down(lambda: front().registry.counts(token("identity"))) if asked else None
    waiting = (
        {"/agent/a-valider": counts.waiting, "/agent/recours": counts.appeals, "/agent/doublons": counts.duplicates}
        if counts
        else {}
    )
    places = [place for place in _PLACES if place[3] & roles]
    return page("pages/desk.html", places=places, waiting=waiting, uncounted=asked and counts is None)


def add_routes(app: web.App) -> None:
    app.get("/agent", who=STAFF, endpoint="desk")(desk)
