"""Who holds which role until when; giving a role, ending it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.gateway.clients.identity import Grant
from services.gateway.pages import words
from services.gateway.pages.front import front, token
from services.gateway.pages.kit import trail
from services.gateway.pages.kit.confirm import Asked, Confirm
from services.gateway.pages.kit.fields import Choice, Day
from services.gateway.pages.kit.flow import Answers, Flow, Said, Sent, Step
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.listing import Action, Column, Listing, Rows
from services.gateway.pages.staff.people import NOT_FOUND, PersonForm, found_person
from services.shared import web
from services.shared.errors import NotFound

ADMINISTRATOR: Final = web.role("administrator")
AUDITING: Final = web.role("administrator", "auditor")
ROOT: Final = "/agent/roles"
CRUMBS: Final = (("/", "Scrutins"), ("/agent", "Espace agent"))
FOR_GOOD: Final = "9999"
NAMES: Final = {
    "resident": "Habitant",
    "association_delegate": "Délégué d’association",
    "landlord": "Bailleur",
    "helper": "Aidant mandaté",
    "moderator": "Modérateur",
    "agent": "Agent",
    "councillor": "Élu",
    "returning_officer": "Responsable de scrutin",
    "auditor": "Auditeur",
    "administrator": "Administrateur",
}
_GIVEN: Final = [(role, name) for role, name in NAMES.items() if role != "resident"]


class RoleForm(Form):
    title = "Quel rôle, et jusqu’à quand ?"
    role = Choice("Rôle", _GIVEN, ask="Choisissez un rôle")
    since = Day("À partir du", optional=True, hint="Laissez vide pour aujourd’hui. Par exemple : 24/05/2027")
    until = Day(
        "Jusqu’au",
        optional=True,
        hint="Le rôle prend fin au début de ce jour. Laissez vide s’il n’a pas de fin prévue.",
    )


def _holders(_filters: Form, number: int) -> Rows:
    found = front().identity.holders(number, token("identity"))
    return Rows(found.grants, found.pages)


def _until(grant: Grant) -> str:
    return "Sans fin prévue" if grant.until.startswith(FOR_GOOD) else words.day_and_time(grant.until)


def _give(answers: Answers) -> Sent:
    person, asked = answers["personne"], answers["role"]
    identity, ours = front().identity, token("identity")
    found = found_person(person, ours)
    trail.about(found.subject)
    identity.grant(found.subject, asked.role.data, _midnight(asked.since), _midnight(asked.until), ours)
    what = f"{found.name} a ce rôle à sa prochaine connexion."
    return Sent(f"Rôle donné : {NAMES[asked.role.data]}", what, [(ROOT, "Voir tous les rôles")])


def _midnight(day: Day) -> str:
    """The first moment of that day in Paris, as services write it; empty when none was given."""
    return words.instant(day.value) if day.value else ""


def _ask_end(given: Mapping[str, str]) -> Asked:
    subject, role = given["subject"], given["role"]
    name = front().identity.names([subject], token("identity")).get(subject)
    if name is None or role not in NAMES:
        raise NotFound(field="subject")
    return Asked(
        f"Retirer le rôle « {NAMES[role]} » à {name} ?",
        "La personne perd ce rôle aussitôt pour les services, et au plus tard à la fin de sa session pour les pages.",
    )


def _end(given: Mapping[str, str]) -> str:
    trail.about(given["subject"])
    front().identity.end_role(given["subject"], given["role"], token("identity"))
    return f"{ROOT}?fait=retire"


HOLDERS: Final = Listing(
    key="roles",
    path=ROOT,
    title="Qui a quel rôle",
    who=AUDITING,
    help="Les rôles en cours ou à venir, par date de fin. Un rôle se donne et se retire sous le nom de qui le fait.",
    crumbs=CRUMBS,
    columns=(
        Column("Personne", lambda grant: grant.name),
        Column("Rôle", lambda grant: NAMES.get(grant.role, grant.role)),
        Column("Depuis", lambda grant: words.day_and_time(grant.since)),
        Column("Jusqu’au", _until),
    ),
    rows=_holders,
    links=((f"{ROOT}/nouveau", "Donner un rôle"),),
    actions=(
        Action(
            "Retirer",
            f"{ROOT}/fin",
            lambda grant: {"subject": grant.subject, "role": grant.role},
            lambda grant: f"{NAMES.get(grant.role, grant.role)}, {grant.name}",
        ),
    ),
    done={"retire": "Le rôle est retiré."},
)
GIVE: Final = Flow(
    key="role_give",
    path=f"{ROOT}/nouveau",
    title="Donner un rôle",
    who=ADMINISTRATOR,
    steps=(Step("personne", PersonForm), Step("role", RoleForm)),
    send=_give,
    label="Donner ce rôle",
    trail="Rôle donné",
    crumbs=(*CRUMBS, (ROOT, "Qui a quel rôle")),
    refusals={
        "PersonNotFound": NOT_FOUND,
        "RoleDates": Said("La fin doit venir après le début, et dans l’avenir.", "role", "until"),
    },
)
END: Final = Confirm(
    key="role_end",
    path=f"{ROOT}/fin",
    who=ADMINISTRATOR,
    fields=("subject", "role"),
    ask=_ask_end,
    do=_end,
    label="Retirer ce rôle",
    back=ROOT,
    trail="Rôle retiré",
    crumbs=(*CRUMBS, (ROOT, "Qui a quel rôle")),
    refusals={"LastAdministrator": "C’est le dernier administrateur : nommez-en d’abord un autre."},
)


def add_routes(app: web.App) -> None:
    for part in (HOLDERS, GIVE, END):
        part.add_routes(app)
