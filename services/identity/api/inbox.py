"""Routes of what waits for a second pair of eyes, and of one case with all that its decision needs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import msgspec

from services.identity.api.appeals import StandingAnswer
from services.identity.api.people import STAFF, EntryAnswer, Name, PersonShown, entry_answer, shown
from services.identity.api.registry import Registry
from services.identity.application.dossier import Entry
from services.identity.domain import PollUnknown
from services.shared import web

_NOT_TOLD: Final = ("may_vote", "took_credential")


class WaitingAnswer(msgspec.Struct, frozen=True):
    """`kind`: correction, contacts, merge, organisation, attach or erasure. `id`: what its decision takes; of a merge
    `subject` and `other`. `at` may be empty; a name too, of who was erased."""

    kind: str
    id: str
    subject: str
    by: str
    at: str
    other: str
    name: str
    by_name: str


class InboxAnswer(msgspec.Struct, frozen=True):
    """`pages`: the last page that is known to be there."""

    waiting: list[WaitingAnswer]
    page: int
    pages: int


class CountsAnswer(msgspec.Struct, frozen=True):
    """`own`: of those that wait, what the caller asked for. `duplicates`, `appeals`: nobody decided on them yet."""

    waiting: int
    own: int
    duplicates: int
    appeals: int


class CaseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`id` of a correction, a request or an appeal."""

    id: Name


class CaseAnswer(msgspec.Struct, frozen=True):
    """`standing`: of an appeal about a poll, the person's in it today. Its reason is `on_roll` for whoever may vote or
    took their right to: which of the two is not for agents to know."""

    entry: EntryAnswer
    person: PersonShown
    by_name: str
    standing: StandingAnswer | None = None


def add_routes(app: web.App, registry: Registry) -> None:
    @app.get("/inbox", who=STAFF, quiet=True, gives=InboxAnswer, paged=True)
    def inbox() -> InboxAnswer:
        """All that waits for a second pair of eyes and that the caller's roles decide on, the oldest first."""
        number = web.page()
        found, more = registry.inbox.waiting(web.caller().roles, number)
        return InboxAnswer([WaitingAnswer(**asdict(one)) for one in found], number, number + more)

    @app.get("/inbox/counts", who=STAFF, quiet=True, gives=CountsAnswer)
    def counts() -> CountsAnswer:
        """How much waits."""
        caller = web.caller()
        return CountsAnswer(**asdict(registry.inbox.counts(caller.roles, caller.subject)))

    @app.post("/people/cases", who=STAFF, quiet=True, takes=CaseRequest, gives=CaseAnswer)
    def case() -> CaseAnswer:
        """A correction, a request or an appeal, with whose it is as they are known today."""
        entry, person = registry.dossier.case(web.body(CaseRequest).id)
        names = registry.personal.names([entry.by])
        told = entry_answer(entry, person.display_name, whose=True)
        return CaseAnswer(told, shown(person), names.get(entry.by, ""), _standing(registry, entry))


def _standing(registry: Registry, entry: Entry) -> StandingAnswer | None:
    if entry.kind != "appeal" or not entry.poll:
        return None
    try:
        found = asdict(registry.standings.of(entry.poll, entry.subject))
    except PollUnknown:
        return None
    reason = "on_roll" if found["reason"] in _NOT_TOLD else found["reason"]
    return StandingAnswer(**{**found, "reason": reason, "strata": list(found["strata"])})
