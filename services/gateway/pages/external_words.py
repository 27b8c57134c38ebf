"""What people read when a sign-in by a provider came to nothing: what happened, and what to do."""

from __future__ import annotations

from typing import Final, NamedTuple

from services.gateway.pages.language import mark


class Words(NamedTuple):
    """`%(label)s` stands for the provider's name."""

    status: int
    title: str
    text: str
    to_desk: bool = False


_AGAIN: Final = Words(
    400,
    mark("La connexion n’a pas pu être reprise"),
    mark(
        "Plus de dix minutes ont passé, cette réponse de %(label)s a déjà servi, ou votre navigateur refuse les "
        "témoins (cookies). Recommencez depuis la page de connexion."
    ),
)
_UNVERIFIED: Final = Words(
    403,
    mark("La réponse de %(label)s n’a pas pu être vérifiée"),
    mark(
        "Par sécurité, nous ne l’avons pas suivie : vous n’êtes pas connecté. Recommencez ; si cela se reproduit, "
        "connectez-vous avec un code de connexion et signalez-le."
    ),
    to_desk=True,
)
_DOWN: Final = Words(
    503,
    mark("La connexion n’est pas possible pour le moment"),
    mark(
        "%(label)s ou un de nos services ne répond pas. Réessayez dans quelques instants, ou connectez-vous avec un "
        "code de connexion."
    ),
)
_BY_CODE: Final = {
    "StateUnknown": _AGAIN,
    "StateSpent": _AGAIN,
    "CodeRefused": _AGAIN,
    "SignInCancelled": Words(
        403,
        mark("Vous n’êtes pas connecté"),
        mark(
            "La connexion par %(label)s a été interrompue avant la fin, et rien ne nous a été transmis. Recommencez "
            "quand vous le voulez, ou connectez-vous avec un code de connexion."
        ),
    ),
    "ProviderRefused": Words(
        403,
        mark("%(label)s n’a pas permis la connexion"),
        mark("Recommencez dans quelques instants. Si cela se reproduit, connectez-vous avec un code de connexion."),
        to_desk=True,
    ),
    "TokenRefused": _UNVERIFIED,
    "KeyUnknown": _UNVERIFIED,
    "LevelTooLow": Words(
        403,
        mark("Cette identité n’est pas assez sûre pour se connecter ici"),
        mark(
            "Le compte que vous avez choisi chez %(label)s n’offre pas le niveau de garantie demandé. Recommencez en "
            "choisissant un autre compte, ou connectez-vous avec un code de connexion."
        ),
        to_desk=True,
    ),
    "NotOnAnyRoll": Words(
        403,
        mark("La liste ne vous connaît pas"),
        mark(
            "%(label)s vous a bien reconnu, mais personne de mêmes noms, prénoms et date de naissance ne figure sur la "
            "liste de votre collectivité. Une lettre de différence suffit. Nous n’avons rien gardé de ce que %(label)s "
            "a transmis."
        ),
        to_desk=True,
    ),
    "AccountNotLinked": Words(
        403,
        mark("Ce compte n’est encore rattaché à personne ici"),
        mark(
            "%(label)s vous a bien reconnu. Une première fois, connectez-vous avec votre code de connexion, puis "
            "revenez à la page de connexion pour y rattacher votre compte. Nous n’avons rien gardé de ce que %(label)s "
            "a transmis."
        ),
        to_desk=True,
    ),
    "NamesDiffer": Words(
        409,
        mark("Ce compte porte d’autres noms que les vôtres"),
        mark(
            "Quelqu’un d’autre est peut-être encore connecté à %(label)s sur cet ordinateur : déconnectez-le, puis "
            "recommencez. Rien n’a été rattaché."
        ),
        to_desk=True,
    ),
    "AccountTaken": Words(
        409,
        mark("Ce compte est déjà rattaché à une autre personne"),
        mark("Un compte de %(label)s n’ouvre qu’une seule identité ici. Rien n’a été changé."),
        to_desk=True,
    ),
    "AnotherAccountLinked": Words(
        409,
        mark("Un autre compte de %(label)s est déjà rattaché à ces noms"),
        mark(
            "Il peut s’agir d’une personne qui porte les mêmes noms que vous : nous ne rattachons jamais seuls un "
            "second compte."
        ),
        to_desk=True,
    ),
}


def of(code: str) -> Words:
    """The words for a refusal's code; `title` and `text` still hold `%(label)s`."""
    return _BY_CODE.get(code, _DOWN)
