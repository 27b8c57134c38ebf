"""The identity service's JSON API: signing in, people's roles and what is known of them, the roll of a poll and the one
mark that each person has on it. A route that names a person leaves no request line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import msgspec
from flask import request

from services.identity.api import accounts, appeals, inbox, people, rolls, shapes
from services.identity.api import codes as codes_api
from services.identity.api import desk as desk_api
from services.identity.api.external import add_external_routes
from services.identity.api.registry import Registry
from services.identity.application.codes import Codes
from services.identity.application.desk import Desk
from services.identity.application.external import ExternalSignIn
from services.identity.application.issuance import Issuance
from services.identity.application.personal import Personal
from services.identity.application.roles import Roles
from services.identity.application.sign_in import SignIn
from services.shared import web
from services.shared.tokens import TokenVerifier

OFFICER = web.role("returning_officer")
ADMINISTRATOR = web.role("administrator")
STAFF = web.role("agent", "administrator")
STAFF_OR_SEARCHING = web.role("agent", "administrator", "returning_officer")
STAFF_OR_OFFICER = web.role("agent", "administrator", "returning_officer", "auditor")
AUDITING = web.role("administrator", "auditor")
Hex32 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", max_length=64)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Date = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)", max_length=10)]
Moment = Annotated[str, msgspec.Meta(max_length=20)]  # as 2027-06-30T22:00:00Z; empty: now, or without an end


class SignInRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Annotated[str, msgspec.Meta(max_length=100)]
    source: Name | None = None  # whose wrong tries are counted together; the gateway's hash of a visitor's address


class IssuanceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    strata: Annotated[list[Name], msgspec.Meta(min_length=1, max_length=500)]
    opens_at: str
    closes_at: str


class MarkRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    credential: Hex32
    salt: Hex32


class SearchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    family_name: Text
    given_name: Text
    birth_date: Date


class GrantRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subject: Name
    role: Name
    since: Moment = ""
    until: Moment = ""


class EndRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subject: Name
    role: Name


class NamesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subjects: Annotated[list[Name], msgspec.Meta(max_length=200)]


class Names(msgspec.Struct, frozen=True):
    names: dict[str, str]


class SealRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    use: Annotated[str, msgspec.Meta(pattern=r"^[a-z-]{1,40}$(?!\n)")]


class Seal(msgspec.Struct, frozen=True):
    key: Hex32


class Mine(msgspec.Struct, frozen=True):
    roles: list[str]


class Holder(msgspec.Struct, frozen=True):
    subject: str
    role: str
    since: str
    until: str
    granted_by: str
    ended_by: str
    name: str


class Holders(msgspec.Struct, frozen=True):
    """`pages`: the last page that is known to be there."""

    grants: list[Holder]
    page: int
    pages: int


class SubjectRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subject: Name


def create_api(
    sign_in: SignIn,
    external: ExternalSignIn,
    roles: Roles,
    personal: Personal,
    issuance: Issuance,
    tokens: TokenVerifier | None,
    ready: Callable[[], object],
    *,
    codes: Codes,
    desk: Desk,
    registry: Registry,
) -> web.App:
    app = web.create_app("identity", ready=ready, token_keys=tokens)
    _people(app, sign_in)
    add_external_routes(app, external)
    _roles(app, roles)
    _changing_roles(app, roles)
    _personal(app, personal, roles)
    _erasures(app, personal)
    _officers(app, issuance)
    _residents(app, issuance)
    codes_api.add_routes(app, codes)
    desk_api.add_routes(app, desk)
    for module in (rolls, people, appeals, accounts, inbox):
        module.add_routes(app, registry)
    return app


def _people(app: web.App, sign_in: SignIn) -> None:
    @app.post("/sign-in", who=web.ANYONE, quiet=True, takes=SignInRequest, gives=codes_api.SignedInAnswer)
    def sign_in_by_code() -> codes_api.SignedInAnswer:
        """Who has this code."""
        body = web.body(SignInRequest)
        return codes_api.signed_in(sign_in.sign_in(body.code, body.source or request.remote_addr or ""))


def _roles(app: web.App, roles: Roles) -> None:
    @app.post("/people/search", who=STAFF_OR_SEARCHING, quiet=True, takes=SearchRequest, gives=shapes.Found)
    def search() -> shapes.Found:
        """By names and birth date together: nobody can be listed."""
        body = web.body(SearchRequest)
        found = roles.find(body.family_name, body.given_name, body.birth_date)
        return shapes.Found([] if found is None else [shapes.Known(found.subject, found.display_name)])

    @app.get("/roles", who=AUDITING, gives=Holders, paged=True)
    def all_holders() -> Holders:
        """Who has a role of staff now or will have it, by the date when it ends."""
        number = web.page()
        found, more = roles.all_holders(number)
        return Holders([Holder(**asdict(grant), name=name) for grant, name in found], number, number + more)

    @app.get(
        "/roles/<role>/holders",
        who=ADMINISTRATOR,
        gives=shapes.RoleHolders,
        names={"role": shapes.RoleName},
        refuses=(400,),
    )
    def holders(role: str) -> shapes.RoleHolders:
        """Who has the role now or will."""
        return shapes.RoleHolders(
            [shapes.NamedGrant(**asdict(grant), name=name) for grant, name in roles.holders(role)]
        )

    @app.post("/people/roles", who=ADMINISTRATOR, quiet=True, takes=SubjectRequest, gives=shapes.Grants)
    def of() -> shapes.Grants:
        """A person's roles, past ones too. By POST: no path names a person."""
        grants = roles.of(web.body(SubjectRequest).subject)
        return shapes.Grants([shapes.Grant(**asdict(grant)) for grant in grants])


def _changing_roles(app: web.App, roles: Roles) -> None:
    @app.post("/roles/grants", who=ADMINISTRATOR, quiet=True, takes=GrantRequest, gives=shapes.Grant, ruled=True)
    def grant() -> shapes.Grant:
        """Gives a person a role."""
        body = web.body(GrantRequest)
        made = roles.grant(body.subject, body.role, web.caller().subject, since=body.since, until=body.until)
        return shapes.Grant(**asdict(made))

    @app.post("/roles/ends", who=ADMINISTRATOR, quiet=True, takes=EndRequest, gives=shapes.Ended, ruled=True)
    def end() -> shapes.Ended:
        """Ends a person's role now."""
        body = web.body(EndRequest)
        return shapes.Ended(roles.end(body.subject, body.role, web.caller().subject))


def _personal(app: web.App, personal: Personal, roles: Roles) -> None:
    @app.get("/me", who=web.SIGNED_IN, quiet=True, gives=shapes.Access)
    def access() -> shapes.Access:
        """All that is kept under one's subject."""
        return msgspec.convert(personal.access(web.caller().subject), shapes.Access)

    @app.post("/me/seals", who=web.SIGNED_IN, quiet=True, takes=SealRequest, gives=Seal)
    def seal() -> Seal:
        """The key for what the gateway keeps of the caller: erasure makes that unreadable too."""
        return Seal(personal.sealing_key(web.caller().subject, web.body(SealRequest).use).hex())

    @app.get("/me/roles", who=web.SIGNED_IN, quiet=True, gives=Mine)
    def my_roles() -> Mine:
        """The roles that the caller has now."""
        return Mine(list(roles.now(web.caller().subject)))

    @app.post("/people/names", who=STAFF_OR_OFFICER, quiet=True, takes=NamesRequest, gives=Names)
    def names() -> Names:
        """Names of people by their subjects; those that are not known are left out."""
        return Names(personal.names(web.body(NamesRequest).subjects))


def _erasures(app: web.App, personal: Personal) -> None:
    @app.post("/me/erasures", who=web.SIGNED_IN, quiet=True, takes=shapes.Nothing, gives=shapes.Erased, ruled=True)
    def erase_own() -> shapes.Erased:
        """The caller asks to be erased; an agent confirms."""
        web.body(shapes.Nothing)
        return shapes.Erased("erased" if personal.erase_own(web.caller().subject) else "asked")

    @app.post("/me/erasures/withdrawals", who=web.SIGNED_IN, quiet=True, takes=shapes.Nothing, gives=shapes.Erased)
    def keep_own() -> shapes.Erased:
        """What the caller asked for, before the confirmation."""
        web.body(shapes.Nothing)
        personal.withdraw_own(web.caller().subject)
        return shapes.Erased("withdrawn")

    @app.get("/erasures", who=STAFF, quiet=True, gives=shapes.Erasures)
    def waiting() -> shapes.Erasures:
        """Erasures that wait for a second person."""
        return shapes.Erasures([shapes.Erasure(subject, by) for subject, by in personal.waiting()])

    @app.post("/erasures", who=STAFF, quiet=True, takes=SubjectRequest, gives=shapes.Erased)
    def erase() -> shapes.Erased:
        """The first agent asks; another confirms, and nothing of the person can be read any more."""
        done = personal.erase(web.body(SubjectRequest).subject, web.caller().subject)
        return shapes.Erased("erased" if done else "asked")

    @app.post("/erasures/withdrawals", who=STAFF, quiet=True, takes=SubjectRequest, gives=shapes.Erased)
    def withdraw() -> shapes.Erased:
        """Before the confirmation."""
        personal.withdraw(web.body(SubjectRequest).subject)
        return shapes.Erased("withdrawn")


def _officers(app: web.App, issuance: Issuance) -> None:
    @app.post("/polls/<uuid:poll>/issuance", who=OFFICER, takes=IssuanceRequest, gives=shapes.Issuance, ruled=True)
    def prepare(poll: UUID) -> shapes.Issuance:
        """Freezes the roll as it stands, and makes the poll's keys."""
        body = web.body(IssuanceRequest)
        by = web.caller().subject
        prepared = issuance.prepare(str(poll), body.strata, body.opens_at, body.closes_at, by)
        return shapes.Issuance(prepared.issuer_key, msgspec.convert(prepared.strata, list[shapes.FrozenStratum]))

    @app.post("/polls/<uuid:poll>/reissues", who=OFFICER, takes=SubjectRequest, gives=shapes.Reissue)
    def reissue(poll: UUID) -> shapes.Reissue:
        """The first officer asks, a second one confirms: the person may take another credential."""
        done = issuance.reissue(str(poll), web.body(SubjectRequest).subject, web.caller().subject)
        return shapes.Reissue("confirmed" if done else "asked")


def _residents(app: web.App, issuance: Issuance) -> None:
    @app.get("/polls/<uuid:poll>/eligibility", who=web.SIGNED_IN, quiet=True, gives=shapes.Eligibility)
    def eligibility(poll: UUID) -> shapes.Eligibility:
        """Whether the caller is on the poll's roll, and in which stratum."""
        stratum = issuance.stratum(str(poll), web.caller().subject)
        return shapes.Eligibility(stratum is not None, stratum)

    @app.post("/polls/<uuid:poll>/marks", who=web.RESIDENT, quiet=True, takes=MarkRequest, gives=shapes.Mark)
    def mark(poll: UUID) -> shapes.Mark:
        """Marks the caller on the roll and signs their credential; the same one gets the same signature."""
        body = web.body(MarkRequest)
        credential, salt = bytes.fromhex(body.credential), bytes.fromhex(body.salt)
        made = issuance.mark(str(poll), web.caller().subject, credential, salt)
        return shapes.Mark(made.stratum, made.signature)
