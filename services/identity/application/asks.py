"""What a request for a code is, how often one may be made, and what a store of them promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from services.shared.errors import BadInput, NotAllowed

MINUTES: Final = 10
LETTER_DAYS: Final = 30
TRIES: Final = 5
SHARING: Final = 4  # people who may have one address or number in common
Kind = Literal["email", "sms", "letter"]


class AskOver(NotAllowed):
    reason = "this request is over: ask for a new code"


class AddressMissing(BadInput):
    reason = "no letter reaches this person: there is no address on the roll"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for a code. `hash`: of the contact, or for a letter of names and birth date; `at`: seconds."""

    id: bytes
    kind: Kind
    hash: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` of `what` within each stretch of `seconds`."""

    what: bytes
    most: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Limits:
    tries: int  # wrong codes of a source within a minute
    per_source: int  # requests of a source within ten minutes
    in_all: int  # requests within ten minutes
    site: str  # where people reach the gateway, for letters


class Store(Protocol):
    def count(self, limits: Sequence[Limit], now: int) -> int:
        """Counts one of each, in this order, until one is used up: after how many seconds it is free again; else 0.
        Committed on return."""

    def ask(self, ask: Ask, subject: str = "") -> None:
        """`subject`: whom it is for, when that is known already."""

    def waiting(self, now: int) -> list[Ask]:
        """Not sent yet, and still good, the oldest first."""

    def addressees(self, ask: Ask) -> list[str]:
        """Whom it is for, at most SHARING; noted with it, so that only their codes open."""

    def sent(self, ask: Ask) -> None: ...

    def try_ask(
        self, id: bytes, now: int, right: Callable[[Sequence[str]], str | None]
    ) -> tuple[Kind, str | None] | None:
        """Counts a try, then asks `right` whose code it is among those that the request is for. (kind, subject): the
        request is over when there is a subject. None: there is no such request any more. Raises TooManyTries."""

    def put_once(self, code: bytes, subject: str, method: str, until: int) -> None:
        """In place of the one this person had by this method."""

    def try_once(self, code: bytes, now: int) -> tuple[str, str] | None:
        """(subject, method), and it opens nothing any more."""

    def tried(self, source: bytes, window: int, tries: int) -> None:
        """Counts a wrong try of this source. Raises TooManyTries once they are used up."""

    def untried(self, source: bytes, window: int) -> None: ...

    def forget(self, now: int) -> None: ...
