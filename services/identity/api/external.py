"""Signing in by a provider, for the gateway alone: no person has its role."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from services.identity.api.codes import SignedInAnswer, signed_in
from services.identity.application.external import ExternalSignIn
from services.shared import web

GATEWAY = web.role("gateway")


class ExternalRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom a provider vouches for, as the gateway verified it."""

    issuer: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    sub: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    given_name: Annotated[str, msgspec.Meta(max_length=200)]
    family_name: Annotated[str, msgspec.Meta(max_length=200)]
    birth_date: Annotated[str, msgspec.Meta(max_length=10)]


class Linked(msgspec.Struct, frozen=True):
    state: Literal["linked"]


def add_external_routes(app: web.App, external: ExternalSignIn) -> None:
    @app.post("/sign-in/external", who=GATEWAY, quiet=True, takes=ExternalRequest, gives=SignedInAnswer, ruled=True)
    def sign_in_by_provider() -> SignedInAnswer:
        """At the lowest level: which one the provider vouches for is known to the gateway, which verified it."""
        body = web.body(ExternalRequest)
        found = external.sign_in(body.issuer, body.sub, body.given_name, body.family_name, body.birth_date)
        return signed_in(found)

    @app.post("/sign-in/external/links", who=GATEWAY, quiet=True, takes=ExternalRequest, gives=Linked, ruled=True)
    def link() -> Linked:
        """To the person whom the gateway's token names."""
        body = web.body(ExternalRequest)
        names = (body.given_name, body.family_name, body.birth_date)
        external.link(web.caller().subject, body.issuer, body.sub, *names)
        return Linked("linked")
