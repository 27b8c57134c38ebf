"""Signing up: a person opens an account themselves; an association's is asked for by a person who is signed in.

What is typed is kept nowhere before it is sent: it rides in the page, since nobody is signed in yet.
"""

from __future__ import annotations

import re
import secrets
from datetime import date
from typing import Any, Final

from flask import Response, request
from wtforms.validators import ValidationError

from services.gateway.clients.http import ServiceRefused, ServiceUnavailable
from services.gateway.pages.citizen.associations import NEW as ASSOCIATION
from services.gateway.pages.front import front, page, see_other
from services.gateway.pages.kit.fields import Choice, Day, Text
from services.gateway.pages.kit.form import Form
from services.gateway.pages.people import source
from services.shared import logs, web

ROOT: Final = "/inscription"
PERSON: Final = f"{ROOT}/personne"
_ONCE: Final = re.compile(r"[0-9a-f]{32}")
_DOWN: Final = "Le service d’identité ne répond pas. Rien n’est perdu : réessayez dans quelques instants."
_TOO_MANY: Final = "Trop de comptes ont été ouverts d’ici : attendez une minute, puis recommencez."
_OLDEST: Final = date(1900, 1, 1)


class KindForm(Form):
    title = "Créer un compte"
    kind = Choice(
        "Vous inscrivez-vous comme personne ou au nom d’une association ?",
        [("person", "Comme personne"), ("association", "Au nom d’une association")],
        ask="Choisissez comment vous vous inscrivez",
        hints={
            "person": "Pour voter et participer en votre nom.",
            "association": "Vous aurez besoin de votre propre compte, et du numéro RNA, SIREN ou SIRET.",
        },
    )


class PersonForm(Form):
    title = "Qui êtes-vous ?"
    help = (
        "Écrivez vos noms comme sur votre pièce d’identité. Un agent rattachera ensuite votre compte à une liste : "
        "c’est ce qui donne le droit de vote."
    )
    family_name = Text("Nom de famille", ask="Saisissez votre nom de famille", autocomplete="family-name")
    given_name = Text("Prénom", ask="Saisissez votre prénom", autocomplete="given-name")
    birth_date = Day("Date de naissance", ask="Saisissez votre date de naissance", hint="Par exemple : 24/05/1987")
    address = Text(
        "Adresse", ask="Saisissez votre adresse", hint="Numéro, rue et commune", autocomplete="address-line1"
    )

    def validate_birth_date(self, field: Any) -> None:
        if field.value is not None and not _OLDEST <= field.value <= date.today():
            raise ValidationError("Date de naissance : une date de 1900 à aujourd’hui")


def kind() -> Response:
    return _kind_page(KindForm())


def choose_kind() -> Response:
    form = KindForm(request.form)
    if not form.validate():
        return _kind_page(form, 400)
    return see_other(PERSON if form["kind"].data == "person" else ASSOCIATION)


def person() -> Response:
    return _person_page(PersonForm())


def check() -> Response:
    form = PersonForm(request.form)
    if "modifier" in request.form:
        return _person_page(form)
    if not form.validate():
        return _person_page(form, 400)
    return _check_page(form, secrets.token_hex(16))


def send() -> Response:
    """The one page that shows the code. The same form again is the same account, with a new code."""
    form: Any = PersonForm(request.form)
    once = request.form.get("une_fois", "")
    if not _ONCE.fullmatch(once) or not form.validate():
        return _person_page(form, 400)
    told = {name: form[name].data for name in ("family_name", "given_name", "address")}
    told |= {"birth_date": f"{form.birth_date.value:%d/%m/%Y}", "key": once}
    try:
        made = front().own.sign_up(told, source())
    except ServiceUnavailable:
        return _check_page(form, once, 503, _DOWN)
    except ServiceRefused as e:
        logs.failure(e.told)
        if e.told == "TooManyTries":
            return _check_page(form, once, 429, _TOO_MANY)
        at = e.field if e.field in form else "family_name"
        form.refuse(at, f"{form[at].label.text} : vérifiez ce qui est écrit, un caractère ne convient pas")
        return _person_page(form, 409)
    return page("pages/signed_up.html", code=made.code)


def add_routes(app: web.App) -> None:
    app.get(ROOT, who=web.ANYONE, endpoint="sign_up")(kind)
    app.post(ROOT, who=web.ANYONE, quiet=True, endpoint="sign_up_kind")(choose_kind)
    app.get(PERSON, who=web.ANYONE, endpoint="sign_up_person")(person)
    app.post(PERSON, who=web.ANYONE, quiet=True, endpoint="sign_up_check")(check)
    app.post(f"{PERSON}/envoyer", who=web.ANYONE, quiet=True, endpoint="sign_up_send")(send)


def _kind_page(form: Form, status: int = 200) -> Response:
    return page("pages/sign_up.html", status, form=form, action=ROOT, about_person=False)


def _person_page(form: Form, status: int = 200) -> Response:
    return page("pages/sign_up.html", status, form=form, action=PERSON, about_person=True)


def _check_page(form: Form, once: str, status: int = 200, problem: str | None = None) -> Response:
    values = {"form": form, "once": once, "action": f"{PERSON}/envoyer", "back": PERSON, "problem": problem}
    return page("pages/sign_up_check.html", status, **values)
