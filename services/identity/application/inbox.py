"""All that waits for a second pair of eyes, in one list: who asked for what, and when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from services.identity.application.organisations import Organisation
from services.identity.domain import Person

KINDS: Final = ("correction", "contacts", "merge", "organisation", "attach", "erasure")
AGENTS_ALONE: Final = frozenset({"contacts"})
"""What administrators who are no agents do not decide."""
PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """`id`: what the kind's own decision takes; of a merge `subject` and `other`. `at` is empty where the moment was
    not kept. Names are those of today; empty: the person was erased."""

    kind: str
    id: str
    subject: str
    by: str
    at: str
    other: str = ""
    name: str = ""
    by_name: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """`waiting`: in the list; `own`: of these, what the one who looks asked for. `duplicates` and `appeals`: those that
    nobody decided on yet."""

    waiting: int
    own: int
    duplicates: int
    appeals: int


class Store(Protocol):
    def waiting(self, kinds: Collection[str], first: int, most: int) -> list[Waiting]:
        """From the `first` on, counted from 0; the oldest first, without names."""

    def counts(self, kinds: Collection[str], by: str) -> Counts: ...


class People(Protocol):
    def people(self, subjects: Sequence[str]) -> Mapping[str, Person]: ...


class Organisations(Protocol):
    def organisations(self, subjects: Collection[str]) -> Mapping[str, Organisation]: ...


class Inbox:
    def __init__(self, store: Store, people: People, organisations: Organisations) -> None:
        self._store = store
        self._people = people
        self._organisations = organisations

    def waiting(self, roles: Collection[str], page: int) -> tuple[list[Waiting], bool]:
        """A page of what these roles decide on, the oldest first, and whether there is another."""
        found = self._store.waiting(decided_by(roles), (page - 1) * PAGE, PAGE + 1)
        shown, more = found[:PAGE], len(found) > PAGE
        people = self._people.people(sorted({s for one in shown for s in (one.subject, one.by)}))
        names = {subject: person.display_name for subject, person in people.items()}
        asked = {one.subject for one in shown if one.kind == "organisation"}
        names |= {subject: one.name for subject, one in self._organisations.organisations(asked).items()}
        return [replace(o, name=names.get(o.subject, ""), by_name=names.get(o.by, "")) for o in shown], more

    def counts(self, roles: Collection[str], by: str) -> Counts:
        return self._store.counts(decided_by(roles), by)


def decided_by(roles: Collection[str]) -> list[str]:
    """The kinds that somebody of these roles can decide on."""
    return [kind for kind in KINDS if kind not in AGENTS_ALONE or "agent" in roles]
