"""Routes of accounts: signing up, being attached to a roll, organisations and who speaks for them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import msgspec
from flask import request

from services.identity.api.people import STAFF, EntriesAnswer, EntryAnswer, Key, Name, Value, Words, entry_answer
from services.identity.api.registry import Registry
from services.identity.application.organisations import Delegation, Organisation
from services.shared import web
from services.shared.errors import BadInput

Moment = Annotated[str, msgspec.Meta(max_length=20)]  # as 2027-06-30T22:00:00Z; empty: now, or without an end


class SignUpRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`source`: whose accounts are counted together; the gateway's hash of a visitor's address."""

    family_name: Value
    given_name: Value
    birth_date: Annotated[str, msgspec.Meta(max_length=10)]
    address: Value = ""
    source: Name | None = None
    key: Key = ""


class SignedUpAnswer(msgspec.Struct, frozen=True):
    """The code is told once. The account is on no roll until an agent attaches it."""

    subject: str
    code: str


class AttachRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`stratum`: the one to attach the account to; not used to refuse."""

    id: Name
    attach: bool
    reason: Words
    stratum: Annotated[str, msgspec.Meta(max_length=40)] = ""


class OrganisationRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    kind: Literal["rna", "siren", "siret"]
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=30)]
    address: Value = ""
    key: Key = ""


class OrganisationAnswer(msgspec.Struct, frozen=True):
    """`kind` of its number. `since` and `until`: of the one who asks, when they speak for it."""

    subject: str
    state: str
    asked_by: str
    at: str
    decided_by: str
    name: str
    kind: str
    number: str
    address: str
    answer: str
    since: str = ""
    until: str = ""


class OrganisationSheet(OrganisationAnswer, frozen=True):
    """`asked_by_name`: empty when who asked was erased."""

    asked_by_name: str = ""


class OrganisationsAnswer(msgspec.Struct, frozen=True):
    organisations: list[OrganisationAnswer]


class OrganisationDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`until`: to when the one who asked speaks for it."""

    organisation: Name
    confirm: bool
    reason: Words
    until: Moment = ""


class DelegatesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    organisation: Name


class DelegateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    organisation: Name
    subject: Name
    since: Moment = ""
    until: Moment = ""


class OwnDelegateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From now on. Without `until`: as long as the caller."""

    organisation: Name
    subject: Name
    until: Moment = ""


class DelegateEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    organisation: Name
    subject: Name


class DelegateAnswer(msgspec.Struct, frozen=True):
    organisation: str
    subject: str
    since: str
    until: str
    granted_by: str
    ended_by: str
    name: str = ""


class DelegatesAnswer(msgspec.Struct, frozen=True):
    delegates: list[DelegateAnswer]


class EndedAnswer(msgspec.Struct, frozen=True):
    state: str


def add_routes(app: web.App, registry: Registry) -> None:
    _accounts(app, registry)
    _own(app, registry)
    _organisations(app, registry)
    _delegates(app, registry)
    _own_delegates(app, registry)


def _accounts(app: web.App, registry: Registry) -> None:
    @app.post("/sign-up", who=web.ANYONE, quiet=True, takes=SignUpRequest, gives=SignedUpAnswer, status=201, ruled=True)
    def sign_up() -> tuple[SignedUpAnswer, int]:
        """An account for somebody who is on no roll, whoever is known already."""
        body = web.body(SignUpRequest)
        told = msgspec.structs.asdict(body)
        source, key = told.pop("source") or request.remote_addr or "", told.pop("key")
        return SignedUpAnswer(*registry.accounts.sign_up(told, source, key)), 201

    @app.get("/people/requests", who=STAFF, quiet=True, gives=EntriesAnswer, paged=True)
    def requests() -> EntriesAnswer:
        """Accounts that wait to be attached to a roll, the oldest first."""
        found = registry.accounts.requests(web.page())
        return EntriesAnswer([entry_answer(entry, name, whose=True) for entry, name in found])

    @app.post("/people/requests/decisions", who=STAFF, quiet=True, takes=AttachRequest, gives=EntryAnswer, ruled=True)
    def decide_request() -> EntryAnswer:
        """Attached to a roll, or refused, with a reason that the person reads."""
        body, by = web.body(AttachRequest), web.caller().subject
        if body.attach:
            return entry_answer(registry.accounts.attach(body.id, body.stratum, body.reason, by))
        return entry_answer(registry.accounts.refuse(body.id, body.reason, by))


def _own(app: web.App, registry: Registry) -> None:
    @app.post(
        "/me/organisations",
        who=web.SIGNED_IN, quiet=True, takes=OrganisationRequest, gives=OrganisationAnswer, status=201, ruled=True,
    )  # fmt: skip
    def register_organisation() -> tuple[OrganisationAnswer, int]:
        """Asks for an organisation's account; the caller speaks for it once an agent has confirmed."""
        body = web.body(OrganisationRequest)
        made = registry.organisations.register(**msgspec.structs.asdict(body), by=web.caller().subject)
        return _organisation(made), 201

    @app.get("/me/organisations", who=web.SIGNED_IN, quiet=True, gives=OrganisationsAnswer)
    def own_organisations() -> OrganisationsAnswer:
        """Those that the caller speaks for or asked for."""
        found = registry.organisations.own(web.caller().subject)
        return OrganisationsAnswer([_organisation(*one) for one in found])


def _organisations(app: web.App, registry: Registry) -> None:
    @app.get("/organisations", who=STAFF, quiet=True, gives=OrganisationsAnswer, paged=True)
    def organisations() -> OrganisationsAnswer:
        """The oldest first. `?state=` asked, active or refused."""
        state = request.args.get("state", "asked")
        if state not in ("asked", "active", "refused"):
            raise BadInput("asked, active or refused", field="state")
        return OrganisationsAnswer([_organisation(one) for one in registry.organisations.listed(state, web.page())])

    @app.post("/organisations/sheet", who=STAFF, quiet=True, takes=DelegatesRequest, gives=OrganisationSheet)
    def organisation() -> OrganisationSheet:
        """One organisation, and who asked for its account."""
        found = registry.organisations.of(web.body(DelegatesRequest).organisation)
        names = registry.personal.names([found.asked_by])
        return OrganisationSheet(**asdict(found), asked_by_name=names.get(found.asked_by, ""))

    @app.post(
        "/organisations/decisions",
        who=STAFF, quiet=True, takes=OrganisationDecision, gives=OrganisationAnswer, ruled=True,
    )  # fmt: skip
    def decide_organisation() -> OrganisationAnswer:
        """Confirmed by an agent who looked into the register, or refused with a reason."""
        body, by = web.body(OrganisationDecision), web.caller().subject
        return _organisation(
            registry.organisations.decide(body.organisation, body.confirm, body.reason, by, until=body.until)
        )


def _delegates(app: web.App, registry: Registry) -> None:
    @app.post("/organisations/delegates", who=STAFF, quiet=True, takes=DelegatesRequest, gives=DelegatesAnswer)
    def delegates() -> DelegatesAnswer:
        """Who speaks or spoke for an organisation."""
        found = registry.organisations.delegates(web.body(DelegatesRequest).organisation)
        return DelegatesAnswer([_delegate(one, name) for one, name in found])

    @app.post(
        "/organisations/delegates/grants",
        who=STAFF, quiet=True, takes=DelegateRequest, gives=DelegateAnswer, ruled=True,
    )  # fmt: skip
    def grant_delegate() -> DelegateAnswer:
        """Somebody speaks for an organisation, from one moment to another."""
        body, by = web.body(DelegateRequest), web.caller().subject
        return _delegate(
            registry.organisations.delegate(body.organisation, body.subject, by, since=body.since, until=body.until)
        )

    @app.post("/organisations/delegates/ends", who=STAFF, quiet=True, takes=DelegateEnd, gives=EndedAnswer)
    def end_delegate() -> EndedAnswer:
        """Somebody speaks for it no more."""
        body = web.body(DelegateEnd)
        registry.organisations.end(body.organisation, body.subject, web.caller().subject)
        return EndedAnswer("ended")


def _own_delegates(app: web.App, registry: Registry) -> None:
    @app.get("/me/organisations/delegates", who=web.SIGNED_IN, quiet=True, gives=DelegatesAnswer)
    def colleagues() -> DelegatesAnswer:
        """Who speaks now for the organisations that the caller speaks for."""
        found = registry.organisations.colleagues(web.caller().subject)
        return DelegatesAnswer([_delegate(one, name) for one, name in found])

    @app.post(
        "/me/organisations/delegates/grants",
        who=web.SIGNED_IN, quiet=True, takes=OwnDelegateRequest, gives=DelegateAnswer, ruled=True,
    )  # fmt: skip
    def grant_colleague() -> DelegateAnswer:
        """Another person speaks for it too, for no longer than the caller."""
        body, by = web.body(OwnDelegateRequest), web.caller().subject
        return _delegate(registry.organisations.delegate_own(body.organisation, body.subject, by, until=body.until))

    @app.post("/me/organisations/delegates/ends", who=web.SIGNED_IN, quiet=True, takes=DelegateEnd, gives=EndedAnswer)
    def end_colleague() -> EndedAnswer:
        """The caller or another speaks for it no more."""
        body = web.body(DelegateEnd)
        registry.organisations.end_own(body.organisation, body.subject, web.caller().subject)
        return EndedAnswer("ended")


def _organisation(one: Organisation, held: Delegation | None = None) -> OrganisationAnswer:
    return OrganisationAnswer(**asdict(one), since=held.since if held else "", until=held.until if held else "")


def _delegate(one: Delegation, name: str = "") -> DelegateAnswer:
    return DelegateAnswer(**asdict(one), name=name)
