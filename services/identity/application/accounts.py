"""Accounts of people who are on no roll: they sign up, and have no right to vote until an agent attaches them."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Protocol

from services.identity.application.corrections import PersonAlreadyKnown, Rule, checked
from services.identity.application.dossier import Dossier, Entries, Entry, EntryUnknown, new_entry, sentence
from services.identity.application.sign_in import WINDOW_SECONDS, SignIn, likeness
from services.identity.domain import Person, TooManyTries, written
from services.shared.store_failures import Duplicate

SIGN_UPS: Final = 5
"""How many accounts one source may make within a minute."""
ASKED: Final = ("family_name", "given_name", "birth_date", "address")


class People(Protocol):
    def locked(self, subject: str) -> AbstractContextManager[Person | None]: ...


class Store(Protocol):
    def count_try(self, source: bytes, window: int) -> int:
        """How often this source tried within the window, this time included."""

    def open(self, person: Person, entry: Entry, at: str) -> None: ...

    def attach(self, person: Person, likeness: bytes, by: str, at: str) -> None:
        """On the roll from now on, with the role resident. Raises Duplicate for a likeness that another has."""


class Accounts:
    def __init__(
        self,
        store: Store,
        people: People,
        entries: Entries,
        dossier: Dossier,
        sign_in: SignIn,
        code_key: bytes,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        checks: Mapping[str, Rule] | None = None,
    ) -> None:
        self._store = store
        self._people = people
        self._entries = entries
        self._dossier = dossier
        self._sign_in = sign_in
        self._key = code_key
        self._clock = clock
        self._checks = checks or {}

    def sign_up(self, fields: Mapping[str, str], source: str, key: str = "") -> tuple[str, str]:
        """(subject, sign-in code, shown once) of a new account that is on no roll; agents are asked to attach it.

        It is the same whether or not somebody of these names is known: who asks learns nothing of others. `key`: 32 hex
        digits that nobody can guess; the same form again is the same account, with a new code. Raises BadInput or
        TooManyTries."""
        now = self._clock()
        window = int(now.timestamp()) // WINDOW_SECONDS
        keyed = hmac.digest(self._key, f"sign-up\n{source}".encode(), "sha256")
        if self._store.count_try(keyed, window) > SIGN_UPS:
            raise TooManyTries
        clean = {field: checked(field, value, now.date(), self._checks) for field, value in fields.items()}
        subject = hmac.digest(self._key, f"sign-up\n{key}".encode(), "sha256").hex()[:32] if key else None
        person = Person(subject or secrets.token_hex(16), **{**clean, "stratum": ""})
        with self._people.locked(person.subject) as stands:
            if stands is not None:
                return stands.subject, self._sign_in.new_code(stands.subject)
        at = written(now)
        self._store.open(person, new_entry(person.subject, "attach", "open", person.subject, at, {}), at)
        return person.subject, self._sign_in.new_code(person.subject)

    def attach(self, id: str, stratum: str, reason: str, by: str) -> Entry:
        """The request's person is on the roll from now on, and may vote in the polls that are prepared from now on.
        Raises BadInput, EntryUnknown, OwnCase or PersonAlreadyKnown."""
        now = self._clock()
        clean = checked("stratum", stratum, now.date(), {})
        words = {"reason": sentence(reason), "stratum": clean}
        with self._entries.transaction():
            entry = self._dossier.decide(id, "attach", "open", "attached", by, words)
            with self._people.locked(entry.subject) as person:
                if person is None:
                    raise EntryUnknown(field="id")
                attached = replace(person, stratum=clean)
                try:
                    self._store.attach(attached, likeness(self._key, attached), by, written(now))
                except Duplicate:
                    raise PersonAlreadyKnown(field="id") from None
        return entry

    def refuse(self, id: str, reason: str, by: str) -> Entry:
        """The person reads why. Raises BadInput, EntryUnknown or OwnCase."""
        return self._dossier.decide(id, "attach", "open", "refused", by, {"answer": sentence(reason)})

    def requests(self, page: int) -> Sequence[tuple[Entry, str]]:
        return self._dossier.waiting("attach", "open", page)
