"""A roll file from its upload to its import: sent, checked, confirmed, followed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from flask import Response, request
from werkzeug.datastructures import CombinedMultiDict

from services.gateway.clients.http import ServiceRefused, ServiceUnavailable
from services.gateway.clients.rolls import PART, RollImport
from services.gateway.pages import words
from services.gateway.pages.front import front, page, see_other, token
from services.gateway.pages.kit.confirm import Asked, Confirm
from services.gateway.pages.kit.exports import csv_file
from services.gateway.pages.kit.fields import Text, Tick, Upload
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.steps import Said
from services.gateway.pages.staff import roll_words
from services.gateway.pages.staff.rolls import IMPORT, IMPORTS, ROOT, UNDER, WHO
from services.shared import web
from services.shared.errors import NotFound

ONE: Final = f"{IMPORT}/<uuid:roll_import>"
LARGEST: Final = 32 * 1024 * 1024
SECONDS: Final = "5"
_MOVES: Final = ("checking", "importing")
_DOWN: Final = "Un service ne répond pas : le fichier n’est pas arrivé. Envoyez-le à nouveau dans quelques instants."


class FileForm(Form):
    title = "Importer une liste électorale"
    send = "Envoyer et vérifier"
    file = Upload(
        "Fichier CSV",
        ask="Choisissez le fichier à importer",
        hint="32 Mo au plus, séparé par des points-virgules ou des virgules, en UTF-8.",
        accept=".csv,text/csv",
    )
    stratum = Text(
        "Liste des lignes qui n’en nomment pas",
        optional=True,
        longest=40,
        hint="Par exemple : jeunes-16-25. Vide : les nouveaux vont sur « habitants », les autres restent où ils sont.",
    )


class KeepForm(Form):
    keep_good = Tick(
        "Importer les lignes sans erreur, et laisser de côté celles qui sont refusées",
        optional=True,
        hint="Sans cela, corrigez le fichier et envoyez-le à nouveau.",
    )


class ChangesForm(Form):
    with_changes = Tick(
        "Appliquer aussi les changements d’adresse, de bureau, de liste ou de coordonnées",
        optional=True,
        hint="Chaque personne les retrouve dans son dossier. Sans cela, seuls les nouveaux sont ajoutés.",
    )


class StartForm(KeepForm, ChangesForm):
    pass


# --- sending ---


def upload_form() -> Response:
    return _upload_page(FileForm())


def upload() -> Response:
    """Everything is held in memory, sent on in pieces and forgotten; identity keeps it sealed until it is imported."""
    form: Any = FileForm(CombinedMultiDict([request.files, request.form]))
    if not form.validate():
        return _upload_page(form, 400)
    data, ours = form.file.data.read(), token("identity")
    if not data:
        form.refuse("file", "Ce fichier est vide : choisissez-en un autre")
        return _upload_page(form, 400)
    try:
        made = front().rolls.send_roll(hashlib.sha256(data).hexdigest(), form.stratum.data or "", _parts(data), ours)
    except ServiceUnavailable:
        return _upload_page(form, 503, _DOWN)
    except ServiceRefused as e:
        stratum = e.field == "stratum"
        said = (
            "Liste : minuscules, chiffres et tirets, 40 au plus" if stratum else "Ce fichier a été refusé : réessayez"
        )
        form.refuse("stratum" if stratum else "file", said)
        return _upload_page(form, 400)
    return see_other(_checked(made, ours))


def _parts(data: bytes) -> Iterator[bytes]:
    return (data[first : first + PART] for first in range(0, len(data), PART))


def _checked(made: RollImport, token: str) -> str:
    """The import's page, which says where it stands, also when the check was refused or its answer did not come."""
    try:
        front().rolls.check_roll(made.id, token)
    except (ServiceRefused, ServiceUnavailable):
        pass
    return f"{IMPORT}/{made.id}"


def _upload_page(form: Form, status: int = 200, problem: str = "") -> Response:
    values = {"form": form, "columns": roll_words.COLUMNS, "problem": problem, "crumbs": UNDER}
    return page("pages/roll_upload.html", status, **values)


def template_file() -> Response:
    """The first line alone, to be filled in."""
    return csv_file("modele-liste", [column.name for column in roll_words.COLUMNS], [])


# --- where it stands ---


def standing(roll_import: UUID) -> Response:
    """Comes again by itself while the work goes on, unless that was stopped."""
    found = front().rolls.roll_import(str(roll_import), token("identity"))
    moves, stopped = found.state in _MOVES, "arret" in request.args
    values: dict[str, Any] = {
        "one": found,
        "states": roll_words.STATES,
        "moves": moves,
        "stopped": stopped,
        "seconds": SECONDS,
    }
    values |= {"refused": roll_words.refused(found.reason), "crumbs": (*UNDER, (IMPORTS, "Imports"))}
    response = page("pages/roll_import.html", **values)
    if moves and not stopped:
        response.headers["Refresh"] = SECONDS
    return response


# --- importing, or not ---


def _found(given: Mapping[str, str]) -> RollImport:
    try:
        return front().rolls.roll_import(str(UUID(given["roll_import"])), token("identity"))
    except ValueError:
        raise NotFound(field="roll_import") from None


def _ask_start(given: Mapping[str, str]) -> Asked:
    one = _found(given)
    rows = [
        ("Personnes nouvelles", words.number(one.fresh)),
        ("Lignes qui changent une personne connue", words.number(one.changed)),
        ("Personnes connues, sans changement", words.number(one.known)),
        ("Lignes refusées", words.number(one.faulty)),
    ]
    forms = {(True, True): StartForm, (True, False): KeepForm, (False, True): ChangesForm, (False, False): Form}
    text = "Exactement ce qui a été vérifié est importé. Les nouveaux pourront voter aux scrutins publiés ensuite."
    return Asked("Importer cette liste ?", text, rows, form=forms[bool(one.faulty), bool(one.changed)])


def _start(given: Mapping[str, str]) -> str:
    keep_good, with_changes = bool(given["keep_good"]), bool(given["with_changes"])
    front().rolls.start_roll(given["roll_import"], given["hash"], keep_good, with_changes, token("identity"))
    return f"{IMPORT}/{UUID(given['roll_import'])}"


def _ask_drop(given: Mapping[str, str]) -> Asked:
    return Asked(
        "Abandonner cet import ?", "Le fichier est détruit aussitôt. Rien n’est importé.", _facts(_found(given))
    )


def _facts(one: RollImport) -> list[tuple[str, str]]:
    return [("Envoyé le", words.day_and_time(one.at)), ("Lignes", words.number(one.total))]


def _drop(given: Mapping[str, str]) -> str:
    front().rolls.drop_roll(given["roll_import"], token("identity"))
    return f"{IMPORTS}?fait=abandonne"


START: Final = Confirm(
    key="roll_start",
    path=f"{IMPORT}/confirmation",
    who=WHO,
    fields=("roll_import", "hash"),
    ask=_ask_start,
    do=_start,
    form=StartForm,
    label="Importer",
    back=IMPORTS,
    trail="Import de liste lancé",
    crumbs=(*UNDER, (IMPORTS, "Imports")),
    refusals={
        "FaultsRemain": Said(
            "Des lignes sont refusées : cochez pour importer les autres, ou corrigez le fichier", field="keep_good"
        ),
        "ImportNotReady": "Cet import a été lancé, abandonné ou a expiré entre-temps.",
        "FileDiffers": "Ce n’est plus le fichier qui a été vérifié. Revenez à la liste des imports.",
    },
)
DROP: Final = Confirm(
    key="roll_drop",
    path=f"{IMPORT}/abandon",
    who=WHO,
    fields=("roll_import",),
    ask=_ask_drop,
    do=_drop,
    label="Abandonner cet import",
    back=IMPORTS,
    trail="Import de liste abandonné",
    crumbs=(*UNDER, (IMPORTS, "Imports")),
    refusals={"ImportNotReady": "Cet import est lancé ou terminé : il ne s’abandonne plus."},
)


def add_routes(app: web.App) -> None:
    app.get(f"{ROOT}/modele.csv", who=WHO, endpoint="roll_template")(template_file)
    app.get(IMPORT, who=WHO, endpoint="roll_upload")(upload_form)
    sent = app.post(
        IMPORT, who=WHO, limit=LARGEST + 64 * 1024, endpoint="roll_upload_post", trail="Liste électorale envoyée"
    )
    sent(upload)
    app.get(ONE, who=WHO, endpoint="roll_import")(standing)
    for part in (START, DROP):
        part.add_routes(app)
