"""Mending what is known of somebody: a field, a reason; a second agent for names, birth date and ways to reach them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Final, Protocol

from services.identity.application.contacts import contacts, email_of, phone_of
from services.identity.application.dossier import Entries, Entry, EntryUnknown, OwnCase, new_entry, sentence
from services.identity.application.people_file import FieldRefused, a_stratum, birth_date, plain_text
from services.identity.application.sign_in import likeness
from services.identity.domain import Person, PersonUnknown, SecondPersonNeeded, written
from services.shared.errors import BadInput, Conflict
from services.shared.store_failures import Duplicate

NEEDED: Final = ("family_name", "given_name", "birth_date")
FOUR_EYES: Final = (*NEEDED, "email", "phone")
"""Whoever can change one of these alone could take the account over, or make it another person's."""
CORRECTABLE: Final = tuple(field.name for field in fields(Person) if field.name != "subject")


Rule = Callable[[str], str]
CHECKS: Final[Mapping[str, Rule]] = {"email": email_of, "phone": phone_of}


class PersonAlreadyKnown(Conflict):
    reason = "someone of these names and birth date is known: decide whether they are the same person"


class ChangedMeanwhile(Conflict):
    reason = "the field was changed since this was asked: ask anew"


class NotOnARoll(Conflict):
    reason = "this account is on no roll: attach it first"


class People(Protocol):
    def locked(self, subject: str) -> AbstractContextManager[Person | None]: ...

    def change(self, person: Person, likeness: bytes | None) -> None: ...

    def change_all(self, people: Sequence[tuple[Person, bytes | None]]) -> None: ...


class Notices(Protocol):
    def put_notice(self, subject: str, id: str, way: str, address: str) -> None:
        """What the worker will tell this person at an address that is theirs no more."""


class Corrections:
    def __init__(
        self,
        people: People,
        entries: Entries,
        notices: Notices,
        code_key: bytes,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        checks: Mapping[str, Rule] = CHECKS,
    ) -> None:
        """`checks`: {field: its rule}, beyond those that every field has; a rule gives the value as it is kept, or
        raises BadInput."""
        self._people = people
        self._entries = entries
        self._notices = notices
        self._key = code_key
        self._clock = clock
        self._checks = checks

    def correct(self, subject: str, field: str, value: str, reason: str, by: str) -> Entry:
        """Applied at once; of the fields of FOUR_EYES only asked for. Raises BadInput, PersonUnknown, OwnCase,
        NotOnARoll or PersonAlreadyKnown."""
        why, value = sentence(reason), self._checked(field, value)
        if subject == by:
            raise OwnCase(field="subject")
        with self._people.locked(subject) as person:
            if person is None:
                raise PersonUnknown(field="subject")
            if field == "stratum" and not person.stratum:
                raise NotOnARoll(field="field")
            before = str(getattr(person, field))
            if before == value:
                raise BadInput("this is the value that is known", field="value")
            words = {"field": field, "before": before, "after": value, "reason": why}
            state = "asked" if field in FOUR_EYES else "applied"
            entry = new_entry(subject, "correction", state, by, written(self._clock()), words)
            self._entries.add([entry])
            if state == "applied":
                self._apply(person, entry)
        return entry

    def confirm(self, id: str, by: str) -> Entry:
        """By another agent than who asked. Raises EntryUnknown, SecondPersonNeeded, OwnCase, ChangedMeanwhile or
        PersonAlreadyKnown."""
        with self._entries.transaction():
            entry = self._asked(id)
            if entry.by == by:
                raise SecondPersonNeeded(field="id")
            if entry.subject == by:
                raise OwnCase(field="id")
            with self._people.locked(entry.subject) as person:
                if person is None:
                    raise EntryUnknown(field="id")
                if getattr(person, entry.words["field"]) != entry.words["before"]:
                    raise ChangedMeanwhile(field="id")
                self._apply(person, entry)
            return self._put(entry, "applied", by, {})

    def refuse(self, id: str, reason: str, by: str) -> Entry:
        """By anybody of the staff, who asked included. Raises BadInput, EntryUnknown or OwnCase."""
        why = sentence(reason)
        with self._entries.transaction():
            entry = self._asked(id)
            if entry.subject == by:
                raise OwnCase(field="id")
            return self._put(entry, "refused", by, {"answer": why})

    def _asked(self, id: str) -> Entry:
        entry = self._entries.entry(id)
        if entry is None or (entry.kind, entry.state) != ("correction", "asked"):
            raise EntryUnknown(field="id")
        return entry

    def _put(self, entry: Entry, state: str, by: str, more: Mapping[str, str]) -> Entry:
        words = {**entry.words, **more}
        made = replace(entry, state=state, words=words, decided_by=by, decided_at=written(self._clock()))
        self._entries.put(made)
        return made

    def _apply(self, person: Person, entry: Entry) -> None:
        changed = replace(person, **{entry.words["field"]: entry.words["after"]})
        try:
            self._people.change(changed, likeness(self._key, changed))
        except Duplicate:
            raise PersonAlreadyKnown(field="value") from None
        for former in contacts(person):
            if former not in contacts(changed):
                self._notices.put_notice(person.subject, secrets.token_hex(16), former.way, former.value)

    def _checked(self, field: str, value: str) -> str:
        if field not in CORRECTABLE:
            raise BadInput(f"one of {', '.join(CORRECTABLE)}", field="field")
        return checked(field, value, self._clock().date(), self._checks, named="value")


def checked(field: str, value: str, today: date, checks: Mapping[str, Rule], named: str = "") -> str:
    """The value of a person's field as it is kept. Raises BadInput that names `named`, or the field."""
    clean = value.strip()
    try:
        plain_text(field, clean)
        if field in NEEDED and not clean:
            raise FieldRefused(field, "it is empty")
        if field == "birth_date":
            return birth_date(field, clean, today)
        if field == "stratum":
            a_stratum(field, clean)
        return checks[field](clean) if field in checks else clean
    except BadInput as e:
        raise BadInput(e.reason, field=named or field) from None
