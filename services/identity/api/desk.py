"""The desk, for agents: signing in a person who shows a paper proof, ordering a letter, changing by two how a person is
reached, and the trail of it all."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from services.identity.application.desk import MINUTES, Desk
from services.shared import web

AGENT: Final = web.role("agent")
STAFF: Final = web.role("agent", "administrator")
READERS: Final = web.role("administrator", "auditor")
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
ChangeId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]


class DeskRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`proof`: the kind of paper that was seen, as identity_card or passport; never its number."""

    subject: Name
    proof: Name


class DeskCode(msgspec.Struct, frozen=True):
    code: str
    minutes: int


class LetterOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subject: Name


class Done(msgspec.Struct, frozen=True):
    state: str


class ContactsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Empty: the person is no longer reached so."""

    subject: Name
    proof: Name
    email: Annotated[str, msgspec.Meta(max_length=254)]
    phone: Annotated[str, msgspec.Meta(max_length=40)]


class ChangeAsked(msgspec.Struct, frozen=True):
    change: str


class ChangeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    change: ChangeId


class ChangeShown(msgspec.Struct, frozen=True):
    """A change that waits, beside what is known now."""

    change: str
    subject: str
    name: str
    asked_by: str
    proof: str
    at: str
    email: str
    phone: str
    former_email: str
    former_phone: str


class Changes(msgspec.Struct, frozen=True):
    changes: list[ChangeShown]


class ActShown(msgspec.Struct, frozen=True):
    """`act`: sign_in, letter, contacts_asked, contacts_confirmed or contacts_withdrawn; who is erased has no name."""

    at: str
    by: str
    by_name: str
    act: str
    subject: str
    name: str
    proof: str


class Acts(msgspec.Struct, frozen=True):
    acts: list[ActShown]
    page: int
    pages: int


def add_routes(app: web.App, desk: Desk) -> None:
    @app.post("/desk/sign-ins", who=AGENT, quiet=True, takes=DeskRequest, gives=DeskCode, ruled=True)
    def open_session() -> DeskCode:
        """The code is shown once, to the agent; the person types it on the computer beside the desk."""
        body = web.body(DeskRequest)
        return DeskCode(desk.open(body.subject, body.proof, web.caller().subject), MINUTES)

    @app.post("/desk/letters", who=STAFF, quiet=True, takes=LetterOrder, gives=Done, ruled=True)
    def order_letter() -> Done:
        desk.order_letter(web.body(LetterOrder).subject, web.caller().subject)
        return Done("ordered")

    @app.get("/desk/acts", who=READERS, quiet=True, gives=Acts)
    def desk_acts() -> Acts:
        number = web.page()
        found, pages = desk.acts(number)
        shown = [ActShown(a.at, a.by, by_name, a.act, a.subject, name, a.proof) for a, by_name, name in found]
        return Acts(shown, number, pages)

    _contacts(app, desk)


def _contacts(app: web.App, desk: Desk) -> None:
    @app.post("/desk/contacts", who=AGENT, quiet=True, takes=ContactsRequest, gives=ChangeAsked, ruled=True)
    def ask_change() -> ChangeAsked:
        body = web.body(ContactsRequest)
        by = web.caller().subject
        return ChangeAsked(desk.ask_change(body.subject, body.email, body.phone, body.proof, by))

    @app.get("/desk/contacts", who=AGENT, quiet=True, gives=Changes)
    def changes_waiting() -> Changes:
        return Changes(
            [
                ChangeShown(
                    *(c.id, c.subject, person.display_name, c.asked_by, c.proof, c.at, c.email, c.phone),
                    *(person.email, person.phone),
                )
                for c, person in desk.waiting()
            ]
        )

    @app.post("/desk/contacts/confirmations", who=AGENT, quiet=True, takes=ChangeRequest, gives=Done)
    def confirm_change() -> Done:
        desk.confirm_change(web.body(ChangeRequest).change, web.caller().subject)
        return Done("confirmed")

    @app.post("/desk/contacts/withdrawals", who=AGENT, quiet=True, takes=ChangeRequest, gives=Done)
    def withdraw_change() -> Done:
        desk.withdraw_change(web.body(ChangeRequest).change, web.caller().subject)
        return Done("withdrawn")
