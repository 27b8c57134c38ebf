"""People as agents work with them, as the identity service offers it: sheets, duplicates, what waits for a decision."""

from __future__ import annotations

from typing import Final

import msgspec

from services.gateway.clients.http import Service
from services.gateway.clients.persons import Entry, Person, Represented, Role

LISTED: Final = 50
"""What identity puts on a page of a list."""


class Sheet(msgspec.Struct, frozen=True):
    """All that is kept of a person, and the names of those who wrote or decided something in it."""

    person: Person
    roles: list[Role]
    entries: list[Entry]
    organisations: list[Represented]
    names: dict[str, str]


class Standing(msgspec.Struct, frozen=True):
    reason: str
    stratum: str
    own_stratum: str
    strata: list[str]


class Case(msgspec.Struct, frozen=True):
    """A correction, a request or an appeal, with whose it is."""

    entry: Entry
    person: Person
    by_name: str
    standing: Standing | None = None


class Pair(msgspec.Struct, frozen=True):
    """Two accounts that may be one person's."""

    first: Person
    second: Person
    why: str
    state: str
    at: str
    kept: str
    asked_by: str
    reason: str


class Waiting(msgspec.Struct, frozen=True):
    """What waits for a second pair of eyes. `id`: what its decision takes; of a merge `subject` and `other`."""

    kind: str
    id: str
    subject: str
    by: str
    at: str
    other: str
    name: str
    by_name: str


class Inbox(msgspec.Struct, frozen=True):
    waiting: list[Waiting]
    pages: int


class Counts(msgspec.Struct, frozen=True):
    waiting: int
    own: int
    duplicates: int
    appeals: int


class Organisation(msgspec.Struct, frozen=True):
    subject: str
    state: str
    asked_by: str
    at: str
    name: str
    kind: str
    number: str
    address: str
    asked_by_name: str = ""


class _Pairs(msgspec.Struct, frozen=True):
    pairs: list[Pair]


class _Entries(msgspec.Struct, frozen=True):
    entries: list[Entry]


class _State(msgspec.Struct, frozen=True):
    state: str


class RegistryClient:
    """In an agent's name. Raises NotFound, ServiceRefused or ServiceUnavailable."""

    def __init__(self, api: Service) -> None:
        self._api = api

    # --- people ---

    def sheet(self, subject: str, token: str) -> Sheet:
        return self._api.post("/people/sheet", Sheet, {"subject": subject}, token=token)

    def correct(self, subject: str, field: str, value: str, reason: str, token: str) -> str:
        """ "applied", or "asked" where a second agent must confirm."""
        asked = {"subject": subject, "field": field, "value": value, "reason": reason}
        return self._api.post("/people/corrections", _State, asked, token=token).state

    def pairs(self, page: int, token: str) -> list[Pair]:
        """Likely duplicates that wait, the oldest first, LISTED a page."""
        return self._api.get("/people/duplicates", _Pairs, token=token, params={"page": page}).pairs

    def pair(self, first: str, second: str, token: str) -> Pair:
        return self._api.post("/people/duplicates/pairs", Pair, {"first": first, "second": second}, token=token)

    def decide_pair(self, first: str, second: str, decision: str, kept: str, reason: str, token: str) -> str:
        """ "two_people"; or "asked", then "merged" when a second agent says the same."""
        value = {"first": first, "second": second, "decision": decision, "kept": kept, "reason": reason}
        return self._api.post("/people/duplicates/decisions", _State, value, token=token).state

    # --- what waits ---

    def inbox(self, page: int, token: str) -> Inbox:
        return self._api.get("/inbox", Inbox, token=token, params={"page": page})

    def counts(self, token: str) -> Counts:
        return self._api.get("/inbox/counts", Counts, token=token)

    def case(self, id: str, token: str) -> Case:
        return self._api.post("/people/cases", Case, {"id": id}, token=token)

    def decide_correction(self, id: str, confirm: bool, reason: str, token: str) -> None:
        value = {"id": id, "confirm": confirm, "reason": reason}
        self._api.post("/people/corrections/decisions", _State, value, token=token)

    def decide_request(self, id: str, attach: bool, stratum: str, reason: str, token: str) -> None:
        value = {"id": id, "attach": attach, "stratum": stratum, "reason": reason}
        self._api.post("/people/requests/decisions", _State, value, token=token)

    def organisation(self, organisation: str, token: str) -> Organisation:
        value = {"organisation": organisation}
        return self._api.post("/organisations/sheet", Organisation, value, token=token)

    def decide_organisation(self, organisation: str, confirm: bool, reason: str, until: str, token: str) -> None:
        value = {"organisation": organisation, "confirm": confirm, "reason": reason, "until": until}
        self._api.post("/organisations/decisions", _State, value, token=token)

    def appeals(self, state: str, page: int, token: str) -> list[Entry]:
        """The oldest first, LISTED a page."""
        return self._api.get("/appeals", _Entries, token=token, params={"state": state, "page": page}).entries

    def answer_appeal(self, id: str, granted: bool, answer: str, token: str) -> None:
        self._api.post("/appeals/answers", _State, {"id": id, "granted": granted, "answer": answer}, token=token)
