"""French for what services say in codes, dates and numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from services.gateway.clients.ballot import Manifest
from services.gateway.pages import language, marked
from services.gateway.pages.language import plural, said
from services.gateway.pages.marked import Marked
from services.gateway.pages.numbers import NBSP as NBSP
from services.gateway.pages.numbers import count as count
from services.gateway.pages.numbers import number as number
from services.gateway.pages.numbers import percent as percent
from services.gateway.voting import Answer

_LONG: Final = {"en": "EEEE d MMMM y 'at' HH:mm", "br": "EEEE d MMMM y, HH:mm"}
_SHORT: Final = {"en": "d MMMM 'at' HH:mm", "br": "d MMMM, HH:mm"}
PARIS: Final = ZoneInfo("Europe/Paris")
_DAYS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_MONTHS: Final = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)


class State(NamedTuple):
    """How a poll's state is shown: words, the tag's class, and a sentence for its page."""

    label: str
    tag: str
    sentence: str


STATES: Final = {
    "draft": State("En préparation", "", "Ce scrutin est en préparation : il n’est pas encore publié."),
    "published": State("À venir", "govuk-tag--soon", "Ce scrutin est publié. Le vote n’a pas commencé."),
    "open": State("Ouvert", "govuk-tag--open", "Le vote est ouvert."),
    "closing": State(
        "Clôture en cours", "govuk-tag--soon", "Le vote est terminé. Les derniers bulletins entrent dans l’urne."
    ),
    "closed": State(
        "Clos, comptage à confirmer",
        "govuk-tag--soon",
        "Le vote est clos. Deux personnes doivent confirmer le comptage.",
    ),
    "tallied": State("Résultats publiés", "", "Le vote est clos et les résultats sont publiés."),
    "cancelled": State("Annulé", "govuk-tag--stopped", "Ce scrutin est annulé."),
}
_UNKNOWN: Final = State("État inconnu", "", "L’état de ce scrutin n’est pas connu.")


def state(code: str) -> State:
    return STATES.get(code, _UNKNOWN)


def local(moment: str) -> datetime:
    """The instant of an RFC 3339 time, on the clocks of Paris."""
    return datetime.fromisoformat(moment).astimezone(PARIS)


def clock_of(moment: str) -> datetime:
    """What the clocks of Paris show at that instant, for files that know no time zones."""
    return local(moment).replace(tzinfo=None)


def date_time(moment: str) -> str:
    """lundi 23 novembre 2026 à 11 h 00, or as the page's language has it."""
    return _date_time(moment, language.main())


@lru_cache(1024)
def _date_time(moment: str, spoken: str) -> str:
    if spoken != language.SOURCE:
        return format_datetime(local(moment), _LONG[spoken], locale=spoken)
    at = local(moment)
    day = "1er" if at.day == 1 else str(at.day)
    return f"{_DAYS[at.weekday()]} {day}{NBSP}{_MONTHS[at.month - 1]} {at.year} à {clock(moment)}"


def short_date(moment: str) -> str:
    """23 novembre à 11 h 00, or as the page's language has it."""
    return _short_date(moment, language.main())


@lru_cache(1024)
def _short_date(moment: str, spoken: str) -> str:
    if spoken != language.SOURCE:
        return format_datetime(local(moment), _SHORT[spoken], locale=spoken)
    at = local(moment)
    day = "1er" if at.day == 1 else str(at.day)
    return f"{day}{NBSP}{_MONTHS[at.month - 1]} à {clock(moment)}"


def long_date(day: date) -> str:
    """24 mai 2027"""
    return f"{'1er' if day.day == 1 else day.day}{NBSP}{_MONTHS[day.month - 1]} {day.year}"


def instant(day: date, hours: int = 0, minutes: int = 0) -> str:
    """That time of the day in Paris, as services write instants."""
    at = datetime(day.year, day.month, day.day, hours, minutes, tzinfo=PARIS)
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(seconds: int) -> str:
    """The text of an instant that our own store keeps as seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(1024)
def day_and_time(moment: str) -> str:
    """23 novembre 2026, 11 h 00"""
    return f"{long_date(local(moment).date())}, {clock(moment)}"


@lru_cache(1024)
def clock(moment: str) -> str:
    at = local(moment)
    return f"{at.hour}{NBSP}h{NBSP}{at.minute:02d}"


def duration(seconds: int) -> str:
    if seconds % 60 or seconds == 0:
        return plural("%(n)s seconde", "%(n)s secondes", seconds, n=number(seconds))
    return plural("%(n)s minute", "%(n)s minutes", seconds // 60, n=number(seconds // 60))


def waiting(seconds: int) -> str:
    """dans 10 minutes"""
    if seconds > 86_400:
        return plural("dans %(n)s jour", "dans %(n)s jours", -(-seconds // 86_400))
    if seconds > 3600:
        return plural("dans %(n)s heure", "dans %(n)s heures", -(-seconds // 3600))
    if seconds > 60:
        return plural("dans %(n)s minute", "dans %(n)s minutes", -(-seconds // 60))
    return said("dans une minute")


def fingerprint(value: str) -> str:
    """A hash in groups of 8, so that it can be compared by eye."""
    return " ".join(value[i : i + 8] for i in range(0, len(value), 8))


def answers(manifest: Manifest, given: list[Answer]) -> list[tuple[str, Marked]]:
    """Each question with its answer in words."""
    return [(q.text, marked.words(q, a)) for q, a in zip(manifest.questions, given, strict=True)]


class Problem(NamedTuple):
    """What went wrong and what to do, in two sentences."""

    what: str
    todo: str


PROBLEMS: Final = {
    "PollNotOpen": Problem("Le vote n’est pas ouvert.", "Vérifiez les dates sur la page du scrutin : elles font foi."),
    "PollUnknown": Problem("Ce scrutin n’existe pas.", "Revenez à la liste des scrutins."),
    "IssuanceNotOpen": Problem(
        "Le vote n’est pas ouvert.", "Vérifiez les dates sur la page du scrutin : elles font foi."
    ),
    "NotOnRoll": Problem(
        "Vous n’êtes pas sur la liste électorale de ce scrutin.",
        "Si c’est une erreur, contactez le bureau des élections avant la clôture, avec une pièce d’identité.",
    ),
    "AnotherCredentialMarked": Problem(
        "Vous avez déjà voté depuis un autre appareil, ou un autre navigateur.",
        "Pour changer votre vote ici, saisissez votre code de vote. Si vous l’avez perdu, "
        "adressez-vous au bureau des élections.",
    ),
    "SeqTaken": Problem(
        "Un autre bulletin a été déposé entre-temps avec votre droit de vote.",
        "Si vous venez de voter dans un autre onglet, tout est en ordre. Sinon, déposez à nouveau : "
        "le bulletin affiché ici remplacera le précédent.",
    ),
    "PreviousBallotUnknown": Problem(
        "Le bulletin que celui-ci remplace n’est plus retrouvé.",
        "Déposez à nouveau : votre choix est conservé et l’enchaînement vient d’être remis à jour.",
    ),
    "ServiceUnavailable": Problem(
        "L’urne ne répond pas pour le moment.",
        "Réessayez dans quelques instants, votre choix est conservé. Si votre bulletin était déjà arrivé, "
        "il ne sera pas compté deux fois.",
    ),
    "NotSignedIn": Problem(
        "Vous n’êtes pas connecté, ou votre session a pris fin.",
        "Connectez-vous dans un nouvel onglet, puis revenez ici et recommencez : votre choix est conservé.",
    ),
    "SeedMissing": Problem(
        "Votre navigateur n’a pas gardé le témoin (cookie) qui porte votre droit de vote.",
        "Autorisez les témoins pour ce site, puis recommencez : votre choix est conservé. "
        "Si vous avez déjà un code de vote, vous pouvez le saisir plus bas.",
    ),
    "FormExpired": Problem(
        "Ce formulaire n’est plus valable, ou votre navigateur refuse les témoins (cookies).",
        "Vérifiez votre choix ci-dessous et recommencez : il est conservé.",
    ),
    "NotVouched": Problem(
        "Une signature reçue ne correspond pas au manifeste du scrutin. Par prudence, nous nous arrêtons là.",
        "Ne recommencez pas tout de suite : signalez-le au bureau des élections.",
    ),
}
_GENERIC: Final = Problem("Votre demande a été refusée.", "Réessayez, ou adressez-vous au bureau des élections.")


def problem(code: str) -> Problem:
    return PROBLEMS.get(code, _GENERIC)
