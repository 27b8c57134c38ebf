"""Accounts of organisations: a name, a number that is checked, an address, and the people who speak for them."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from stdnum.fr import siren, siret

from services.identity.application.dossier import PAGE, OwnCase, sentence
from services.identity.application.people_file import FieldRefused, plain_text
from services.identity.domain import FOR_GOOD, Person, PersonUnknown, RoleDates, instant, written
from services.shared.errors import BadInput, Conflict, NotFound
from services.shared.store_failures import Duplicate

ASKED_AT_ONCE: Final = 3
_RNA: Final = re.compile(r"W[0-9]{9}")
KINDS: Final = ("rna", "siren", "siret")


class OrganisationUnknown(NotFound):
    reason = "no such organisation"


class OrganisationKnown(Conflict):
    reason = "an organisation of this number is known: ask one of its delegates or an agent"


class OrganisationDecided(Conflict):
    reason = "this is decided already"


class TooManyRequests(Conflict):
    reason = f"{ASKED_AT_ONCE} organisations wait for an answer already"


class DelegateUnknown(NotFound):
    reason = "this person does not speak for the organisation"


class DelegateKnown(Conflict):
    reason = "this person speaks for the organisation already"


@dataclass(frozen=True, slots=True)
class Organisation:
    """`state`: asked, active or refused. `number` as its register writes it; `answer`: why it was refused."""

    subject: str
    state: str
    asked_by: str
    at: str
    decided_by: str
    name: str
    kind: str  # of its number
    number: str
    address: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Delegation:
    """That somebody speaks for an organisation, from one moment to another."""

    organisation: str
    subject: str
    since: str
    until: str
    granted_by: str
    ended_by: str = ""


class Store(Protocol):
    def transaction(self) -> AbstractContextManager[object]: ...

    def add(self, made: Organisation, number: bytes) -> None:
        """Raises Duplicate for a number that another has."""

    def organisation(self, subject: str) -> Organisation | None:
        """Locked, when it is read within a transaction that writes."""

    def organisations(self, subjects: Collection[str]) -> dict[str, Organisation]: ...

    def put(self, changed: Organisation) -> None:
        """State and words; one that is refused gives its number free."""

    def listed(self, state: str, page: int, size: int) -> list[Organisation]: ...

    def asked(self, by: str) -> list[Organisation]: ...

    def delegate(self, delegation: Delegation) -> None: ...

    def end(self, organisation: str, subject: str, by: str, now: str) -> bool: ...

    def delegates(self, organisation: str) -> list[Delegation]: ...

    def delegations(self, subject: str) -> list[Delegation]: ...


class People(Protocol):
    def person(self, subject: str) -> Person | None: ...

    def people(self, subjects: Sequence[str]) -> Mapping[str, Person]: ...


class Organisations:
    def __init__(
        self, store: Store, people: People, code_key: bytes, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._people = people
        self._key = code_key
        self._clock = clock

    def register(self, name: str, kind: str, number: str, address: str, by: str, key: str = "") -> Organisation:
        """Asked for by a person, who will speak for it once an agent has confirmed. `key`: 32 hex digits, by which a
        repeat is known. Raises BadInput, PersonUnknown, OrganisationKnown or TooManyRequests."""
        clean = number_of(kind, number)
        for field, value in (("name", name), ("address", address)):
            _plain(field, value)
        if self._people.person(by) is None:
            raise PersonUnknown(field="subject")
        now = written(self._clock())
        words = (sentence(name, "name", 200), kind, clean, address.strip())
        stands = self._store.organisation(key) if key else None
        if stands is not None and stands.asked_by == by:
            return stands
        made = Organisation(key if key and stands is None else secrets.token_hex(16), "asked", by, now, "", *words)
        keyed = hmac.digest(self._key, f"organisation\n{kind}\n{clean}".encode(), "sha256")
        try:
            with self._store.transaction():
                if sum(one.state == "asked" for one in self._store.asked(by)) >= ASKED_AT_ONCE:
                    raise TooManyRequests(field="name")
                self._store.add(made, keyed)
        except Duplicate:
            raise OrganisationKnown(field="number") from None
        return made

    def decide(self, subject: str, confirm: bool, reason: str, by: str, until: str = "") -> Organisation:
        """By an agent who looked into the register. Confirmed: who asked speaks for it, until that date if one is
        given. Raises BadInput, OrganisationUnknown, OrganisationDecided, OwnCase or RoleDates."""
        why = sentence(reason)
        with self._store.transaction():
            found = self.of(subject)
            if found.state != "asked":
                raise OrganisationDecided(field="organisation")
            if found.asked_by == by:
                raise OwnCase(field="organisation")
            state, answer = ("active", "") if confirm else ("refused", why)
            decided = replace(found, state=state, decided_by=by, answer=answer)
            self._store.put(decided)
            if confirm:
                self.delegate(subject, found.asked_by, by, until=until)
        return decided

    def of(self, subject: str) -> Organisation:
        """Raises OrganisationUnknown."""
        found = self._store.organisation(subject)
        if found is None:
            raise OrganisationUnknown(field="organisation")
        return found

    def listed(self, state: str, page: int) -> list[Organisation]:
        """The oldest first."""
        return self._store.listed(state, page, PAGE)

    def delegate(self, organisation: str, subject: str, by: str, *, since: str = "", until: str = "") -> Delegation:
        """Empty dates: from now on, without an end. Raises OrganisationUnknown, PersonUnknown, RoleDates or
        BadInput."""
        if self.of(organisation).state != "active":
            raise OrganisationUnknown(field="organisation")
        if self._people.person(subject) is None:
            raise PersonUnknown(field="subject")
        now = written(self._clock())
        made = Delegation(organisation, subject, since or now, until or FOR_GOOD, by)
        if not instant(made.since) < instant(made.until) or made.until <= now:
            raise RoleDates(field="until")
        self._store.delegate(made)
        return made

    def delegate_own(self, organisation: str, subject: str, by: str, *, until: str = "") -> Delegation:
        """By somebody who speaks for it, from now on and for no longer than they do. Raises DelegateUnknown,
        DelegateKnown, PersonUnknown, RoleDates or BadInput."""
        held = self._held(by).get(organisation)
        if held is None:
            raise DelegateUnknown(field="organisation")
        if until and until > held.until:
            raise RoleDates(field="until")
        if any(one.subject == subject for one in self._now(self._store.delegates(organisation))):
            raise DelegateKnown(field="subject")
        return self.delegate(organisation, subject, by, until=until or held.until)

    def end_own(self, organisation: str, subject: str, by: str) -> None:
        """By somebody who speaks for it: oneself, or another. Raises DelegateUnknown."""
        if organisation not in self._held(by):
            raise DelegateUnknown(field="organisation")
        self.end(organisation, subject, by)

    def colleagues(self, by: str) -> list[tuple[Delegation, str]]:
        """Who speaks now for the organisations that `by` speaks for, each with their name."""
        found = [one for own in self._held(by) for one in self._now(self._store.delegates(own))]
        people = self._people.people([one.subject for one in found])
        return [(one, people[one.subject].display_name) for one in found if one.subject in people]

    def _held(self, by: str) -> dict[str, Delegation]:
        """Organisation → the longest delegation of this person that holds now."""
        held = sorted(self._now(self._store.delegations(by)), key=lambda one: one.until)
        return {one.organisation: one for one in held}

    def _now(self, delegations: Sequence[Delegation]) -> list[Delegation]:
        now = written(self._clock())
        return [one for one in delegations if one.since <= now < one.until]

    def end(self, organisation: str, subject: str, by: str) -> None:
        """Raises DelegateUnknown."""
        if not self._store.end(organisation, subject, by, written(self._clock())):
            raise DelegateUnknown(field="subject")

    def delegates(self, organisation: str) -> list[tuple[Delegation, str]]:
        """Each with their name, those whose time is over too. Raises OrganisationUnknown."""
        self.of(organisation)
        found = self._store.delegates(organisation)
        people = self._people.people([one.subject for one in found])
        return [(one, people[one.subject].display_name) for one in found if one.subject in people]

    def own(self, subject: str) -> list[tuple[Organisation, Delegation | None]]:
        """Those that a person speaks or spoke for, and those that they asked for."""
        delegations = self._store.delegations(subject)
        known = self._store.organisations({one.organisation for one in delegations})
        held = [(known[one.organisation], one) for one in delegations if one.organisation in known]
        return [*held, *((one, None) for one in self._store.asked(subject) if one.subject not in known)]


def number_of(kind: str, number: str) -> str:
    """The number without spaces, when it is one. Raises BadInput."""
    clean = "".join(number.split()).upper()
    if kind == "rna" and _RNA.fullmatch(clean):
        return clean
    if kind == "siren" and siren.is_valid(clean) and clean.isascii():
        return str(siren.compact(clean))
    if kind == "siret" and siret.is_valid(clean) and clean.isascii():
        return str(siret.compact(clean))
    if kind not in KINDS:
        raise BadInput(f"one of {', '.join(KINDS)}", field="kind")
    reasons = {"rna": "W and 9 digits", "siren": "9 digits that fit", "siret": "14 digits that fit"}
    raise BadInput(reasons[kind], field="number")


def _plain(field: str, value: str) -> None:
    try:
        plain_text(field, value.strip())
    except FieldRefused as e:
        raise BadInput(e.reason, field=field) from None
