"""At the desk: an agent sees a paper proof and opens the way for the person before them. What is changed of how a
person is reached takes two agents. Everything done here stays in a trail."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from services.identity.application.contacts import contacts, email_of, phone_of
from services.identity.application.sign_in import code_hash, likeness, normal_code, random_code
from services.identity.domain import Person, PersonUnknown, SecondPersonNeeded, written
from services.shared.errors import BadInput, Conflict, NotAllowed, NotFound

PROOFS: Final = (
    *("identity_card", "passport", "residence_permit", "driving_licence", "family_record_book", "other_official"),
)
"""Which kind of paper was seen: never its number, never a copy."""
MINUTES: Final = 10
PAGE: Final = 50


class ProofUnknown(BadInput):
    reason = f"a proof is one of {', '.join(PROOFS)}"


class OwnAccount(NotAllowed):
    reason = "nobody serves themselves at the desk"


class ChangeUnknown(NotFound):
    reason = "this change was confirmed, withdrawn or replaced"


class NothingChanges(Conflict):
    reason = "these are the address and the number that are known"


@dataclass(frozen=True, slots=True)
class Change:
    """New contacts that wait for a second agent."""

    id: str
    subject: str
    asked_by: str
    proof: str
    at: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Act:
    """A line of the trail: who did what for whom, and which proof they say to have seen."""

    at: str
    by: str
    act: str
    subject: str
    proof: str


class Store(Protocol):
    def note(self, act: Act) -> None: ...

    def acts(self, page: int, size: int) -> tuple[list[Act], int]:
        """The newest first, and how many pages there are."""

    def put_change(self, change: Change) -> None:
        """In place of one that waits for the same person."""

    def change(self, id: str) -> Change | None: ...

    def changes(self) -> list[Change]:
        """The oldest first."""

    def drop_change(self, id: str) -> bool:
        """False: it was dropped already."""

    def put_notice(self, subject: str, id: str, way: str, address: str) -> None:
        """What the worker will tell this person at an address that is theirs no more."""

    def put_once(self, code: bytes, subject: str, method: str, until: int) -> None: ...

    def transaction(self) -> AbstractContextManager[object]: ...


class People(Protocol):
    def person(self, subject: str) -> Person | None: ...

    def locked(self, subject: str) -> AbstractContextManager[Person | None]: ...

    def change(self, person: Person, likeness: bytes | None) -> None: ...


class Letters(Protocol):
    def order_letter(self, subject: str) -> None:
        """Raises PersonUnknown, AddressMissing or TooOften."""


class Desk:
    def __init__(
        self,
        store: Store,
        people: People,
        letters: Letters,
        key: bytes,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._people = people
        self._letters = letters
        self._key = key
        self._clock = clock

    def open(self, subject: str, proof: str, agent: str) -> str:
        """A code that signs this person in once, within ten minutes, on the computer beside the desk. Raises
        PersonUnknown, ProofUnknown or OwnAccount."""
        self._check(subject, proof, agent)
        code = random_code(groups=2)
        until = int(self._clock().timestamp()) + MINUTES * 60
        with self._store.transaction():
            self._store.put_once(code_hash(self._key, normal_code(code) or ""), subject, "desk", until)
            self._note(agent, "sign_in", subject, proof)
        return code

    def order_letter(self, subject: str, agent: str) -> None:
        """Raises PersonUnknown, AddressMissing or TooOften."""
        self._letters.order_letter(subject)
        self._note(agent, "letter", subject)

    # --- how a person is reached ---

    def ask_change(self, subject: str, email: str, phone: str, proof: str, agent: str) -> str:
        """The change's id: it waits for a second agent. Raises PersonUnknown, ProofUnknown, OwnAccount,
        ContactRefused or NothingChanges."""
        person = self._check(subject, proof, agent)
        email, phone = email_of(email), phone_of(phone)
        if (email, phone) == (person.email, person.phone):
            raise NothingChanges
        change = Change(secrets.token_hex(16), subject, agent, proof, written(self._clock()), email, phone)
        with self._store.transaction():
            self._store.put_change(change)
            self._note(agent, "contacts_asked", subject, proof)
        return change.id

    def waiting(self) -> list[tuple[Change, Person]]:
        """Each change with the person as they are known now."""
        found = [(change, self._people.person(change.subject)) for change in self._store.changes()]
        return [(change, person) for change, person in found if person is not None]

    def confirm_change(self, id: str, agent: str) -> None:
        """Raises ChangeUnknown, SecondPersonNeeded or OwnAccount."""
        change = self._changed(id)
        if change.asked_by == agent:
            raise SecondPersonNeeded(field="change")
        if change.subject == agent:
            raise OwnAccount(field="change")
        with self._people.locked(change.subject) as person:
            if person is None or not self._store.drop_change(id):
                raise ChangeUnknown(field="change")
            changed = replace(person, email=change.email, phone=change.phone)
            self._people.change(changed, likeness(self._key, changed))
            for former in contacts(person):
                if former not in contacts(changed):
                    self._store.put_notice(person.subject, secrets.token_hex(16), former.way, former.value)
            self._note(agent, "contacts_confirmed", change.subject)

    def withdraw_change(self, id: str, agent: str) -> None:
        """Either agent. Raises ChangeUnknown."""
        change = self._changed(id)
        with self._store.transaction():
            if not self._store.drop_change(id):
                raise ChangeUnknown(field="change")
            self._note(agent, "contacts_withdrawn", change.subject)

    def acts(self, page: int) -> tuple[list[tuple[Act, str, str]], int]:
        """(act, the agent's name, the person's name) of a page, and how many pages; an erased person has no name."""
        acts, pages = self._store.acts(page, PAGE)
        people = {one: self._people.person(one) for act in acts for one in (act.by, act.subject)}
        names = {one: person.display_name if person is not None else "" for one, person in people.items()}
        return [(act, names[act.by], names[act.subject]) for act in acts], pages

    def _check(self, subject: str, proof: str, agent: str) -> Person:
        if proof not in PROOFS:
            raise ProofUnknown(field="proof")
        if subject == agent:
            raise OwnAccount(field="subject")
        person = self._people.person(subject)
        if person is None:
            raise PersonUnknown(field="subject")
        return person

    def _changed(self, id: str) -> Change:
        change = self._store.change(id)
        if change is None:
            raise ChangeUnknown(field="change")
        return change

    def _note(self, agent: str, act: str, subject: str, proof: str = "") -> None:
        self._store.note(Act(written(self._clock()), agent, act, subject, proof))
