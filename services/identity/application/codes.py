"""Codes that are asked for and used once: by e-mail or SMS, by letter, at the desk.

Who is not known gets the same answer, at the same speed, as who is: the request writes one row, and the worker looks
whose it is. A code is a keyed hash of its request and its person, so a repeat after a crash sends the same one, and no
store holds it.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from services.identity.application.asks import (
    LETTER_DAYS,
    MINUTES,
    SHARING,
    AddressMissing,
    Ask,
    AskOver,
    Kind,
    Limit,
    Limits,
    Store,
)
from services.identity.application.contacts import contact_hash, contact_of
from services.identity.application.sign_in import (
    ALPHABET,
    WINDOW_SECONDS,
    SignedIn,
    at_the_desk,
    code_hash,
    likeness,
    normal_code,
)
from services.identity.domain import CodeUnknown, Person, PersonUnknown, written
from services.shared.errors import TooOften
from services.shared.outbox import Message, NotSent

_DIGITS: Final = 8
_TEN_MINUTES: Final = 600
_DAY: Final = 86_400
_log = logging.getLogger("parvis")


class People(Protocol):
    def person(self, subject: str) -> Person | None: ...

    def roles(self, subject: str, now: str) -> tuple[str, ...]: ...


class Outbox(Protocol):
    def send(self, message: Message) -> None:
        """Raises NotSent."""


class Codes:
    def __init__(
        self,
        store: Store,
        people: People,
        key: bytes,
        limits: Limits,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._people = people
        self._key = key
        self._limits = limits
        self._clock = clock

    # --- asking ---

    def ask(self, contact: str, source: str) -> str:
        """A code for whoever has this address or number, if anyone; the request's own name, by which the code is used.
        Raises ContactRefused or TooOften."""
        found = contact_of(contact)
        hashed = contact_hash(self._key, found)
        pair = self._keyed("pair", hashed.hex(), source)
        own = [Limit(pair, 3, _TEN_MINUTES), Limit(hashed, 9, _TEN_MINUTES), Limit(hashed, 30, _DAY)]
        self._count(own, source)
        return self._ask(found.way, hashed)

    def ask_letter(self, family_name: str, given_name: str, birth_date: str, source: str) -> None:
        """A letter to whoever has these names and birth date, if anyone. Raises TooOften."""
        hashed = likeness(self._key, Person("", family_name, given_name, birth_date))
        self._count(self._letters(hashed), source)
        self._ask("letter", hashed)

    def order_letter(self, subject: str) -> None:
        """A letter to this person. Raises PersonUnknown, AddressMissing or TooOften."""
        person = self._people.person(subject)
        if person is None:
            raise PersonUnknown(field="subject")
        if not person.address:
            raise AddressMissing(field="subject")
        hashed = likeness(self._key, person)
        self._count(self._letters(hashed), None)
        self._ask("letter", hashed, subject)

    def _ask(self, kind: Kind, hashed: bytes, subject: str = "") -> str:
        request = secrets.token_hex(16)
        self._store.ask(Ask(self._id(request), kind, hashed, self._now()), subject)
        return request

    def _letters(self, hashed: bytes) -> list[Limit]:
        return [Limit(hashed, 1, _DAY), Limit(hashed, 3, LETTER_DAYS * _DAY)]

    def _count(self, own: Sequence[Limit], source: str | None) -> None:
        """The source first, so that one alone cannot use up what all have."""
        limits = [*own, Limit(self._keyed("all"), self._limits.in_all, _TEN_MINUTES)]
        if source is not None:
            limits.insert(0, Limit(self._keyed("source", source), self._limits.per_source, _TEN_MINUTES))
        if seconds := self._store.count(limits, self._now()):
            raise TooOften("too many codes were asked for", seconds=seconds)

    # --- sending: the worker's part ---

    def send(self, outbox: Outbox) -> int:
        """Hands to the outbox what waits; how many messages. A repeat after a death sends each with the same key."""
        count = 0
        for ask in self._store.waiting(self._now()):
            try:
                for subject in self._store.addressees(ask):
                    person = self._people.person(subject)
                    if person is not None and (message := self._message(ask, person)) is not None:
                        outbox.send(message)
                        count += 1
            except NotSent as e:
                _log.warning("a code could not be sent", extra={"code": "NotSent", "reason": str(e)})
                if not e.refused:
                    break  # the next turn tries again
            self._store.sent(ask)
        return count

    def _message(self, ask: Ask, person: Person) -> Message | None:
        """None: since the request, this person can no longer be reached so."""
        key = self._keyed("message", ask.id.hex(), person.subject).hex()
        if ask.kind == "letter":
            return self._letter(ask, person, key)
        address = person.email if ask.kind == "email" else person.phone
        code = self._code(ask.id, person.subject)
        values = {"name": person.given_name, "minutes": str(MINUTES), "code": f"{code[:4]} {code[4:]}"}
        if ask.kind == "sms":
            values["code"] = code  # telephones offer to fill in a number without spaces
        return Message(key, ask.kind, person.subject, address, "sign_in_code", values) if address else None

    def _letter(self, ask: Ask, person: Person, key: str) -> Message | None:
        if not person.address:
            return None
        seed = self._keyed("letter", ask.id.hex(), person.subject)
        code = "".join(ALPHABET[byte % len(ALPHABET)] for byte in seed[:12])
        self._store.put_once(code_hash(self._key, code), person.subject, "letter", ask.at + LETTER_DAYS * _DAY)
        shown = "-".join(code[first : first + 4] for first in range(0, 12, 4))
        values = {"name": person.display_name, "code": shown, "days": str(LETTER_DAYS), "site": self._limits.site}
        street, comma, town = person.address.rpartition(", ")
        lines = [person.display_name, street, town] if comma else [person.display_name, person.address]
        return Message(key, "letter", person.subject, "\n".join(lines), "letter_code", values)

    # --- using ---

    def sign_in(self, request: str, code: str, source: str) -> SignedIn:
        """Whose code this is, of those that the request was sent to. Raises CodeUnknown, AskOver or TooManyTries."""
        id, by = self._id(request), self._keyed("source", source)
        typed = "".join(c for c in unicodedata.normalize("NFKC", code) if c.isdigit())

        def right(subjects: Sequence[str]) -> str | None:
            """As many comparisons for nobody as for several."""
            padded = [*subjects, *[""] * (SHARING - len(subjects))]
            same = [hmac.compare_digest(self._code(id, one).encode(), typed.encode()) for one in padded]
            return next((one for one, equal in zip(subjects, same, strict=False) if equal), None)

        self._store.tried(by, self._window(), self._limits.tries)
        found = self._store.try_ask(id, self._now(), right)
        if found is None:
            raise AskOver(field="request")
        kind, subject = found
        if subject is None:
            raise CodeUnknown(field="code")
        self._store.untried(by, self._window())
        return self._signed_in(subject, kind)

    def sign_in_once(self, code: str, source: str) -> SignedIn:
        """Whose code from a letter or from the desk this is. Raises CodeUnknown or TooManyTries."""
        by = self._keyed("source", source)
        self._store.tried(by, self._window(), self._limits.tries)
        found = self._store.try_once(code_hash(self._key, normal_code(code) or ""), self._now())
        if found is None:
            raise CodeUnknown(field="code")
        self._store.untried(by, self._window())
        return self._signed_in(*found)

    def _signed_in(self, subject: str, method: str) -> SignedIn:
        person = self._people.person(subject)
        if person is None:
            raise CodeUnknown(field="code")
        roles = self._people.roles(subject, written(self._clock()))
        if method == "desk":
            return at_the_desk(subject, roles, person.display_name)
        return SignedIn(subject, roles, person.display_name, method)

    def forget_old(self) -> None:
        self._store.forget(self._now())

    def _code(self, id: bytes, subject: str) -> str:
        number = int.from_bytes(self._keyed("asked code", id.hex(), subject)[:16]) % 10**_DIGITS
        return f"{number:0{_DIGITS}}"

    def _id(self, request: str) -> bytes:
        return self._keyed("request", request)

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _window(self) -> int:
        return self._now() // WINDOW_SECONDS

    def _keyed(self, use: str, *values: str) -> bytes:
        return hmac.digest(self._key, "\n".join((use, *values)).encode(), "sha256")
