"""Routes for who cannot vote: why, an appeal, its answer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import msgspec
from flask import request

from services.identity.api.people import STAFF, EntriesAnswer, EntryAnswer, Key, Name, Words, entry_answer
from services.identity.api.registry import Registry
from services.shared import web
from services.shared.errors import BadInput


class StandingAnswer(msgspec.Struct, frozen=True):
    """`reason`: may_vote, took_credential, not_open_yet, closed, another_stratum, not_on_roll or not_attached.
    `stratum`: on the poll's roll; `own_stratum`: of the account today; `strata`: those that the poll is for."""

    reason: str
    stratum: str
    own_stratum: str
    strata: list[str]
    opens_at: str
    closes_at: str


class AppealRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`poll`: the one it is about, if any."""

    text: Words
    poll: Annotated[str, msgspec.Meta(max_length=36)] = ""
    key: Key = ""


class AnswerRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Name
    granted: bool
    answer: Words


def add_routes(app: web.App, registry: Registry) -> None:
    @app.get("/polls/<uuid:poll>/standing", who=web.SIGNED_IN, quiet=True, gives=StandingAnswer)
    def standing(poll: UUID) -> StandingAnswer:
        """Why the caller can or cannot vote in this poll."""
        found = asdict(registry.standings.of(str(poll), web.caller().subject))
        return StandingAnswer(**{**found, "strata": list(found["strata"])})

    @app.post(
        "/me/appeals", who=web.SIGNED_IN, quiet=True, takes=AppealRequest, gives=EntryAnswer, status=201, ruled=True
    )
    def appeal() -> tuple[EntryAnswer, int]:
        """An agent reads it and answers."""
        body = web.body(AppealRequest)
        return entry_answer(registry.dossier.appeal(web.caller().subject, _poll(body.poll), body.text, body.key)), 201

    @app.get("/me/appeals", who=web.SIGNED_IN, quiet=True, gives=EntriesAnswer)
    def own_appeals() -> EntriesAnswer:
        """The caller's appeals with their answers, the newest first."""
        found = registry.dossier.of(web.caller().subject)
        return EntriesAnswer([entry_answer(entry) for entry in found if entry.kind == "appeal"])

    @app.get("/appeals", who=STAFF, quiet=True, gives=EntriesAnswer, paged=True)
    def appeals() -> EntriesAnswer:
        """The oldest first. `?state=` open, granted or dismissed."""
        state = request.args.get("state", "open")
        if state not in ("open", "granted", "dismissed"):
            raise BadInput("open, granted or dismissed", field="state")
        found = registry.dossier.waiting("appeal", state, web.page())
        return EntriesAnswer([entry_answer(entry, name, whose=True) for entry, name in found])

    @app.post("/appeals/answers", who=STAFF, quiet=True, takes=AnswerRequest, gives=EntryAnswer, ruled=True)
    def answer_appeal() -> EntryAnswer:
        """Granted or dismissed, with a reason that the person reads."""
        body = web.body(AnswerRequest)
        return entry_answer(registry.dossier.answer(body.id, body.granted, body.answer, web.caller().subject))


def _poll(text: str) -> str:
    try:
        return str(UUID(text)) if text else ""
    except ValueError:
        raise BadInput("a poll's id", field="poll") from None
