"""The returning officers' pages: confirm an opening, confirm a count, cancel a poll; each takes two people."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from flask import Response, request

from services.gateway.clients.ballot import Poll
from services.gateway.clients.http import ServiceRefused, ServiceUnavailable
from services.gateway.pages.front import OFFICER, front, page, see_other, token
from services.gateway.pages.office import making
from services.gateway.pages.office.figures import LIST
from services.shared import web

_REASON: Final = (10, 500)
_DONE: Final = {
    "ouverture": "Votre confirmation de l’ouverture est enregistrée.",
    "comptage": "Votre confirmation du comptage est enregistrée.",
    "annulation": "Votre demande d’annulation est enregistrée. Elle prendra effet quand une deuxième personne "
    "l’aura confirmée.",
    "annule": "Le scrutin est annulé.",
    "publie": "Le scrutin est publié. Faites paraître l’empreinte de son manifeste dans la presse : c’est à elle que "
    "chacun comparera ce qu’il voit. Puis deux personnes confirment l’ouverture.",
}
_REFUSED: Final = {
    "SecondPersonNeeded": "Vous avez déjà confirmé : la deuxième confirmation doit venir d’une autre personne.",
    "AnotherManifest": "Le manifeste a été remplacé depuis que vous l’avez lu. Relisez le scrutin, comparez sa "
    "nouvelle empreinte, puis confirmez.",
    "OtherCheckpoints": "Les scellés ne sont pas ceux de la page que vous avez lue. Comparez leur empreinte à celle "
    "que donne l’audit, puis confirmez.",
    "PollNotPublished": "Ce scrutin n’est pas, ou plus, en attente d’ouverture.",
    "PollNotClosed": "Le comptage ne peut être confirmé qu’une fois le scrutin clos.",
    "ServiceUnavailable": "Le service des scrutins ne répond pas : rien n’a changé, réessayez dans quelques instants.",
}


def poll(poll: UUID) -> Response:
    return _poll_page(_read(poll), done=_DONE.get(request.args.get("fait", "")))


def confirm_opening(poll: UUID) -> Response:
    try:
        front().ballot.confirm_opening(str(poll), request.form.get("empreinte", ""), token("ballot"))
    except (ServiceRefused, ServiceUnavailable) as e:
        return _refused(poll, e.code)
    return see_other(f"/agent/scrutins/{poll}?fait=ouverture")


def confirm_count(poll: UUID) -> Response:
    try:
        front().ballot.confirm_count(str(poll), request.form.get("scelles", ""), token("ballot"))
    except (ServiceRefused, ServiceUnavailable) as e:
        return _refused(poll, e.code)
    return see_other(f"/agent/scrutins/{poll}?fait=comptage")


def cancellation_form(poll: UUID) -> Response:
    return _cancellation(_read(poll), "")


def cancel(poll: UUID) -> Response:
    """First the reason, then a page that asks once more, then the request itself."""
    found, reason = _read(poll), request.form.get("motif", "").strip()
    if not _REASON[0] <= len(reason) <= _REASON[1]:
        return _cancellation(found, reason, 400, f"Donnez un motif de {_REASON[0]} à {_REASON[1]} caractères")
    if request.form.get("etape") == "modifier":
        return _cancellation(found, reason)
    if request.form.get("etape") != "confirmer":
        return page("pages/officer_cancel_check.html", poll=found, m=found.manifest, reason=reason)
    try:
        state = front().ballot.cancel(found.poll, reason, token("ballot"))
    except (ServiceRefused, ServiceUnavailable) as e:
        return _cancellation(found, reason, 409, _REFUSED.get(e.code, "L’annulation a été refusée."))
    return see_other(f"/agent/scrutins/{poll}?fait={'annule' if state == 'cancelled' else 'annulation'}")


def add_routes(app: web.App) -> None:
    root, who = "/agent/scrutins", web.role(OFFICER)
    LIST.add_routes(app)
    app.get(f"{root}/<uuid:poll>", who=who, endpoint="officer_poll")(poll)
    app.post(f"{root}/<uuid:poll>/ouverture", who=who, trail="Ouverture d’un scrutin confirmée")(confirm_opening)
    app.post(f"{root}/<uuid:poll>/comptage", who=who, trail="Comptage confirmé")(confirm_count)
    app.get(f"{root}/<uuid:poll>/annulation", who=who)(cancellation_form)
    app.post(f"{root}/<uuid:poll>/annulation", who=who, trail="Annulation d’un scrutin demandée")(cancel)


def _read(poll: UUID) -> Poll:
    return front().ballot.poll(str(poll), token("ballot"))


def _refused(poll: UUID, code: str) -> Response:
    said = _REFUSED.get(code, "Cette confirmation a été refusée : l’état du scrutin ne la permet pas.")
    if code == "ServiceUnavailable":
        return page("pages/failure.html", 503, title="Le service des scrutins ne répond pas", text=said)
    return _poll_page(_read(poll), 409, problem=said)


def _poll_page(found: Poll, status: int = 200, *, done: str | None = None, problem: str | None = None) -> Response:
    values = {"poll": found, "m": found.manifest, "done": done, "problem": problem, "editable": making.editable(found)}
    return page("pages/officer_poll.html", status, **values)


def _cancellation(found: Poll, reason: str, status: int = 200, error: str | None = None) -> Response:
    return page("pages/officer_cancel.html", status, poll=found, m=found.manifest, reason=reason, error=error)
