"""Appeals of people who cannot vote: read with the standing that they are about, answered with a text they read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.gateway.clients.persons import Entry
from services.gateway.clients.registry import LISTED
from services.gateway.pages import words
from services.gateway.pages.front import front, is_caller, needed, together, token
from services.gateway.pages.kit import trail
from services.gateway.pages.kit.confirm import Asked, Confirm
from services.gateway.pages.kit.fields import Choice, LongText, Pick
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.listing import Action, Column, Listing, Rows
from services.gateway.pages.staff.entries import person_rows, standing
from services.gateway.pages.staff.rolls import CRUMBS, WHO
from services.gateway.pages.staff.sheets import OWN, SHEET
from services.shared import web

ROOT: Final = "/agent/recours"
_STATES: Final = {"open": "À traiter", "granted": "Acceptés", "dismissed": "Rejetés"}
_SHORT: Final = 90


class StateFilter(Form):
    state = Pick("Recours", list(_STATES.items()), optional=True, nothing="À traiter")


class AnswerForm(Form):
    decision = Choice(
        "Votre décision",
        [("granted", "Accepter le recours"), ("dismissed", "Rejeter le recours")],
        ask="Choisissez une décision",
        hints={
            "granted": "Faites d’abord la correction ou le rattachement qu’il demande : accepter ne change rien seul."
        },
    )
    answer = LongText(
        "Réponse à la personne",
        ask="Écrivez la réponse",
        longest=4000,
        rows=6,
        hint="Elle la lit dans son espace. Dites ce qui a été fait, ou pourquoi rien ne l’a été.",
    )


def _rows(filters: Form, number: int) -> Rows:
    found = front().registry.appeals(filters["state"].data or "open", number, token("identity"))
    return Rows(found, number + (len(found) == LISTED))


def _begins(entry: Entry) -> str:
    text = " ".join(entry.words.get("text", "").split())
    return text if len(text) <= _SHORT else f"{text[:_SHORT].rsplit(' ', 1)[0]}…"


def _ask(given: Mapping[str, str]) -> Asked:
    found, polls = together(
        lambda: front().registry.case(given["id"], token("identity")), lambda: front().ballot.polls(1)
    )
    case = needed(found)
    titles = {one.poll: one.title for one in polls.polls} if polls else {}
    rows = [("Déposé le", words.day_and_time(case.entry.at)), ("Texte", case.entry.words.get("text", ""))]
    if case.entry.poll:
        rows.append(("Scrutin", titles.get(case.entry.poll, f"Scrutin {case.entry.poll[:8]}")))
        seen = standing(case.standing) if case.standing else "Ce scrutin n’est pas connu du service des identités."
        rows.append(("Sa situation", seen))
    rows += person_rows(case.person)
    closed = _answered(case.entry)
    if not closed and is_caller(case.person.subject):
        closed = OWN
    return Asked(
        f"Recours : {case.person.display_name}",
        "Ce que la personne écrit, sa situation dans le scrutin aujourd’hui, et ce qui est connu d’elle.",
        rows,
        closed=closed,
    )


def _answered(entry: Entry) -> str:
    if entry.state == "open":
        return ""
    said = "accepté" if entry.state == "granted" else "rejeté"
    return f"Ce recours a été {said}, {words.day_and_time(entry.decided_at)}. Réponse : {entry.words.get('answer', '')}"


def _answer(given: Mapping[str, str]) -> str:
    trail.about(front().registry.case(given["id"], token("identity")).person.subject)
    granted = given["decision"] == "granted"
    front().registry.answer_appeal(given["id"], granted, given["answer"], token("identity"))
    return f"{ROOT}?fait={'accepte' if granted else 'rejete'}"


ANSWER: Final = Confirm(
    key="appeal_answer",
    path=f"{ROOT}/reponse",
    who=WHO,
    fields=("id",),
    ask=_ask,
    do=_answer,
    form=AnswerForm,
    label="Répondre",
    back=ROOT,
    trail="Recours répondu",
    crumbs=(*CRUMBS, (ROOT, "Recours")),
    gone="Ce recours a déjà reçu une réponse, ou la personne a été effacée.",
    refusals={"OwnCase": OWN},
)
LIST: Final = Listing(
    key="recours",
    path=ROOT,
    title="Recours",
    who=WHO,
    help="Ce qu’écrivent les personnes qui ne peuvent pas voter, le plus ancien d’abord. Chacune lit votre réponse.",
    crumbs=CRUMBS,
    columns=(
        Column("Personne", lambda entry: entry.name),
        Column("Déposé le", lambda entry: words.day_and_time(entry.at), value=lambda entry: words.clock_of(entry.at)),
        Column("Début du texte", _begins, value=lambda entry: entry.words.get("text", "")),
        Column("Réponse", lambda entry: entry.words.get("answer", "")),
    ),
    rows=_rows,
    filters=StateFilter,
    empty="Aucun recours n’attend de réponse.",
    none_found="Aucun recours n’est dans ce cas.",
    actions=(
        Action(
            "Lire",
            f"{ROOT}/reponse",
            lambda entry: {"id": entry.id},
            lambda entry: f"recours, {entry.name}",
        ),
        Action("Fiche", SHEET, lambda entry: {"subject": entry.subject}, lambda entry: entry.name),
    ),
    done={"accepte": "Le recours est accepté. La personne lit votre réponse.", "rejete": "Le recours est rejeté."},
)


def add_routes(app: web.App) -> None:
    for part in (LIST, ANSWER):
        part.add_routes(app)
