"""Telling a person, at the address that was theirs, that two agents changed how they are reached."""

from __future__ import annotations

import hmac
import logging
from typing import Protocol

from services.identity.domain import Person
from services.shared.outbox import Message, NotSent

_log = logging.getLogger("parvis")


class Store(Protocol):
    def notices(self) -> list[tuple[str, str, dict[str, str]]]:
        """(id, subject, {way, address})."""

    def drop_notice(self, id: str) -> None: ...


class People(Protocol):
    def person(self, subject: str) -> Person | None: ...


class Outbox(Protocol):
    def send(self, message: Message) -> None:
        """Raises NotSent."""


class Notices:
    def __init__(self, store: Store, people: People, key: bytes) -> None:
        self._store = store
        self._people = people
        self._key = key

    def send(self, outbox: Outbox) -> None:
        """Each once, however often a death makes it be repeated."""
        for id, subject, told in self._store.notices():
            person = self._people.person(subject)
            try:
                if person is not None:
                    outbox.send(self._message(id, person, told["way"], told["address"]))
            except NotSent as e:
                _log.warning("a notice could not be sent", extra={"code": "NotSent", "reason": str(e)})
                if not e.refused:
                    return  # the next turn tries again
            self._store.drop_notice(id)

    def _message(self, id: str, person: Person, way: str, address: str) -> Message:
        key = hmac.digest(self._key, f"notice\n{id}".encode(), "sha256").hex()
        values = {"name": person.given_name}
        return Message(key, "sms" if way == "sms" else "email", person.subject, address, "contacts_changed", values)
