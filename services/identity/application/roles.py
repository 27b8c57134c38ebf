"""Who may do what, from when to when, and who said so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from services.identity.application.people_file import NEEDED, new_person, trimmed
from services.identity.application.sign_in import SignIn, likeness
from services.identity.domain import (
    FOR_GOOD,
    ROLES,
    AdministratorThere,
    Grant,
    Person,
    PersonKnown,
    PersonUnknown,
    RoleDates,
    RoleUnknown,
    instant,
    written,
)

ADMINISTRATOR: Final = "administrator"
PAGE: Final = 50


class People(Protocol):
    def person(self, subject: str) -> Person | None: ...

    def add(self, people: Sequence[tuple[Person, bytes, bytes | None]], by: str, at: str, role: str = ...) -> None: ...

    def likely(self, likeness: bytes) -> Person | None: ...

    def grants(self, subject: str) -> list[Grant]: ...

    def roles(self, subject: str, now: str) -> tuple[str, ...]: ...

    def holders(self, role: str, now: str) -> list[Grant]: ...

    def people(self, subjects: Collection[str]) -> dict[str, Person]: ...

    def all_holders(self, roles: Sequence[str], now: str, first: int, most: int) -> list[Grant]: ...

    def grant(self, grant: Grant) -> None: ...

    def end_role(self, subject: str, role: str, by: str, now: str) -> bool:
        """Raises LastAdministrator."""


class Roles:
    def __init__(
        self,
        people: People,
        code_key: bytes,
        sign_in: SignIn,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._people = people
        self._key = code_key
        self._sign_in = sign_in
        self._clock = clock

    def grant(self, subject: str, role: str, by: str, *, since: str = "", until: str = "") -> Grant:
        """Empty dates: from now on, without an end. Raises RoleUnknown, PersonUnknown, RoleDates or BadInput."""
        if role not in ROLES:
            raise RoleUnknown(field="role")
        if self._people.person(subject) is None:
            raise PersonUnknown(field="subject")
        now = written(self._clock())
        grant = Grant(subject, role, since or now, until or FOR_GOOD, by)
        if not instant(grant.since) < instant(grant.until) or grant.until <= now:
            raise RoleDates(field="until")
        self._people.grant(grant)
        return grant

    def end(self, subject: str, role: str, by: str) -> bool:
        """False: the person did not have it. Raises RoleUnknown or LastAdministrator."""
        if role not in ROLES:
            raise RoleUnknown(field="role")
        return self._people.end_role(subject, role, by, written(self._clock()))

    def find(self, family_name: str, given_name: str, birth_date: str) -> Person | None:
        """The one person of these names and this date; case and accents do not matter."""
        return self._people.likely(likeness(self._key, Person("", family_name, given_name, birth_date)))

    def of(self, subject: str) -> list[Grant]:
        if self._people.person(subject) is None:
            raise PersonUnknown(field="subject")
        return self._people.grants(subject)

    def now(self, subject: str) -> tuple[str, ...]:
        """The roles that hold at this moment. Raises PersonUnknown."""
        if self._people.person(subject) is None:
            raise PersonUnknown(field="subject")
        return self._people.roles(subject, written(self._clock()))

    def holders(self, role: str) -> list[tuple[Grant, str]]:
        """Who has the role now or will, with each one's name."""
        if role not in ROLES:
            raise RoleUnknown(field="role")
        found = self._people.holders(role, written(self._clock()))
        people = {grant.subject: self._people.person(grant.subject) for grant in found}
        return [(grant, person.display_name) for grant in found if (person := people[grant.subject]) is not None]

    def all_holders(self, page: int) -> tuple[list[tuple[Grant, str]], bool]:
        """A page of who has a role of staff now or will, with names, and whether more follow."""
        staff = [role for role in ROLES if role != "resident"]
        found = self._people.all_holders(staff, written(self._clock()), (page - 1) * PAGE, PAGE + 1)
        people = self._people.people({grant.subject for grant in found})
        named = [(grant, people[grant.subject].display_name) for grant in found[:PAGE] if grant.subject in people]
        return named, len(found) > PAGE

    def first_administrator(self, family_name: str, given_name: str, birth_date: str) -> tuple[str, str]:
        """(subject, sign-in code, shown once). Names and date are held to the rules of the people's file. Raises
        FieldRefused, AdministratorThere, or PersonKnown with the subject of whoever has these names and this date."""
        given = map(trimmed, (family_name, given_name, birth_date))
        person = new_person(dict(zip(NEEDED, given, strict=True)), self._clock().date())
        now = written(self._clock())
        if self._people.holders(ADMINISTRATOR, now):
            raise AdministratorThere
        like = likeness(self._key, person)
        known = self._people.likely(like)
        if known is not None:
            raise PersonKnown(known.subject)
        self._people.add([(person, like, None)], "the command line", now, ADMINISTRATOR)
        return person.subject, self._sign_in.new_code(person.subject)
