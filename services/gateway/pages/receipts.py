"""My space: drafts, receipts of what was sent, appeals and their answers. Never anything of a ballot."""

from __future__ import annotations

import hmac
from typing import Any, Final

from flask import Response, request

from services.gateway.clients.http import ServiceRefused, ServiceUnavailable
from services.gateway.clients.own import Access
from services.gateway.clients.persons import Entry
from services.gateway.pages import words
from services.gateway.pages.front import front, own_data, page, sealing_key, see_other, session, subject, together
from services.gateway.pages.kit.pdf import sheet
from services.gateway.store.drafts import Receipt
from services.shared import logs, web
from services.shared.errors import NotFound

_DOWN: Final = "Un service ne répond pas. Rien n’est perdu : réessayez dans quelques instants."
_NO_ADDRESS: Final = (
    "Votre compte n’a pas d’adresse électronique. Téléchargez le reçu, ou faites ajouter une adresse au guichet."
)
_STATES: Final = {
    ("appeal", "open"): "Recours : en attente de réponse",
    ("appeal", "granted"): "Recours accepté",
    ("appeal", "dismissed"): "Recours rejeté",
    ("attach", "open"): "Rattachement à une liste : en attente d’un agent",
    ("attach", "attached"): "Compte rattaché à une liste",
    ("attach", "refused"): "Rattachement à une liste refusé",
}


def space() -> Response:
    number, own = web.page(), subject()
    key, data = together(sealing_key, own_data)
    drafts = front().drafts.of(key, own) if key and number == 1 else []
    receipts, last = front().drafts.receipts(key, own, number) if key else ([], number)
    told = [_told(receipt) for receipt in receipts]
    values: dict[str, Any] = {"appeals": answered(data, "appeal"), "attached": answered(data, "attach"), "data": data}
    return page("pages/space.html", drafts=drafts, receipts=told, down=key is None, number=number, last=last, **values)


def answered(data: Access | None, kind: str) -> list[dict[str, str]]:
    """What the person asked for and what was answered, for a timeline; the newest first."""
    found = data.entries if data else ()
    return [_line(entry) for entry in found if entry.kind == kind]


def receipt(id: str) -> Response:
    """One of one's own; another's is as if it did not exist."""
    return _page(_told(find(id)))


def file(id: str) -> Response:
    return sheet("pages/sent_sheet.html", f"recu-{id[:8]}.pdf", receipt=_told(find(id)))


def mail(id: str) -> Response:
    """To the address that identity knows. Asked again, it is the same message, sent once."""
    key, data = together(sealing_key, own_data)
    found = front().drafts.receipt(key, subject(), id) if key else None
    if key is not None and found is None:
        raise NotFound(field="id")
    if found is None or data is None:
        return page("pages/failure.html", 503, title="Le reçu n’est pas parti", text=_DOWN)
    told = _told(found)
    if not data.person.email:
        return _page(told, 409, problem=_NO_ADDRESS)
    try:
        front().notifications.mail_receipt(_message(told, data), front().signer.own("notifications"))
    except ServiceUnavailable:
        return _page(told, 503, problem=_DOWN)
    except ServiceRefused as e:
        logs.failure(e.told)
        return _page(told, 409, problem="L’adresse électronique de votre compte ne reçoit rien : faites-la corriger.")
    return see_other(f"/recus/{id}?courriel=1")


def find(id: str) -> Receipt:
    """Raises NotFound."""
    found = front().drafts.receipt(sealing_key(), subject(), id)
    if found is None:
        raise NotFound(field="id")
    return found


def add_routes(app: web.App) -> None:
    app.get("/mon-espace", who=web.SIGNED_IN)(space)
    app.get("/recus/<id>", who=web.SIGNED_IN, endpoint="sent")(receipt)
    app.get("/recus/<id>.pdf", who=web.SIGNED_IN, endpoint="sent_file")(file)
    app.post("/recus/<id>/courriel", who=web.SIGNED_IN, endpoint="sent_mail")(mail)


def _page(told: dict[str, Any], status: int = 200, problem: str = "") -> Response:
    fresh, mailed = (request.args.get(name) == "1" for name in ("fait", "courriel"))
    return page("pages/sent.html", status, receipt=told, fresh=fresh, mailed=mailed, problem=problem)


def _message(told: dict[str, Any], data: Access) -> dict[str, Any]:
    """Only what the receipt says. The key names receipt and address: a corrected address gets it anew."""
    email, person = data.person.email, session()
    about = f"parvis/gateway/receipt/v1\n{told['id']}\n{email}".encode()
    rows = "\n\n".join(f"{label} : {text}" for label, text in told["rows"])
    values = {"title": told["title"], "at": words.date_time(told["at"]), "number": told["id"], "text": told["text"]}
    return {
        "key": hmac.digest(front().cookie_key, about, "sha256").hex(),
        "subject": subject(),
        "address": email,
        "values": values | {"name": person.name if person else "", "rows": rows},
    }


def _line(entry: Entry) -> dict[str, str]:
    answer = entry.words.get("answer", "")
    text = entry.words.get("text", "") + (f"\n\nRéponse : {answer}" if answer else "")
    return {"at": entry.at, "title": _STATES.get((entry.kind, entry.state), entry.state), "text": text.strip()}


def _told(found: Receipt) -> dict[str, Any]:
    return {"id": found.id, "at": words.moment_of(found.at), **found.content}
