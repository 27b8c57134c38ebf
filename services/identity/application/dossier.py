"""What is written down about a person beside their fields: corrections, changes by a file, requests, appeals, what was
decided about a duplicate. Each is an entry: who, when and in which state in plain, all words sealed with the person."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from services.identity.domain import Person, PersonUnknown, written
from services.shared.errors import BadInput, Conflict, NotAllowed, NotFound

PAGE: Final = 50
LONGEST_TEXT: Final = 4000
OPEN_APPEALS: Final = 5
Json = dict[str, Any]
Clock = Callable[[], datetime]


class EntryUnknown(NotFound):
    reason = "no such entry, or it is decided already"


class OwnCase(NotAllowed):
    reason = "nobody decides on their own case: a colleague must"


class TooManyAppeals(Conflict):
    reason = f"{OPEN_APPEALS} appeals wait for an answer already"


@dataclass(frozen=True, slots=True)
class Entry:
    """`kind`: correction, change, attach, appeal or duplicate. `words` are personal."""

    id: str
    subject: str
    kind: str
    state: str
    at: str
    by: str
    words: Mapping[str, str]
    poll: str = ""
    decided_at: str = ""
    decided_by: str = ""


class Entries(Protocol):
    def transaction(self) -> AbstractContextManager[object]: ...

    def add(self, entries: Sequence[Entry]) -> None: ...

    def entry(self, id: str) -> Entry | None:
        """Locked until the transaction around it ends."""

    def of(self, subject: str) -> list[Entry]:
        """The newest first."""

    def waiting(self, kind: str, state: str, page: int, size: int) -> list[Entry]:
        """The oldest first."""

    def count(self, subject: str, kind: str, state: str) -> int: ...

    def put(self, entry: Entry) -> None:
        """State, words and decision of an entry that is there."""


class People(Protocol):
    def person(self, subject: str) -> Person | None: ...

    def people(self, subjects: Sequence[str]) -> Mapping[str, Person]: ...


def new_entry(subject: str, kind: str, state: str, by: str, at: str, words: Mapping[str, str], poll: str = "") -> Entry:
    return Entry(secrets.token_hex(16), subject, kind, state, at, by, words, poll)


def sentence(text: str, field: str = "reason", longest: int = LONGEST_TEXT) -> str:
    """What somebody wrote, which must say something. Raises BadInput."""
    clean = text.strip()
    if not clean or len(clean) > longest:
        raise BadInput(f"from 1 to {longest} characters", field=field)
    return clean


class Dossier:
    """Entries as people and agents see them; the rules of appeals."""

    def __init__(self, entries: Entries, people: People, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._entries = entries
        self._people = people
        self._clock = clock

    def of(self, subject: str) -> list[Entry]:
        return self._entries.of(subject)

    def waiting(self, kind: str, state: str, page: int) -> list[tuple[Entry, str]]:
        """A page of entries, the oldest first, each with the person's name."""
        found = self._entries.waiting(kind, state, page, PAGE)
        people = self._people.people([entry.subject for entry in found])
        return [(entry, people[entry.subject].display_name) for entry in found if entry.subject in people]

    def case(self, id: str) -> tuple[Entry, Person]:
        """An entry, decided or not, and whose it is. Raises EntryUnknown."""
        entry = self._entries.entry(id)
        person = self._people.person(entry.subject) if entry is not None else None
        if entry is None or person is None:
            raise EntryUnknown(field="id")
        return entry, person

    def appeal(self, subject: str, poll: str, text: str, key: str = "") -> Entry:
        """`key`: 32 hex digits, by which a repeat is known. Raises BadInput, PersonUnknown or TooManyAppeals."""
        if self._people.person(subject) is None:
            raise PersonUnknown(field="subject")
        with self._entries.transaction():
            stands = self._entries.entry(key) if key else None
            if stands is not None and (stands.subject, stands.kind) == (subject, "appeal"):
                return stands
            if self._entries.count(subject, "appeal", "open") >= OPEN_APPEALS:
                raise TooManyAppeals(field="text")
            words = {"text": sentence(text, "text")}
            entry = new_entry(subject, "appeal", "open", subject, written(self._clock()), words, poll)
            entry = replace(entry, id=key) if key and stands is None else entry
            self._entries.add([entry])
        return entry

    def answer(self, id: str, granted: bool, answer: str, by: str) -> Entry:
        """The person reads the answer. Raises BadInput, EntryUnknown or OwnCase."""
        return self.decide(
            id, "appeal", "open", "granted" if granted else "dismissed", by, {"answer": sentence(answer)}
        )

    def decide(self, id: str, kind: str, state: str, then: str, by: str, words: Mapping[str, str]) -> Entry:
        """From `state` to `then`, once. Raises EntryUnknown or OwnCase."""
        with self._entries.transaction():
            entry = self._entries.entry(id)
            if entry is None or (entry.kind, entry.state) != (kind, state):
                raise EntryUnknown(field="id")
            if entry.subject == by:
                raise OwnCase(field="id")
            now = written(self._clock())
            made = replace(entry, state=then, words={**entry.words, **words}, decided_at=now, decided_by=by)
            self._entries.put(made)
        return made
