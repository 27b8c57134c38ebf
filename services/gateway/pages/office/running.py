"""From a draft to a published poll: the ballot paper as voters will see it, the publication. Reissues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Response

from services.gateway.clients.ballot import Poll
from services.gateway.pages import marking, method_words
from services.gateway.pages.front import front, page, token
from services.gateway.pages.kit.confirm import Asked, Confirm
from services.gateway.pages.kit.fields import Tick
from services.gateway.pages.kit.flow import Answers, Flow, Said, Sent, Step
from services.gateway.pages.kit.form import Form
from services.gateway.pages.office.making import CRUMBS, ONE, REFUSALS, ROOT, WHO, prepared
from services.gateway.pages.staff.people import NOT_FOUND, PersonForm, found_person
from services.gateway.pages.words import date_time
from services.shared import web
from services.shared.errors import NotFound


def preview(poll: UUID) -> Response:
    found = front().ballot.poll(str(poll), token("ballot"))
    drawing: dict[str, Any] = {"field": marking.name, "shape": marking.shape, "equals_allowed": marking.equals_allowed}
    return page("pages/officer_preview.html", poll=found, m=found.manifest, hint=method_words.hint, **drawing)


def _given(given: Mapping[str, str]) -> Poll:
    try:
        poll = str(UUID(given["poll"]))
    except ValueError:
        raise NotFound(field="poll") from None
    return front().ballot.poll(poll, token("ballot"))


def _ask(given: Mapping[str, str]) -> Asked:
    found = _given(given)
    m = found.manifest
    text = (
        "La liste électorale est figée telle qu’elle est aujourd’hui, et le manifeste devient public. Il ne change "
        "plus ensuite, sauf à le remplacer avec un motif, avant l’ouverture. Figer une longue liste peut prendre une "
        "minute : laissez alors cette page ouverte."
    )
    rows = [("Ouverture", date_time(m.opens_at)), ("Clôture", date_time(m.closes_at))]
    rows += [("Question", question.text) for question in m.questions]
    rows += [("Votants", stratum.label) for stratum in m.strata]
    return Asked(f"Publier « {m.title} » ?", text, rows)


def _publish(given: Mapping[str, str]) -> str:
    """Prepared anew each time: after a publication that was cut off, the roll is frozen as it stands now."""
    found = _given(given)
    roll = prepared(found.poll, found.raw_manifest)
    front().ballot.publish(found.poll, roll.strata, roll.issuer_key, token("ballot"))
    return f"{ROOT}/{found.poll}?fait=publie"


class LiftForm(Form):
    title = "Ce que fait la réédition"
    help = (
        "La personne pourra prendre un nouveau droit de vote, par exemple si elle a perdu son code de vote. Un "
        "bulletin déposé avec l’ancien droit reste dans l’urne et compte : le nombre de rééditions est publié, et "
        "toute personne peut voir de combien le résultat pourrait en dépendre. Un second responsable doit confirmer."
    )
    aware = Tick("J’ai vérifié l’identité de cette personne et j’ai lu ce qui précède", ask="Cochez la case")


def _reissue(answers: Answers) -> Sent:
    """Whom it is about stands neither in the journal nor in the receipt: that someone took a right to vote is for the
    roll alone to know."""
    poll = str(answers.place["poll"])
    found = found_person(answers["personne"], token("identity"))
    state = front().identity.reissue(poll, found.subject, token("identity"))
    links = [(f"{ROOT}/{poll}", "Revenir au scrutin")]
    if state == "confirmed":
        return Sent("La réédition est faite", "La personne peut prendre un nouveau droit de vote.", links)
    return Sent("La réédition est demandée", "Un second responsable doit la demander aussi, ici même.", links)


PUBLISH: Final = Confirm(
    key="poll_publish",
    path=f"{ROOT}/publication",
    who=WHO,
    fields=("poll",),
    ask=_ask,
    do=_publish,
    label="Publier ce scrutin",
    back=ROOT,
    trail="Scrutin publié",
    crumbs=CRUMBS,
    refusals={
        "PollNotDraft": "Ce scrutin est déjà publié.",
        "PollOver": "La date de clôture est passée : modifiez les dates.",
        "IssuanceFrozen": "Ce scrutin est déjà publié.",
        "StratumTooSmall": REFUSALS["StratumTooSmall"].text,
    },
)
REISSUE: Final = Flow(
    key="poll_reissue",
    path=f"{ONE}/reedition",
    title="Rééditer un droit de vote",
    who=WHO,
    steps=(Step("personne", PersonForm), Step("accord", LiftForm)),
    send=_reissue,
    told=False,
    label="Demander la réédition",
    trail="Droit de vote réédité",
    crumbs=CRUMBS,
    refusals={
        "PersonNotFound": NOT_FOUND,
        "NotOnRoll": Said("Cette personne n’est pas sur la liste de ce scrutin."),
        "NothingToReissue": Said("Cette personne n’a pas encore pris de droit de vote : elle peut voter."),
        "SecondPersonNeeded": Said("Vous l’avez déjà demandée : un autre responsable doit confirmer."),
        "IssuanceNotOpen": Said("Les droits de vote se rééditent entre l’ouverture et la clôture."),
    },
)


def add_routes(app: web.App) -> None:
    app.get(f"{ONE}/apercu", who=WHO, endpoint="poll_preview")(preview)
    for part in (PUBLISH, REISSUE):
        part.add_routes(app)
