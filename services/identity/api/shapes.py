"""What identity's JSON API gives. Descriptions of the API are made from these."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from services.identity.domain import ROLES

RoleName = Literal[ROLES]  # type: ignore[valid-type]
Count = Annotated[int, msgspec.Meta(ge=0)]


class SignedIn(msgspec.Struct, frozen=True):
    """Who has this code, and the roles that they have now."""

    subject: str
    roles: list[str]
    name: str


class Known(msgspec.Struct, frozen=True):
    subject: str
    name: str


class Found(msgspec.Struct, frozen=True):
    """At most one: nobody can be listed."""

    people: list[Known]


class RoleDates(msgspec.Struct, frozen=True):
    """`ended_by` is empty unless it was ended early."""

    role: str
    since: str
    until: str
    granted_by: str
    ended_by: str


class Grant(msgspec.Struct, frozen=True):
    """A role of a person from one moment to another."""

    subject: str
    role: str
    since: str
    until: str
    granted_by: str
    ended_by: str


class NamedGrant(Grant, frozen=True):
    name: str


class Grants(msgspec.Struct, frozen=True):
    grants: list[Grant]


class RoleHolders(msgspec.Struct, frozen=True):
    grants: list[NamedGrant]


class Ended(msgspec.Struct, frozen=True):
    """False: the person did not have the role."""

    ended: bool


class Person(msgspec.Struct, frozen=True):
    subject: str
    family_name: str
    given_name: str
    birth_date: str
    address: str
    office: str
    stratum: str
    email: str
    phone: str


class Written(msgspec.Struct, frozen=True):
    """Something written down about a person: a correction, a change by a file, a request, an appeal, what was decided
    about a likely duplicate. `words` are theirs to read."""

    id: str
    kind: str
    state: str
    poll: str
    at: str
    by: str
    decided_at: str
    decided_by: str
    words: dict[str, str]


class Represented(msgspec.Struct, frozen=True):
    """An organisation that the person asked for, or speaks for when there are dates."""

    subject: str
    name: str
    kind: str
    number: str
    address: str
    state: str
    answer: str
    since: str
    until: str


class Access(msgspec.Struct, frozen=True):
    """All that is kept under one's subject. `erasure`: asked by the person, by an agent, or by nobody."""

    person: Person
    roles: list[RoleDates]
    entries: list[Written]
    organisations: list[Represented]
    erasure: Literal["", "asked", "asked_by_agent"] = ""


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An empty body."""


class Erasure(msgspec.Struct, frozen=True):
    subject: str
    asked_by: str


class Erasures(msgspec.Struct, frozen=True):
    """Those that wait for a second person."""

    erasures: list[Erasure]


class Erased(msgspec.Struct, frozen=True):
    state: Literal["asked", "erased", "withdrawn"]


class FrozenStratum(msgspec.Struct, frozen=True):
    id: str
    roll_size: Count
    roll_root: str


class Issuance(msgspec.Struct, frozen=True):
    """What the poll's manifest must carry."""

    issuer_key: str
    strata: list[FrozenStratum]


class Reissue(msgspec.Struct, frozen=True):
    state: Literal["asked", "confirmed"]


class Eligibility(msgspec.Struct, frozen=True):
    eligible: bool
    stratum: str | None


class Mark(msgspec.Struct, frozen=True):
    """The issuer's signature of one credential."""

    stratum: str
    signature: str
