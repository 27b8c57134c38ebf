"""Signing in by a code that is asked for: by e-mail or SMS, by letter, or from the desk.

No page tells whether an address, a number or a name is known: what is said is the same, and the service takes the same
time.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from flask import Response, request

from services.gateway.clients.http import ServiceRefused, ServiceUnavailable
from services.gateway.pages import sessions, words
from services.gateway.pages.front import front, page, see_other, speak
from services.gateway.pages.kit.fields import Day, Text
from services.gateway.pages.kit.form import Form
from services.gateway.pages.language import mark, plural, said
from services.gateway.pages.people import source
from services.gateway.pages.sealed_cookie import SealedCookie
from services.shared import logs, web

ASK: Final = "/connexion/code"
TYPE: Final = "/connexion/code/saisie"
LETTER: Final = "/connexion/courrier"
ASK_LETTER: Final = "/connexion/courrier/demande"
_PAGE: Final = "pages/code_step.html"
_DOWN: Final = mark("La connexion n’est pas possible pour le moment : réessayez dans quelques instants")
_SAID: Final = {
    "ContactRefused": mark(
        "Saisissez une adresse complète, comme prenom.nom@exemple.fr, ou un numéro de téléphone mobile"
    ),
    "CodeUnknown": mark("Ce code n’est pas le bon : vérifiez-le et saisissez-le à nouveau"),
    "AskOver": mark("Ce code n’est plus valable : demandez-en un autre"),
    "TooManyTries": mark("Trop d’essais : attendez une minute avant de recommencer"),
}
_ONCE_LINKS: Final = (
    (ASK_LETTER, mark("Demander un code par courrier")),
    ("/connexion", mark("Se connecter autrement")),
)
_STATUS: Final = {"ContactRefused": 400, "TooOften": 429, "TooManyTries": 429}


class Asking(msgspec.Struct, frozen=True):
    """A request for a code, kept by the browser that made it."""

    request: str
    minutes: int
    back: str


class Code(Text):
    """A code that is used once. `digits`: telephones show their number pad."""

    def __init__(self, label: str, *, digits: bool, **kw: Any) -> None:
        self.kind = "number" if digits else "text"  # type: ignore[misc]
        super().__init__(label, longest=100, width="20", autocomplete="one-time-code", **kw)


class AskForm(Form):
    title = mark("Recevoir un code de connexion")
    help = mark(
        "Le code est envoyé à l’adresse électronique ou au téléphone mobile que votre collectivité connaît de vous. "
        "Il est valable dix minutes."
    )
    send = mark("Recevoir un code")
    secret = True
    contact = Text(
        mark("Adresse électronique ou numéro de mobile"),
        ask=mark("Saisissez votre adresse électronique ou votre numéro de mobile"),
        hint=mark("Par exemple : prenom.nom@exemple.fr, ou 06 39 98 00 12"),
        longest=254,
        autocomplete="email",
        width="30",
    )


class TypeForm(Form):
    title = mark("Saisir le code reçu")
    send = mark("Se connecter")
    secret = True
    code = Code(
        mark("Code à huit chiffres"), digits=True, ask=mark("Saisissez le code à huit chiffres que vous avez reçu")
    )


class OnceForm(Form):
    title = mark("Code reçu par courrier ou au guichet")
    help = mark(
        "Saisissez le code imprimé sur votre courrier, ou celui que l’agent vient de vous donner. "
        "Il ne sert qu’une fois."
    )
    send = mark("Se connecter")
    secret = True
    code = Code(
        mark("Code à usage unique"),
        digits=False,
        ask=mark("Saisissez le code de votre courrier ou du guichet"),
        hint=mark("Lettres et chiffres. Les tirets et les majuscules ne comptent pas."),
    )


class LetterForm(Form):
    title = mark("Demander un code par courrier")
    help = mark(
        "Le courrier part à l’adresse qui figure sur la liste de votre collectivité. Son code est valable trente "
        "jours. Un courrier par jour au plus."
    )
    send = mark("Demander le courrier")
    secret = True
    family_name = Text(
        mark("Nom de famille"), ask=mark("Saisissez votre nom de famille"), autocomplete="family-name", width="20"
    )
    given_name = Text(mark("Prénom"), ask=mark("Saisissez votre prénom"), autocomplete="given-name", width="20")
    birth_date = Day(
        mark("Date de naissance"),
        ask=mark("Saisissez votre date de naissance"),
        hint=mark("Par exemple : 24/05/1987"),
        autocomplete="bday",
    )


# --- by e-mail or SMS ---


def ask_form() -> Response:
    return _page(AskForm(), ASK)


def ask() -> Response:
    speak(_PAGE)
    form = AskForm(request.form)
    if not form.validate():
        return _page(form, ASK, 400)
    try:
        asked = front().codes.ask(form.contact.data or "", source())
    except (ServiceRefused, ServiceUnavailable) as e:
        return _refused(e, form, "contact", ASK)
    response = see_other(TYPE)
    _cookie().put(response, Asking(asked.request, asked.minutes, sessions.ours(request.form.get("suite", ""))))
    return response


def type_form() -> Response:
    asking = _cookie().read(Asking)
    return see_other(ASK) if asking is None else _type_page(TypeForm(), asking)


def type_code() -> Response:
    speak(_PAGE)
    asking, form = _cookie().read(Asking), TypeForm(request.form)
    if asking is None:
        return see_other(ASK)
    if not form.validate():
        return _type_page(form, asking, 400)
    try:
        person = front().codes.use(asking.request, form.code.data or "", source())
    except (ServiceRefused, ServiceUnavailable) as e:
        status, problem = _problem(e)
        if isinstance(e, ServiceRefused) and e.told == "TooManyTries" and e.field == "request":
            problem = mark("Trop d’essais pour ce code : demandez-en un autre")
        form.refuse("code", problem)
        return _type_page(form, asking, status)
    response = sessions.opened(person, asking.back, shared=_shared())
    _cookie().drop(response)
    return response


# --- by letter, at the desk ---


def once_form() -> Response:
    return _page(OnceForm(), LETTER, links=_ONCE_LINKS)


def once() -> Response:
    speak(_PAGE)
    form = OnceForm(request.form)
    if not form.validate():
        return _page(form, LETTER, 400, links=_ONCE_LINKS)
    try:
        person = front().codes.use_once(form.code.data or "", source())
    except (ServiceRefused, ServiceUnavailable) as e:
        return _refused(e, form, "code", LETTER, links=_ONCE_LINKS)
    return sessions.opened(person, request.form.get("suite", ""), shared=_shared())


def letter_form() -> Response:
    return _page(LetterForm(), ASK_LETTER)


def ask_letter() -> Response:
    speak(_PAGE)
    form: Any = LetterForm(request.form)
    if not form.validate():
        return _page(form, ASK_LETTER, 400)
    born = form.birth_date.value.isoformat()
    try:
        front().codes.ask_letter(form.family_name.data, form.given_name.data, born, source())
    except (ServiceRefused, ServiceUnavailable) as e:
        return _refused(e, form, "family_name", ASK_LETTER)
    return see_other(f"{ASK_LETTER}/faite")


def letter_asked() -> Response:
    return page("pages/letter_asked.html")


def add_routes(app: web.App) -> None:
    for path, show, take in (
        (ASK, ask_form, ask),
        (TYPE, type_form, type_code),
        (LETTER, once_form, once),
        (ASK_LETTER, letter_form, ask_letter),
    ):
        app.get(path, who=web.ANYONE, quiet=True)(show)
        app.post(path, who=web.ANYONE, quiet=True)(take)
    app.get(f"{ASK_LETTER}/faite", who=web.ANYONE, quiet=True)(letter_asked)


def _shared() -> bool:
    return request.form.get("partage") == "oui"


def _cookie() -> SealedCookie:
    return SealedCookie(front().cookie_key, "demande-de-code", secure=front().settings.secure_cookies)


def _type_page(form: Form, asking: Asking, status: int = 200) -> Response:
    speak(_PAGE)
    lead = plural(
        "Si cette adresse ou ce numéro est connu de votre collectivité, un code vient d’y être envoyé. "
        "Il est valable %(n)s minute.",
        "Si cette adresse ou ce numéro est connu de votre collectivité, un code vient d’y être envoyé. "
        "Il est valable %(n)s minutes.",
        asking.minutes,
    )
    links = ((ASK, mark("Rien reçu ? Demander un autre code")), ("/connexion", mark("Se connecter autrement")))
    return _page(form, TYPE, status, lead=lead, links=links)


def _refused(e: ServiceRefused | ServiceUnavailable, form: Form, field: str, action: str, **more: Any) -> Response:
    status, problem = _problem(e)
    form.refuse(field, problem)
    return _page(form, action, status, **more)


def _problem(e: ServiceRefused | ServiceUnavailable) -> tuple[int, str]:
    """(status, words)."""
    if isinstance(e, ServiceUnavailable):
        return 503, _DOWN
    logs.failure(e.told)
    if e.told == "TooOften":
        again = words.waiting(e.seconds or 60)
        return 429, said(
            "Trop de codes ont été demandés : réessayez %(again)s, ou connectez-vous autrement", again=again
        )
    return _STATUS.get(e.told, 403), _SAID.get(e.told, _SAID["CodeUnknown"])


def _page(
    form: Form,
    action: str,
    status: int = 200,
    *,
    lead: str = "",
    links: tuple[tuple[str, str], ...] = (("/connexion", mark("Se connecter autrement")),),
) -> Response:
    """A code is not shown back: it is a secret, and often typed on a shared screen."""
    if "code" in form:
        form["code"].data = ""
    back = request.values.get("suite", "")
    return page(_PAGE, status, form=form, action=action, lead=lead, links=links, back=back)
