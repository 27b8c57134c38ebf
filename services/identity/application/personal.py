"""What the service knows of a person: told to them, and erased."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Protocol

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

    def grants(self, subject: str) -> list[Grant]: ...

    def ask_erasure(self, subject: str, by: str) -> str | None: ...

    def confirm_erasure(self, subject: str, by: str, now: str) -> None: ...

    def drop_erasure(self, subject: str) -> bool: ...

    def erasures(self) -> list[tuple[str, str]]: ...

    def erasures_due(self) -> list[str]: ...

    def erase(self, subject: str) -> None: ...


class Erasures(Protocol):
    def save_erasure(self, erasure: Erasure) -> None:
        """Harmless when it stands already."""


class Personal:
    def __init__(
        self, people: People, erasures: Erasures, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._people = people
        self._erasures = erasures
        self._clock = clock

    def access(self, subject: str) -> Json:
        """All that is kept under this subject, but keyed hashes. Raises PersonUnknown."""
        person = self._people.person(subject)
        if person is None:
            raise PersonUnknown(field="subject")
        grants = [{k: v for k, v in asdict(grant).items() if k != "subject"} for grant in self._people.grants(subject)]
        return {"person": asdict(person), "roles": grants}

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
