"""Failures as French pages: what happened, and what to do."""

from __future__ import annotations

from typing import Final, NamedTuple

from flask import request
from flask.typing import ResponseReturnValue

from services.gateway.pages import front
from services.gateway.pages.api import access
from services.gateway.pages.kit.flow import kept_for_author
from services.shared.answers import Failure


class Words(NamedTuple):
    title: str
    text: str


_BY_CODE: Final = {
    "FormExpired": Words(
        "Ce formulaire n’est plus valable",
        "Il a été ouvert il y a longtemps, ou votre navigateur refuse les témoins (cookies). "
        "Revenez à la page précédente, rechargez-la et recommencez.",
    ),
    "SentFromElsewhere": Words(
        "Demande refusée",
        "Cette demande vient d’un autre site. Par sécurité, nous ne l’avons pas suivie. "
        "Revenez à l’accueil pour recommencer.",
    ),
    "StateUnknown": Words(
        "Cette adresse ne vient pas de votre déconnexion",
        "Elle a déjà servi, ou plus de dix minutes ont passé. Si votre nom figure encore en haut de la page, "
        "déconnectez-vous à nouveau.",
    ),
    "ServiceUnavailable": Words(
        "Cette page n’est pas disponible pour le moment",
        "Un service ne répond pas. Rien n’est perdu : réessayez dans quelques instants.",
    ),
}
_BY_STATUS: Final = {
    400: Words("Demande incomprise", "L’adresse ou le formulaire contient une valeur qui ne convient pas."),
    403: Words("Accès refusé", "Votre compte ne permet pas d’ouvrir cette page ni de faire cette action."),
    404: Words(
        "Page introuvable",
        "Vérifiez l’adresse, ou repartez de la liste des scrutins. "
        "Si vous êtes arrivé ici par un lien de ce site, dites-le-nous.",
    ),
    405: Words("Page introuvable", "Cette adresse ne s’ouvre pas ainsi. Repartez de la liste des scrutins."),
    409: Words("Action impossible", "L’état du scrutin ne permet pas, ou plus, cette action."),
    413: Words("Envoi trop volumineux", "Le formulaire envoyé dépasse la taille acceptée."),
    503: Words("Service momentanément occupé", "Rien n’est perdu : réessayez dans quelques instants."),
}
_UNEXPECTED: Final = Words(
    "Une erreur est survenue",
    "C’est de notre fait, et l’incident est enregistré. Réessayez dans quelques instants.",
)


def render(failure: Failure) -> ResponseReturnValue:
    """The page of a failure; someone who must sign in first gets the sign-in page itself. Programs get JSON."""
    if access.is_api(request.path):
        return access.render(failure)
    if failure.status == 401:
        return _sign_in_first()
    said = _BY_CODE.get(failure.code) or _BY_STATUS.get(failure.status) or _UNEXPECTED
    return front.page("pages/failure.html", failure.status, title=said.title, text=said.text)


def _sign_in_first() -> ResponseReturnValue:
    """A form that outlived its session is kept for its author. (A vote's pages answer this themselves: the choice rides
    in the page.)"""
    back = request.full_path.rstrip("?") if request.method == "GET" else ""
    kept = kept_for_author() if request.method == "POST" else None
    values = {"back": kept or back, "needed": True, "kept": kept is not None, "problem": None, "code": ""}
    return front.page("pages/sign_in.html", 401, **values)
