"""The receipt as a file: the promise comes in the form and goes straight back out; nothing is kept."""

from __future__ import annotations

import json
import re
from typing import Final
from uuid import UUID

from flask import Response, request

from services.gateway.pages.front import attachment, front, speak, unless_down
from services.gateway.pages.language import said
from services.gateway.pages.words import date_time
from services.gateway.voting import Promise
from services.shared import web
from services.shared.errors import BadInput

_SHAPES: Final = {
    "leaf_hash": re.compile(r"[0-9a-f]{64}"),
    "log_by": re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z"),
    "signature": re.compile(r"[0-9a-f]{128}"),
}


class NotAPromise(BadInput):
    """The form does not hold the fields of a promise."""


def receipt(poll: UUID) -> Response:
    promise = _promise(str(poll))
    speak("pages/receipt.html")
    if request.form.get("format") == "texte":
        found = unless_down(lambda: front().ballot.poll(promise.poll))
        text = _text(promise, found.manifest.title if found else promise.poll, found.manifest_hash if found else None)
        return attachment(text, f"recu-{promise.leaf_hash[:8]}.txt", "text/plain; charset=utf-8")
    text = json.dumps(promise.as_json(), indent=2) + "\n"
    return attachment(text, f"recu-{promise.leaf_hash[:8]}.json", "application/json; charset=utf-8")


def add_routes(app: web.App) -> None:
    app.post("/scrutins/<uuid:poll>/recu", who=web.ANYONE, quiet=True)(receipt)


def _promise(poll: str) -> Promise:
    values = {name: request.form.get(name, "") for name in _SHAPES}
    for name, shape in _SHAPES.items():
        if not shape.fullmatch(values[name]):
            raise NotAPromise(field=name)
    try:
        date_time(values["log_by"])
    except ValueError:
        raise NotAPromise(field="log_by") from None
    return Promise(poll=poll, **values)


def _text(promise: Promise, title: str, manifest_hash: str | None) -> str:
    lines = [
        said("REÇU DE VOTE"),
        "",
        said("Scrutin : %(poll)s", poll=title),
        said("Identifiant du scrutin : %(poll)s", poll=promise.poll),
        *([said("Empreinte du manifeste : %(hash)s", hash=manifest_hash)] if manifest_hash else []),
        "",
        said("Numéro de suivi : %(tracker)s", tracker=promise.leaf_hash),
        said("Le bulletin sera dans l’urne au plus tard le %(time)s (heure de Paris).", time=date_time(promise.log_by)),
        said("Signature de la promesse : %(signature)s", signature=promise.signature),
        said("Date limite signée : %(time)s", time=promise.log_by),
        "",
        said("Ce reçu prouve que le bulletin a été reçu. Il ne dit pas ce que vous avez voté."),
        said("Pour vérifier : page « Mon bulletin est-il dans l’urne ? » du scrutin."),
        "",
    ]
    return "\n".join(lines)
