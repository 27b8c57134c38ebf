"""Signing in by codes that are asked for and used once. The gateway alone calls these: it says whose tries count
together."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from services.identity.application.asks import LETTER_DAYS, MINUTES
from services.identity.application.codes import Codes
from services.identity.application.sign_in import SignedIn
from services.shared import web

GATEWAY: Final = web.role("gateway")  # no person has it: the gateway speaks for itself
Source = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Typed = Annotated[str, msgspec.Meta(max_length=100)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Date = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)")]


class SignedInAnswer(msgspec.Struct, frozen=True):
    """`method`: sign_in_code, email, sms, letter, desk or a provider; `level`: how sure it is that it is them, as eIDAS
    says it: low, substantial or high; `shared`: the session is on a computer that others use after."""

    subject: str
    roles: list[str]
    name: str
    method: str
    level: str
    shared: bool


class CodeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    contact: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
    source: Source


class CodeAsked(msgspec.Struct, frozen=True):
    """The same for whoever has this contact and for nobody. `request` goes with the code when it is typed."""

    request: str
    minutes: int


class CodeUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    request: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
    code: Typed
    source: Source


class OnceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Typed
    source: Source


class LetterRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    family_name: Text
    given_name: Text
    birth_date: Date
    source: Source


class LetterAsked(msgspec.Struct, frozen=True):
    """The same for whoever has these names and for nobody."""

    days: int


def signed_in(found: SignedIn) -> SignedInAnswer:
    return SignedInAnswer(found.subject, list(found.roles), found.name, found.method, found.level, found.shared)


def add_routes(app: web.App, codes: Codes) -> None:
    @app.post("/sign-in/codes", who=GATEWAY, quiet=True, takes=CodeRequest, gives=CodeAsked, ruled=True)
    def ask_code() -> CodeAsked:
        body = web.body(CodeRequest)
        return CodeAsked(codes.ask(body.contact, body.source), MINUTES)

    @app.post("/sign-in/codes/uses", who=GATEWAY, quiet=True, takes=CodeUse, gives=SignedInAnswer)
    def use_code() -> SignedInAnswer:
        body = web.body(CodeUse)
        return signed_in(codes.sign_in(body.request, body.code, body.source))

    @app.post("/sign-in/one-time-codes", who=GATEWAY, quiet=True, takes=OnceRequest, gives=SignedInAnswer)
    def use_one_time_code() -> SignedInAnswer:
        """From a letter, or from the desk."""
        body = web.body(OnceRequest)
        return signed_in(codes.sign_in_once(body.code, body.source))

    @app.post("/sign-in/letters", who=GATEWAY, quiet=True, takes=LetterRequest, gives=LetterAsked)
    def ask_letter() -> LetterAsked:
        body = web.body(LetterRequest)
        codes.ask_letter(body.family_name, body.given_name, body.birth_date, body.source)
        return LetterAsked(LETTER_DAYS)
