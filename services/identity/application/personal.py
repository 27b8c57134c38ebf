"""What the service knows of a person: told to them, and erased."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Protocol

from services.identity.application.dossier import Entry
from services.identity.application.organisations import Delegation, Organisation, Organisations
from services.identity.domain import (
    Erasure,
    ErasureUnknown,
    Grant,
    Person,
    PersonUnknown,
    SecondPersonNeeded,
    written,
)

Json = dict[str, Any]


class People(Protocol):
    def person(self, subject: str) -> Person | None: ...

    def people(self, subjects: Collection[str]) -> dict[str, Person]: ...

    def sealing_key(self, subject: str, use: str) -> bytes | None: ...

    def grants(self, subject: str) -> list[Grant]: ...

    def ask_erasure(self, subject: str, by: str) -> str | None: ...

    def confirm_erasure(self, subject: str, by: str, now: str) -> None: ...

    def drop_erasure(self, subject: str) -> bool: ...

    def erasures(self) -> list[tuple[str, str]]: ...

    def erasures_due(self) -> list[str]: ...

    def erase(self, subject: str) -> None: ...


class Entries(Protocol):
    def of(self, subject: str) -> list[Entry]: ...


class Erasures(Protocol):
    def save_erasure(self, erasure: Erasure) -> None:
        """Harmless when it stands already."""


class Personal:
    def __init__(
        self,
        people: People,
        entries: Entries,
        organisations: Organisations,
        erasures: Erasures,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._people = people
        self._entries = entries
        self._organisations = organisations
        self._erasures = erasures
        self._clock = clock

    def access(self, subject: str) -> Json:
        """All that is kept under this subject, but keyed hashes. Raises PersonUnknown."""
        person = self._people.person(subject)
        if person is None:
            raise PersonUnknown(field="subject")
        grants = [{k: v for k, v in asdict(grant).items() if k != "subject"} for grant in self._people.grants(subject)]
        return {
            "person": asdict(person),
            "roles": grants,
            "entries": [_told(entry) for entry in self._entries.of(subject)],
            "organisations": [_represented(*one) for one in self._organisations.own(subject)],
            "erasure": self._asked(subject),
        }

    def names(self, subjects: Collection[str]) -> dict[str, str]:
        """{subject: name to show}; who is erased or unknown is not in it."""
        return {subject: person.display_name for subject, person in self._people.people(subjects).items()}

    def sealing_key(self, subject: str, use: str) -> bytes:
        """With which another service seals what it keeps of this person; gone with them. Raises PersonUnknown."""
        key = self._people.sealing_key(subject, use)
        if key is None:
            raise PersonUnknown(field="subject")
        return key

    def erase(self, subject: str, by: str) -> bool:
        """True: a second person confirmed, and nothing of the person can be read any more. False: `by` is the first one
        to ask. Raises PersonUnknown, SecondPersonNeeded or LastAdministrator."""
        if self._people.person(subject) is None:
            raise PersonUnknown(field="subject")
        first = self._people.ask_erasure(subject, by)
        if first is None:
            return False
        if first == by:
            raise SecondPersonNeeded(field="subject")
        self._people.confirm_erasure(subject, by, written(self._clock()))
        self.finish_erasures()
        return True

    def erase_own(self, subject: str) -> bool:
        """The person asks, and is the first of the two. True: an agent had asked before, so it is done. Asked again:
        still waiting. Raises PersonUnknown or LastAdministrator."""
        try:
            return self.erase(subject, subject)
        except SecondPersonNeeded:
            return False

    def withdraw_own(self, subject: str) -> None:
        """What the person asked for themselves, before an agent confirmed. Raises ErasureUnknown."""
        if self._asked(subject) != "asked":
            raise ErasureUnknown(field="subject")
        self.withdraw(subject)

    def _asked(self, subject: str) -> str:
        by = dict(self._people.erasures()).get(subject)
        return "" if by is None else "asked" if by == subject else "asked_by_agent"

    def withdraw(self, subject: str) -> None:
        """Before the confirmation. Raises ErasureUnknown."""
        if not self._people.drop_erasure(subject):
            raise ErasureUnknown(field="subject")

    def waiting(self) -> list[tuple[str, str]]:
        """(subject, who asked) of erasures that wait for a second person."""
        return self._people.erasures()

    def finish_erasures(self) -> None:
        """Whatever was confirmed and not done to its end: told first, so that no service is forgotten."""
        for subject in self._people.erasures_due():
            self._erasures.save_erasure(Erasure(subject))
            self._people.erase(subject)


def _told(entry: Entry) -> Json:
    return {name: value for name, value in asdict(entry).items() if name != "subject"}


def _represented(one: Organisation, held: Delegation | None) -> Json:
    told = {name: getattr(one, name) for name in ("subject", "name", "kind", "number", "address", "state", "answer")}
    return {**told, "since": held.since if held else "", "until": held.until if held else ""}
