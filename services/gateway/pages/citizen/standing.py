"""Why somebody can or cannot vote in a poll, in plain words, with what to do. Quiet: no trace of who asked."""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import UUID

from flask import Response

from services.gateway.clients.ballot import Poll
from services.gateway.clients.own import Standing
from services.gateway.pages.front import front, needed, page, together, token
from services.gateway.pages.language import mark
from services.shared import web
from services.shared.errors import NotFound


class Why(NamedTuple):
    """`appeal`: whether an appeal can change it."""

    title: str
    text: str
    todo: str
    appeal: bool = True


_NO_ROLL: Final = Why(
    mark("La liste de ce scrutin n’est pas encore arrêtée"),
    mark("Elle le sera au plus tard à la publication du scrutin : revenez à ce moment."),
    mark("Si votre compte est rattaché à une liste d’ici là, vous y figurerez."),
    appeal=False,
)
_CANCELLED: Final = Why(
    mark("Ce scrutin est annulé"), mark("Personne ne peut y voter."), mark("Vous n’avez rien à faire."), appeal=False
)
_WHY: Final = {
    "may_vote": Why(
        mark("Vous pouvez voter"),
        mark("Vous êtes sur la liste de ce scrutin, et votre droit de vote n’a pas encore été retiré."),
        mark("Si la page de vote vous a refusé, réessayez. Si elle vous refuse encore, faites un recours."),
    ),
    "took_credential": Why(
        mark("Votre droit de vote a déjà été retiré"),
        mark(
            "Il l’est au moment de voter, une seule fois par personne. Si c’était vous, votre bulletin compte, et vous "
            "pouvez le remplacer jusqu’à la clôture : depuis le même navigateur, ou ailleurs avec votre code de vote."
        ),
        mark(
            "Si vous avez perdu votre code de vote, ou si ce n’était pas vous, faites un recours : le bureau des "
            "élections peut vous rendre un droit de vote, et le précédent ne comptera plus."
        ),
    ),
    "not_open_yet": Why(
        mark("Le vote n’est pas ouvert"),
        mark("Vous êtes sur la liste de ce scrutin."),
        mark("Revenez à l’ouverture : les dates sont sur la page du scrutin."),
        appeal=False,
    ),
    "closed": Why(
        mark("Le vote est clos"),
        mark("Vous étiez sur la liste de ce scrutin, mais plus personne ne peut voter après la clôture."),
        mark(
            "Si un bulletin a été déposé avec votre droit de vote, il est compté. Si quelque chose vous a empêché de "
            "voter à temps, dites-le par un recours."
        ),
    ),
    "another_stratum": Why(
        mark("Ce scrutin concerne une autre liste que la vôtre"),
        mark("Votre compte est rattaché à une liste ou à un bureau qui ne vote pas dans ce scrutin."),
        mark("Si vous avez déménagé ou si votre rattachement est faux, faites un recours : un agent le vérifiera."),
    ),
    "not_on_roll": Why(
        mark("Vous êtes arrivé sur la liste après la préparation de ce scrutin"),
        mark(
            "La liste d’un scrutin est arrêtée avant qu’il soit publié, pour que chacun puisse en vérifier le nombre. "
            "Votre compte y a été rattaché plus tard, ou ne remplissait pas encore les conditions, d’âge par exemple."
        ),
        mark(
            "Vous figurerez sur la liste des prochains scrutins. Si vous auriez dû être sur celle-ci, faites un "
            "recours."
        ),
    ),
    "not_attached": Why(
        mark("Votre compte n’est rattaché à aucune liste électorale"),
        mark("Un compte ouvert en ligne donne le droit de vote après qu’un agent l’a rattaché à une liste."),
        mark(
            "Si vous venez de vous inscrire, l’état de votre demande est dans votre espace. Sinon, faites un recours "
            "en disant à quelle adresse vous habitez."
        ),
    ),
}


def why(poll: UUID) -> Response:
    ours = token("identity")
    found, standing = together(lambda: front().ballot.poll(str(poll)), lambda: _standing(str(poll), ours))
    known = needed(found)
    said, told = (None, None) if standing is None else (_said(known, standing[0]), standing[0])
    return page("pages/why.html", poll=known, m=known.manifest, why=said, lists=_lists(known, told))


def add_routes(app: web.App) -> None:
    app.get("/scrutins/<uuid:poll>/pourquoi", who=web.SIGNED_IN, quiet=True, endpoint="why")(why)


def _standing(poll: str, ours: str) -> tuple[Standing | None]:
    """Wrapped: identity may answer that it knows of no such roll, which is not an outage."""
    try:
        return (front().own.standing(poll, ours),)
    except NotFound:
        return (None,)


def _said(poll: Poll, standing: Standing | None) -> Why:
    if poll.state == "cancelled":
        return _CANCELLED
    if standing is None:
        return _NO_ROLL
    if standing.reason == "may_vote" and poll.state != "open":
        return _WHY["not_open_yet" if poll.state in ("draft", "published") else "closed"]
    return _WHY.get(standing.reason, _WHY["may_vote"])


def _lists(poll: Poll, standing: Standing | None) -> list[tuple[str, str]]:
    """Which lists the poll is for, and which one is the person's."""
    own = standing.own_stratum or standing.stratum if standing else ""
    found = poll.manifest.stratum(own) if own else None
    rows = [(mark("Listes de ce scrutin"), ", ".join(s.label for s in poll.manifest.strata))]
    return [*rows, (mark("Votre liste"), found.label if found else own)] if standing else rows
