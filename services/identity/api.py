"""The identity service's JSON API: signing in, the roll of a poll, and the one mark that each person has on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from flask import request

from services.identity.application.issuance import Issuance
from services.identity.application.sign_in import SignIn
from services.shared import web
from services.shared.tokens import TokenVerifier

OFFICER = web.role("returning_officer")
Json = dict[str, Any]
Hex32 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


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


class ReissueRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subject: Name


def create_api(
    sign_in: SignIn, issuance: Issuance, tokens: TokenVerifier | None, ready: Callable[[], object]
) -> web.App:
    app = web.create_app("identity", ready=ready, token_keys=tokens)
    _people(app, sign_in)
    _officers(app, issuance)
    _residents(app, issuance)
    return app


def _people(app: web.App, sign_in: SignIn) -> None:
    @app.post("/sign-in", who=web.ANYONE, quiet=True)
    def sign_in_by_code() -> Json:
        body = web.body(SignInRequest)
        found = sign_in.sign_in(body.code, body.source or request.remote_addr or "")
        return {"subject": found.subject, "roles": list(found.roles), "name": found.name}


def _officers(app: web.App, issuance: Issuance) -> None:
    @app.post("/polls/<uuid:poll>/issuance", who=OFFICER)
    def prepare(poll: UUID) -> Json:
        body = web.body(IssuanceRequest)
        by = web.caller().subject
        prepared = issuance.prepare(str(poll), body.strata, body.opens_at, body.closes_at, by)
        return {"issuer_key": prepared.issuer_key, "strata": prepared.strata}

    @app.post("/polls/<uuid:poll>/reissues", who=OFFICER)
    def reissue(poll: UUID) -> Json:
        done = issuance.reissue(str(poll), web.body(ReissueRequest).subject, web.caller().subject)
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
