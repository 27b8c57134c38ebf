"""Keys of the public API: making one, which is shown this once; who has which; ending one."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from flask import Response, request

from services.gateway.clients.http import ServiceRefused, ServiceUnavailable
from services.gateway.clients.identity import Found
from services.gateway.pages import words
from services.gateway.pages.api.access import api
from services.gateway.pages.front import front, page, session, token, unless_down
from services.gateway.pages.kit import trail
from services.gateway.pages.kit.confirm import Asked, Confirm
from services.gateway.pages.kit.fields import Day, Number, Several, Text
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.listing import Action, Column, Listing, Rows
from services.gateway.pages.staff.journal import NAME_NOT_NOW
from services.gateway.pages.staff.people import NOT_FOUND, PersonForm, found_person
from services.gateway.store.api_keys import MOST_AN_HOUR, ApiKey, KeyMadeAlready, KeyRequestWrong
from services.shared import web
from services.shared.errors import NotFound, NotSignedIn

ADMINISTRATOR: Final = web.role("administrator")
ROOT: Final = "/agent/cles"
NEW: Final = f"{ROOT}/nouvelle"
CRUMBS: Final = (("/", "Scrutins"), ("/agent", "Espace agent"))
SCOPES: Final = {
    "polls:read": "Lire les scrutins et leurs résultats",
    "exports:read": "Télécharger les registres publics",
    "catalogue:read": "Moissonner le catalogue",
}
_BRIEF: Final = {"polls:read": "scrutins", "exports:read": "registres", "catalogue:read": "catalogue"}
_ONCE: Final = re.compile(r"[0-9a-f]{12}")
_DOWN: Final = "Un service ne répond pas : aucune clé n’a été créée. Réessayez dans quelques instants."
_TWICE: Final = (
    "Cette clé est déjà créée, et n’est montrée qu’une fois. Si vous ne l’avez pas notée, révoquez-la dans la liste "
    "des clés, puis créez-en une autre."
)


class KeyForm(PersonForm):
    title = "Créer une clé"
    help = (
        "La clé est remise à une organisation ; une personne connue du site en répond. La personne se cherche par ses "
        "nom, prénom et date de naissance."
    )
    label = Text(
        "Organisation ou usage",
        ask="Saisissez l’organisation ou l’usage de la clé",
        hint="Par exemple : portail de données de la région. Pas de nom de personne ici.",
        longest=100,
    )
    scopes = Several("Droits de la clé", list(SCOPES.items()), ask="Choisissez au moins un droit")
    quota = Number("Demandes par heure", ask="Saisissez un nombre de demandes par heure", least=1, most=MOST_AN_HOUR)
    ends_on = Day("Valable jusqu’au", optional=True, hint="La clé cesse de servir au début de ce jour.")


def new() -> Response:
    return _form(KeyForm.starting({"quota": "1000"}), secrets.token_hex(6))


def make() -> Response:
    """The one page that shows the key. Sent again, it makes and shows nothing: the form has an id of its own."""
    form: Any = KeyForm(request.form)
    once = request.form.get("une_fois", "")
    if not _ONCE.fullmatch(once) or not form.validate():
        return _form(form, once if _ONCE.fullmatch(once) else secrets.token_hex(6), 400)
    try:
        owner = found_person(form, token("identity"))
        made, secret = _made(form, owner, once)
    except ServiceUnavailable:
        return _form(form, once, 503, _DOWN)
    except ServiceRefused:
        form.refuse("family_name", NOT_FOUND.text)
        return _form(form, once, 409)
    except KeyRequestWrong as e:
        form.refuse(e.field or "label", "Choisissez un jour à venir" if e.field == "ends_on" else "Vérifiez ce champ")
        return _form(form, once, 400)
    except KeyMadeAlready:
        return _form(form, once, 409, _TWICE)
    return page("pages/api_key_made.html", made=made, secret=secret, owner=owner.name, rows=_rows_of(made), root=ROOT)


def _made(form: Any, owner: Found, once: str) -> tuple[ApiKey, str]:
    person = session()
    if person is None:
        raise NotSignedIn
    trail.about(owner.subject)
    ends_on = form.ends_on.value.isoformat() if form.ends_on.value else ""
    given = (form.label.data, form.scopes.data, form.quota.value)
    return api().keys.make(owner.subject, *given, person.subject, ends_on, key_id=once)


def _form(form: Form, once: str, status: int = 200, problem: str | None = None) -> Response:
    values = {"form": form, "once": once, "problem": problem, "crumbs": (*CRUMBS, (ROOT, "Clés")), "path": NEW}
    return page("pages/api_key.html", status, **values)


def _rows_of(key: ApiKey) -> list[tuple[str, str]]:
    return [
        ("Organisation ou usage", key.label),
        ("Droits", _scopes(key)),
        ("Demandes par heure", words.number(key.quota)),
        ("Fin", _ends(key)),
    ]


def _scopes(key: ApiKey) -> str:
    return ", ".join(SCOPES.get(scope, scope) for scope in sorted(key.scopes, key=list(SCOPES).index))


def _briefly(key: ApiKey) -> str:
    return ", ".join(_BRIEF.get(scope, scope) for scope in sorted(key.scopes, key=list(SCOPES).index))


def _day(text: str) -> str:
    year, month, day = text.split("-")
    return f"{day}/{month}/{year}"


def _ends(key: ApiKey) -> str:
    if not key.ends_on:
        return "Aucune prévue"
    return f"Révoquée le {_day(key.ends_on)}" if key.ended_by else _day(key.ends_on)


def _listed(_filters: Form, number: int) -> Rows:
    """Each key with its owner's name; without names where identity does not answer."""
    found, last = api().keys.page(number)
    subjects = sorted({key.owner for key in found})
    names = unless_down(lambda: front().identity.names(subjects, token("identity"))) if subjects else {}
    if names is None:
        return Rows([(key, NAME_NOT_NOW) for key in found], last)
    return Rows([(key, names.get(key.owner, "–")) for key in found], last)


def _good(key: ApiKey) -> bool:
    return key.good_on(api().keys.today())


def _ask_end(given: Mapping[str, str]) -> Asked:
    key = api().keys.get(given["id"])
    if key is None:
        raise NotFound(field="id")
    text = "Les programmes qui s’en servent reçoivent aussitôt un refus. Une clé révoquée ne se rétablit pas."
    return Asked(f"Révoquer la clé « {key.label} » ?", text, _rows_of(key))


def _end(given: Mapping[str, str]) -> str:
    person = session()
    if person is None:
        raise NotSignedIn
    api().keys.end(given["id"], person.subject)
    return f"{ROOT}?fait=revoquee"


KEYS: Final = Listing(
    key="api_keys",
    path=ROOT,
    title="Clés de l’interface publique",
    who=ADMINISTRATOR,
    help="Lire ce qui est public ne demande pas de clé. Une clé donne à une organisation un quota à elle.",
    crumbs=CRUMBS,
    columns=(
        Column("Organisation ou usage", lambda row: row[0].label),
        Column("Qui en répond", lambda row: row[1]),
        Column("Droits", lambda row: _briefly(row[0])),
        Column("Par heure", lambda row: words.number(row[0].quota), numeric=True),
        Column("Fin", lambda row: _ends(row[0])),
        Column("Dernier usage", lambda row: _day(row[0].last_used_on) if row[0].last_used_on else "Jamais"),
    ),
    rows=_listed,
    empty="Aucune clé n’a été créée pour le moment.",
    links=((NEW, "Créer une clé"),),
    actions=(
        Action(
            "Révoquer",
            f"{ROOT}/fin",
            lambda row: {"id": row[0].id} if _good(row[0]) else {},
            lambda row: str(row[0].label),
        ),
    ),
    done={"revoquee": "La clé est révoquée."},
)
END: Final = Confirm(
    key="api_key_end",
    path=f"{ROOT}/fin",
    who=ADMINISTRATOR,
    fields=("id",),
    ask=_ask_end,
    do=_end,
    label="Révoquer cette clé",
    back=ROOT,
    trail="Clé révoquée",
    crumbs=(*CRUMBS, (ROOT, "Clés")),
)


def add_routes(app: web.App) -> None:
    KEYS.add_routes(app)
    END.add_routes(app)
    app.get(NEW, who=ADMINISTRATOR, endpoint="api_key_new")(new)
    app.post(NEW, who=ADMINISTRATOR, endpoint="api_key_make", trail="Clé créée")(make)
