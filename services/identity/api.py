"""The identity service's JSON API: signing in, people's roles and what is known of them, the roll of a poll and the one
mark that each person has on it. A route that names a person leaves no request line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import msgspec
from flask import request

from services.identity.application.issuance import Issuance
from services.identity.application.personal import Personal
from services.identity.application.roles import Roles
from services.identity.application.sign_in import SignIn
from services.shared import web
from services.shared.tokens import TokenVerifier

OFFICER = web.role("returning_officer")
ADMINISTRATOR = web.role("administrator")
STAFF = web.role("agent", "administrator")
Json = dict[str, Any]
Hex32 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Date = Annotated[str, msgspec.Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
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


class SubjectRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subject: Name


def create_api(
    sign_in: SignIn,
    roles: Roles,
    personal: Personal,
    issuance: Issuance,
    tokens: TokenVerifier | None,
    ready: Callable[[], object],
) -> web.App:
    app = web.create_app("identity", ready=ready, token_keys=tokens)
    _people(app, sign_in)
    _roles(app, roles)
    _personal(app, personal)
    _officers(app, issuance)
    _residents(app, issuance)
    return app


def _people(app: web.App, sign_in: SignIn) -> None:
    @app.post("/sign-in", who=web.ANYONE, quiet=True)
    def sign_in_by_code() -> Json:
        body = web.body(SignInRequest)
        found = sign_in.sign_in(body.code, body.source or request.remote_addr or "")
        return {"subject": found.subject, "roles": list(found.roles), "name": found.name}


def _roles(app: web.App, roles: Roles) -> None:
    @app.post("/people/search", who=STAFF, quiet=True)
    def search() -> Json:
        """By names and birth date together: nobody can be listed."""
        body = web.body(SearchRequest)
        found = roles.find(body.family_name, body.given_name, body.birth_date)
        return {"people": [] if found is None else [{"subject": found.subject, "name": found.display_name}]}

    @app.get("/roles/<role>", who=ADMINISTRATOR)
    def holders(role: str) -> Json:
        return {"grants": [{**asdict(grant), "name": name} for grant, name in roles.holders(role)]}

    @app.post("/people/roles", who=ADMINISTRATOR, quiet=True)
    def of() -> Json:
        """By POST: no path names a person."""
        return {"grants": [asdict(grant) for grant in roles.of(web.body(SubjectRequest).subject)]}

    @app.post("/roles/grants", who=ADMINISTRATOR, quiet=True)
    def grant() -> Json:
        body = web.body(GrantRequest)
        made = roles.grant(body.subject, body.role, web.caller().subject, since=body.since, until=body.until)
        return asdict(made)

    @app.post("/roles/ends", who=ADMINISTRATOR, quiet=True)
    def end() -> Json:
        body = web.body(EndRequest)
        return {"ended": roles.end(body.subject, body.role, web.caller().subject)}


def _personal(app: web.App, personal: Personal) -> None:
    @app.get("/me", who=web.SIGNED_IN, quiet=True)
    def access() -> Json:
        return personal.access(web.caller().subject)

    @app.get("/erasures", who=STAFF, quiet=True)
    def waiting() -> Json:
        return {"erasures": [{"subject": subject, "asked_by": by} for subject, by in personal.waiting()]}

    @app.post("/erasures", who=STAFF, quiet=True)
    def erase() -> Json:
        done = personal.erase(web.body(SubjectRequest).subject, web.caller().subject)
        return {"state": "erased" if done else "asked"}

    @app.post("/erasures/withdrawals", who=STAFF, quiet=True)
    def withdraw() -> Json:
        personal.withdraw(web.body(SubjectRequest).subject)
        return {"state": "withdrawn"}


def _officers(app: web.App, issuance: Issuance) -> None:
    @app.post("/polls/<uuid:poll>/issuance", who=OFFICER)
    def prepare(poll: UUID) -> Json:
        body = web.body(IssuanceRequest)
        by = web.caller().subject
        prepared = issuance.prepare(str(poll), body.strata, body.opens_at, body.closes_at, by)
        return {"issuer_key": prepared.issuer_key, "strata": prepared.strata}

    @app.post("/polls/<uuid:poll>/reissues", who=OFFICER)
    def reissue(poll: UUID) -> Json:
        done = issuance.reissue(str(poll), web.body(SubjectRequest).subject, web.caller().subject)
        return {"state": "confirmed" if done else "asked"}


def _residents(app: web.App, issuance: Issuance) -> None:
    @app.get("/polls/<uuid:poll>/eligibility", who=web.SIGNED_IN, quiet=True)
    def eligibility(poll: UUID) -> Json:
        stratum = issuance.stratum(str(poll), web.caller().subject)
        return {"eligible": stratum is not None, "stratum": stratum}

    @app.post("/polls/<uuid:poll>/marks", who=web.RESIDENT, quiet=True)
    def mark(poll: UUID) -> Json:
        body = web.body(MarkRequest)
        credential, salt = bytes.fromhex(body.credential), bytes.fromhex(body.salt)
        made = issuance.mark(str(poll), web.caller().subject, credential, salt)
        return {"stratum": made.stratum, "signature": made.signature}
