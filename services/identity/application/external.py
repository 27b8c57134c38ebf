"""Signing in by a provider that vouches for people: an account there is linked once to one person of the roll."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from services.identity.application.sign_in import SignedIn, likeness
from services.identity.domain import Person, written
from services.shared.errors import Conflict, NotAllowed

_WHOLE_DATE: Final = re.compile(r"\d{4}-(?!00)\d{2}-(?!00)\d{2}")


class NotOnAnyRoll(NotAllowed):
    reason = "nobody known here has these very names and this birth date"


class AnotherAccountLinked(Conflict):
    reason = "the person of these names has another account of this provider: two people may share a name"


class NamesDiffer(Conflict):
    reason = "the account bears other names than the person who is signed in"


class AccountTaken(Conflict):
    reason = "the account is linked to another person"


class Accounts(Protocol):
    def find(self, account: bytes) -> str | None:
        """The subject that this account is linked to."""

    def link(self, account: bytes, of_person: bytes, subject: str) -> bool:
        """Whether the account is linked to this subject now. False, and nothing was changed: another account of that
        provider is, or nobody is known under this subject any more."""


class People(Protocol):
    def person(self, subject: str) -> Person | None: ...

    def likely(self, likeness: bytes) -> Person | None: ...

    def roles(self, subject: str, now: str) -> tuple[str, ...]: ...


class ExternalSignIn:
    """Knows accounts by keyed hashes alone: issuer, `sub` and names given by a provider are kept nowhere."""

    def __init__(
        self,
        accounts: Accounts,
        people: People,
        key: bytes,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._accounts = accounts
        self._people = people
        self._key = key
        self._clock = clock

    def sign_in(self, issuer: str, sub: str, given_name: str, family_name: str, birth_date: str) -> SignedIn:
        """The person of this account; at its first sign-in, the only one with these names and birth date. Raises
        NotOnAnyRoll, or AnotherAccountLinked: whether two probable duplicates are one is for a person to decide."""
        account = self._keyed("account", issuer, sub)
        subject = self._accounts.find(account)
        if subject is None:
            subject = self._matched(given_name, family_name, birth_date)
            self._link(account, issuer, subject)
        person = self._people.person(subject)
        if person is None:
            raise NotOnAnyRoll
        roles = self._people.roles(subject, written(self._clock()))
        return SignedIn(subject, roles, person.display_name, method="provider")

    def link(
        self, subject: str, issuer: str, sub: str, given_name: str, family_name: str, birth_date: str = ""
    ) -> None:
        """Links an account to this person, who signed in otherwise: the first link for a provider that tells no birth
        date. The names must be theirs, so that nobody links the account of whoever sat there before. A repeat changes
        nothing. Raises NamesDiffer, AccountTaken, AnotherAccountLinked or NotOnAnyRoll."""
        person = self._people.person(subject)
        if person is None:
            raise NotOnAnyRoll
        told = Person("", family_name, given_name, birth_date or person.birth_date)
        if likeness(self._key, told) != likeness(self._key, person):
            raise NamesDiffer
        account = self._keyed("account", issuer, sub)
        if self._accounts.find(account) not in (None, subject):
            raise AccountTaken
        self._link(account, issuer, subject)

    def _matched(self, given_name: str, family_name: str, birth_date: str) -> str:
        if not given_name or not family_name or not _WHOLE_DATE.fullmatch(birth_date):
            raise NotOnAnyRoll
        found = self._people.likely(likeness(self._key, Person("", family_name, given_name, birth_date)))
        if found is None:
            raise NotOnAnyRoll
        return found.subject

    def _link(self, account: bytes, issuer: str, subject: str) -> None:
        if not self._accounts.link(account, self._keyed("account of", issuer, subject), subject):
            raise AnotherAccountLinked if self._people.person(subject) else NotOnAnyRoll

    def _keyed(self, use: str, issuer: str, value: str) -> bytes:
        return hmac.digest(self._key, f"{use}\n{len(issuer)}\n{issuer}\n{value}".encode(), "sha256")
