"""Routes of people as agents see them: a sheet, corrections, likely duplicates. No path names a person."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import msgspec

from services.identity.api import shapes
from services.identity.api.registry import Registry
from services.identity.application.dossier import Entry
from services.identity.application.duplicates import Pair
from services.identity.domain import Person
from services.shared import web

STAFF = web.role("agent", "administrator")
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Key = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{32})?$(?!\n)")]
"""Of what is asked, from whoever asks: the same again is known by it. Empty: each time is another."""
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
Value = Annotated[str, msgspec.Meta(max_length=200)]


class EntryAnswer(shapes.Written, frozen=True):
    """`subject` and `name` of the person, for agents."""

    subject: str = ""
    name: str = ""


class EntriesAnswer(msgspec.Struct, frozen=True):
    entries: list[EntryAnswer]


class SheetRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subject: Name


class Sheet(shapes.Access, frozen=True, kw_only=True):
    """`names`: of those who wrote or decided something here, by their subjects; who was erased has none."""

    names: dict[str, str]


class CorrectionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`field`: a field of the person, by its name."""

    subject: Name
    field: Name
    value: Value
    reason: Words


class DecisionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a correction that waits for a second agent. To refuse takes a reason."""

    id: Name
    confirm: bool
    reason: Annotated[str, msgspec.Meta(max_length=4000)] = ""


class PersonShown(msgspec.Struct, frozen=True):
    subject: str
    family_name: str
    given_name: str
    birth_date: str
    address: str
    office: str
    stratum: str
    email: str
    phone: str


class PairAnswer(msgspec.Struct, frozen=True):
    """Two accounts that may be one person's. `reason`: of the agent who asked to merge them."""

    first: PersonShown
    second: PersonShown
    why: str
    state: str
    at: str
    kept: str
    asked_by: str
    reason: str


class PairsAnswer(msgspec.Struct, frozen=True):
    pairs: list[PairAnswer]


class PairRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`kept`: which account stays, when they are one person."""

    first: Name
    second: Name
    decision: Literal["one_person", "two_people"]
    reason: Words
    kept: Annotated[str, msgspec.Meta(max_length=64)] = ""


class PairAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two accounts, in whichever order."""

    first: Name
    second: Name


class StateAnswer(msgspec.Struct, frozen=True):
    state: str


def add_routes(app: web.App, registry: Registry) -> None:
    _sheet(app, registry)
    _corrections(app, registry)
    _duplicates(app, registry)


def entry_answer(entry: Entry, name: str = "", *, whose: bool = False) -> EntryAnswer:
    told = {k: v for k, v in asdict(entry).items() if k != "subject"}
    return EntryAnswer(**told, subject=entry.subject if whose else "", name=name)


def _sheet(app: web.App, registry: Registry) -> None:
    @app.post("/people/sheet", who=STAFF, quiet=True, takes=SheetRequest, gives=Sheet)
    def sheet() -> Sheet:
        """All that is kept of a person, as they would read it themselves."""
        told = registry.personal.access(web.body(SheetRequest).subject)
        staff = {entry[who] for entry in told["entries"] for who in ("by", "decided_by") if entry[who]}
        staff |= {role["granted_by"] for role in told["roles"]}
        return msgspec.convert({**told, "names": registry.personal.names(staff)}, Sheet)


def _corrections(app: web.App, registry: Registry) -> None:
    @app.post("/people/corrections", who=STAFF, quiet=True, takes=CorrectionRequest, gives=EntryAnswer, ruled=True)
    def correct() -> EntryAnswer:
        """State `applied`, or `asked` where a second agent must confirm."""
        body = web.body(CorrectionRequest)
        by = web.caller().subject
        return entry_answer(registry.corrections.correct(body.subject, body.field, body.value, body.reason, by))

    @app.get("/people/corrections", who=STAFF, quiet=True, gives=EntriesAnswer, paged=True)
    def corrections_waiting() -> EntriesAnswer:
        """Those that wait for a second agent, the oldest first."""
        found = registry.dossier.waiting("correction", "asked", web.page())
        return EntriesAnswer([entry_answer(entry, name, whose=True) for entry, name in found])

    @app.post(
        "/people/corrections/decisions", who=STAFF, quiet=True, takes=DecisionRequest, gives=EntryAnswer, ruled=True
    )
    def decide_correction() -> EntryAnswer:
        """Confirmed or refused by another agent; refused by the one who asked, too."""
        body, by = web.body(DecisionRequest), web.caller().subject
        if body.confirm:
            return entry_answer(registry.corrections.confirm(body.id, by))
        return entry_answer(registry.corrections.refuse(body.id, body.reason, by))


def _duplicates(app: web.App, registry: Registry) -> None:
    @app.get("/people/duplicates", who=STAFF, quiet=True, gives=PairsAnswer, paged=True)
    def duplicates() -> PairsAnswer:
        """Accounts that may be one person's and wait for a decision, the oldest first."""
        found = registry.duplicates.waiting(web.page())
        reasons = {
            entry.id: entry.words.get("reason", "") for entry in _notes(registry, [pair for pair, _, _ in found])
        }
        return PairsAnswer([_pair(pair, one, other, reasons.get(pair.note, "")) for pair, one, other in found])

    @app.post("/people/duplicates/pairs", who=STAFF, quiet=True, takes=PairAsked, gives=PairAnswer)
    def one_pair() -> PairAnswer:
        """Two accounts that wait for a decision, side by side."""
        body = web.body(PairAsked)
        pair, one, other = registry.duplicates.both(body.first, body.second)
        reasons = [entry.words.get("reason", "") for entry in _notes(registry, [pair])]
        return _pair(pair, one, other, reasons[0] if reasons else "")

    @app.post("/people/duplicates/decisions", who=STAFF, quiet=True, takes=PairRequest, gives=StateAnswer, ruled=True)
    def decide_duplicate() -> StateAnswer:
        """State `two_people`; or `asked`, then `merged` when a second agent says the same."""
        body, by = web.body(PairRequest), web.caller().subject
        if body.decision == "two_people":
            return StateAnswer(registry.duplicates.two_people(body.first, body.second, body.reason, by).state)
        return StateAnswer(registry.duplicates.one_person(body.first, body.second, body.kept, body.reason, by).state)


def _notes(registry: Registry, pairs: list[Pair]) -> list[Entry]:
    return [entry for pair in pairs if pair.note for entry in registry.dossier.of(pair.kept) if entry.id == pair.note]


def _pair(pair: Pair, one: Person, other: Person, reason: str) -> PairAnswer:
    return PairAnswer(shown(one), shown(other), pair.why, pair.state, pair.at, pair.kept, pair.asked_by, reason)


def shown(person: Person) -> PersonShown:
    return PersonShown(**{name: getattr(person, name) for name in PersonShown.__struct_fields__})
