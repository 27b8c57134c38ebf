"""Journeys, each written once, as what a person does: driven in Chromium by `walk.py`, in Firefox by `firefox.mjs`.

Words are those on the page: labels, names of buttons and links. A new journey is an entry of `JOURNEYS`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

from tests.gateway.office_cases import IN_A_DAY
from tests.gateway.stub_services import OPEN


@dataclass(frozen=True)
class Go:
    """Types an address, in which `{name}` stands for what was noted under that name; in `Fill` and `Choose` too."""

    path: str


@dataclass(frozen=True)
class Fill:
    """Types into the field of this label."""

    label: str
    text: str


@dataclass(frozen=True)
class Choose:
    """Ticks this radio button or box, or picks this line of the list whose label is `of`."""

    label: str
    of: str = ""


@dataclass(frozen=True)
class Press:
    """A button, which leads to a page; to one outside the site when `away`."""

    name: str
    away: bool = False


@dataclass(frozen=True)
class Follow:
    """A link of this name, its first when there are several."""

    name: str


@dataclass(frozen=True)
class See:
    """This text is on the page, and visible."""

    text: str


@dataclass(frozen=True)
class Note:
    """Keeps what stands on the page in the only element of this class."""

    name: str
    css: str


@dataclass(frozen=True)
class Happens:
    """Elsewhere, meanwhile: one of `happenings`."""

    name: str


Step = Go | Fill | Choose | Press | Follow | See | Note | Happens


@dataclass(frozen=True)
class Journey:
    """`place` is the site that it needs: `town` over stub services, `provided` with a real provider of identities."""

    name: str
    steps: tuple[Step, ...]
    place: str = "town"

    def as_json(self) -> list[dict[str, Any]]:
        return [{"do": type(step).__name__} | asdict(step) for step in self.steps]


def by_code(code: str) -> tuple[Step, ...]:
    return Fill("Code de connexion", code), Press("Se connecter")


_TO_THE_PAPER: Final = (Go("/"), Follow("La place Hoche aux piétons le dimanche"), Follow("Voter"))
_VOTE: Final = (
    Press("Vérifier mon bulletin"),
    See("Choisissez une réponse, ou votez blanc."),
    Choose("Oui"),
    Press("Vérifier mon bulletin"),
    See("Vérifiez votre bulletin"),
    Press("Déposer mon bulletin"),
    See("Votre bulletin est déposé"),
    Note("tracker", "sheet__key"),
)
_LOOK_UP: Final = (
    Follow("Vérifiez que votre bulletin est dans l’urne"),
    Fill("Numéro de suivi", "abc"),
    Press("Vérifier"),
    Fill("Numéro de suivi", "{tracker}"),
    Press("Vérifier"),
    See("Votre bulletin est reçu"),
)
_OUT: Final = (Press("Se déconnecter"), See("Vous êtes déconnecté"))
_PROVIDER: Final = (
    Press("Se connecter avec FranceConnect", away=True),
    Fill("Enter any login", "lilas"),
    Fill("and password", "x"),
    Press("Sign-in", away=True),
    Press("Continue"),
)
_GIVE: Final = (
    Follow("Donner un rôle"),
    Fill("Prénom", "Inès"),
    Press("Continuer"),
    See("Vérifiez ce qui suit"),
    Fill("Nom de famille", "Diallo"),
    Fill("Date de naissance", "12/03/1980"),
    Press("Continuer"),
    Go("/mon-espace"),
    Follow("Donner un rôle"),
    See("Votre brouillon a été retrouvé"),
    Choose("Modérateur", of="Rôle"),
    Fill("Jusqu’au (facultatif)", "1/7/2031"),
    Press("Continuer"),
    See("Vérifiez vos réponses"),
    See("1er\u00a0juillet 2031"),
    Press("Donner ce rôle"),
    See("Rôle donné : Modérateur"),
)
_END: Final = (
    Follow("Voir tous les rôles"),
    Press("Retirer : Modérateur, Inès Diallo"),
    See("Retirer le rôle « Modérateur » à Inès Diallo ?"),
    Press("Retirer ce rôle"),
    See("Le rôle est retiré."),
    Go("/agent/journal"),
    See("Rôle retiré"),
)
_NEXT: Final = Press("Continuer")
_CONFIRM: Final = "Confirmer l’ouverture"
_COUNT: Final = "Confirmer le comptage"


def _asked_for(contact: str) -> tuple[Step, ...]:
    """A code that is sent to this address or number."""
    return (
        Follow("Recevoir un code"),
        Fill("Adresse électronique ou numéro de mobile", contact),
        Press("Recevoir un code"),
        See("Saisir le code reçu"),
        Happens("a code arrives"),
        Fill("Code à huit chiffres", "00000000"),
        Press("Se connecter"),
        See("La connexion n’a pas abouti"),
        Fill("Code à huit chiffres", "{code}"),
        Press("Se connecter"),
    )


_AT_THE_DESK: Final = (
    Go("/connexion"),
    *by_code("INES-7"),
    Go("/agent"),
    Follow("Connecter une personne présente"),
    Fill("Nom de famille", "moreau"),
    Fill("Prénom", "lilas"),
    Fill("Date de naissance", "12/03/1980"),
    Press("Obtenir le code"),
    See("Choisissez la pièce présentée"),
    Choose("Passeport"),
    Press("Obtenir le code"),
    Note("code", "sheet__key"),
    *_OUT,
    Go("/connexion"),
    Follow("Code reçu par courrier ou au guichet"),
    Fill("Code à usage unique", "{code}"),
    Press("Se connecter"),
)


def _dates() -> tuple[Step, ...]:
    days = ("d’ouverture", IN_A_DAY), ("de clôture", IN_A_DAY + timedelta(days=7))
    filled = [(Fill(f"Jour {name}", f"{at:%d/%m/%Y}"), Fill(f"Heure {name}", "8 h")) for name, at in days]
    return tuple(step for pair in filled for step in pair)


_MAKE: Final = (
    Happens("people settle"),
    Go("/connexion"),
    *by_code("AUDE-3"),
    Go("/agent/scrutins"),
    Follow("Préparer un scrutin"),
    _NEXT,
    See("Vérifiez ce qui suit"),
    Fill("Titre", "La couleur des bancs de la place"),
    Fill("Description (facultatif)", "Les bancs sont repeints au printemps."),
    _NEXT,
    Fill("Question", "Quelle couleur ?"),
    Choose("Jugement majoritaire"),
    _NEXT,
    Fill("Réponses possibles", "Vert\nBleu nuit\nGris"),
    Choose("Ajouter une autre question après celle-ci (facultatif)"),
    _NEXT,
    Fill("Question", "Faut-il aussi repeindre les lampadaires ?"),
    Choose("Oui ou non"),
    _NEXT,
    _NEXT,
    *_dates(),
    _NEXT,
    Note("list", "govuk-checkboxes__label"),
    Choose("{list}"),
    _NEXT,
    See("Vérifiez vos réponses"),
    Press("Préparer ce scrutin"),
    Follow("Continuer avec ce scrutin"),
    Follow("Aperçu du bulletin de vote"),
    See("Aucun vote n’est possible ici"),
    Follow("La couleur des bancs de la place"),
)
_DESK: Final = Go("/agent/scrutins/{poll}")
_RUN: Final = (
    Press("Publier ce scrutin"),
    See("Publier « La couleur des bancs de la place » ?"),
    Press("Publier ce scrutin"),
    See("Faites paraître l’empreinte"),
    Happens("the lists are frozen"),
    _DESK,
    Press(_CONFIRM),
    See("1 personne sur 2"),
    *_OUT,
    Go("/connexion"),
    *by_code("PAUL-4"),
    _DESK,
    Press(_CONFIRM),
    See("L’ouverture est confirmée par deux personnes."),
    Happens("the poll opens"),
    _DESK,
    See("Ouvert"),
    Follow("Les chiffres de ce scrutin"),
    See("inscrits"),
    Happens("the poll closes"),
    _DESK,
    Press(_COUNT),
    See("1 personne sur 2"),
    *_OUT,
    Go("/connexion"),
    *by_code("AUDE-3"),
    _DESK,
    Press(_COUNT),
    Happens("the ballots are counted"),
    _DESK,
    See("Résultats publiés"),
    Follow("Voir la page publique"),
    See("Résultats publiés"),
)
JOURNEYS: Final = (
    Journey("a vote by code", (*_TO_THE_PAPER, *by_code("LILAS-1"), *_VOTE, *_LOOK_UP, *_OUT)),
    Journey("a vote by a provider", (*_TO_THE_PAPER, *_PROVIDER, *_VOTE, *_LOOK_UP), "provided"),
    Journey("a vote by a code that was sent", (*_TO_THE_PAPER, *_asked_for("06 39 98 00 00"), *_VOTE, *_OUT)),
    Journey("a vote from the desk", (*_AT_THE_DESK, *_TO_THE_PAPER, *_VOTE, *_OUT)),
    Journey("a poll run from the back office", (*_MAKE, *_RUN)),
    Journey(
        "a role given and ended",
        (Go("/connexion"), *by_code("ADA-6"), Go("/agent"), Follow("Qui a quel rôle"), *_GIVE, *_END, *_OUT),
    ),
)
MAIN: Final = JOURNEYS[0]
POLL: Final = f"/scrutins/{OPEN}"
