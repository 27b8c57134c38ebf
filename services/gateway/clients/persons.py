"""Shapes of what identity keeps of a person, told alike to the person and to agents."""

from __future__ import annotations

import msgspec


class Person(msgspec.Struct, frozen=True):
    subject: str
    family_name: str
    given_name: str
    birth_date: str
    address: str
    office: str
    stratum: str
    email: str = ""
    phone: str = ""

    @property
    def display_name(self) -> str:
        return f"{self.given_name} {self.family_name}"


class Role(msgspec.Struct, frozen=True):
    role: str
    since: str
    until: str
    granted_by: str
    ended_by: str


class Entry(msgspec.Struct, frozen=True):
    """Something written down about a person, in `words` that are theirs to read. `subject` and `name` are told where
    several people's are listed."""

    id: str
    kind: str
    state: str
    poll: str
    at: str
    by: str
    decided_at: str
    decided_by: str
    words: dict[str, str]
    subject: str = ""
    name: str = ""


class Represented(msgspec.Struct, frozen=True):
    """An organisation that the person asked for, or speaks for between two dates."""

    subject: str
    name: str
    kind: str
    number: str
    state: str
    answer: str
    since: str
    until: str
