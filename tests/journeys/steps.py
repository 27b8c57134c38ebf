"""Journeys, each written once, as what a person does: driven in Chromium by `walk.py`, in Firefox by `firefox.mjs`.

Words are those on the page: labels, names of buttons and links. A new journey is an entry of `JOURNEYS`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from tests.gateway.stub_services import OPEN


@dataclass(frozen=True)
class Go:
    """Types an address."""

    path: str


@dataclass(frozen=True)
class Fill:
    """Types into the field of this label; `{name}` stands for what was noted under that name."""

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


Step = Go | Fill | Choose | Press | Follow | See | Note


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
JOURNEYS: Final = (
    Journey("a vote by code", (*_TO_THE_PAPER, *by_code("LILAS-1"), *_VOTE, *_LOOK_UP, *_OUT)),
    Journey("a vote by a provider", (*_TO_THE_PAPER, *_PROVIDER, *_VOTE, *_LOOK_UP), "provided"),
    Journey(
        "a role given and ended",
        (Go("/connexion"), *by_code("ADA-6"), Go("/agent"), Follow("Qui a quel rôle"), *_GIVE, *_END, *_OUT),
    ),
)
MAIN: Final = JOURNEYS[0]
POLL: Final = f"/scrutins/{OPEN}"
