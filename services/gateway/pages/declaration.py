"""The accessibility declaration: the operator's data, since only they know what was audited, and whom to write to.

By law (loi n° 2005-102, article 47; décret n° 2019-768) a site whose audit is missing or out of date is "non conforme",
whatever else it says; so is one of which less than half conforms.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final, Literal

import msgspec

from services.gateway.pages import operator_file
from services.shared.settings import SettingRefused

State = Literal["none", "partial", "total"]
SETTING: Final = "PARVIS_ACCESSIBILITY"
_LASTS_YEARS: Final = 3
_HALF, _WHOLE = 50.0, 100.0
LABELS: Final[dict[State, str]] = {
    "none": "non conforme",
    "partial": "partiellement conforme",
    "total": "totalement conforme",
}


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Audit(_Part, frozen=True, forbid_unknown_fields=True):
    """`rate`: how many of the criteria that apply are met, in percent."""

    date: date
    by: str
    rate: float
    report: str = ""


class Content(_Part, frozen=True, forbid_unknown_fields=True):
    """What cannot be reached by everyone, why, and what there is instead."""

    what: str
    why: Literal["fault", "burden", "exempt"] = "fault"
    instead: str = ""


class Contact(_Part, frozen=True, forbid_unknown_fields=True):
    mail: str = ""
    phone: str = ""
    form: str = ""
    post: str = ""


class Plan(_Part, frozen=True, forbid_unknown_fields=True):
    """The plan of several years, and this year's actions."""

    years: str
    address: str
    actions: str = ""


class Declaration(_Part, frozen=True, forbid_unknown_fields=True):
    """`state` is what the operator declares; `standing` what it may be called today."""

    organisation: str = "L’opérateur de ce site"
    state: State = "none"
    established: date | None = None
    audit: Audit | None = None
    contents: list[Content] = []
    contact: Contact = Contact()
    plan: Plan | None = None

    def standing(self, today: date) -> State:
        return self.state if self.audit is not None and not self.out_of_date(today) else "none"

    def out_of_date(self, today: date) -> bool:
        if self.audit is None:
            return False
        ends = self.audit.date.year + _LASTS_YEARS, self.audit.date.month, self.audit.date.day
        return (today.year, today.month, today.day) >= ends

    def by(self, why: str) -> list[Content]:
        return [content for content in self.contents if content.why == why]


def load(path: Path | None, today: Callable[[], date] = date.today) -> Declaration:
    """The declaration in this JSON or TOML file, or the default. Raises SettingRefused, naming the field."""
    if path is None:
        return Declaration()
    found = operator_file.load(SETTING, path, Declaration)
    _check(path, found, today())
    return found


def _check(path: Path, found: Declaration, today: date) -> None:
    if found.state != "none" and found.audit is None:
        raise _refused(path, "audit", f"`{found.state}` needs one: without a valid audit a site is `none`")
    if found.audit is not None:
        if not 0 <= found.audit.rate <= _WHOLE:
            raise _refused(path, "audit.rate", "a percentage from 0 to 100")
        if found.audit.date > today:
            raise _refused(path, "audit.date", "it lies in the future")
        least = {"none": 0.0, "partial": _HALF, "total": _WHOLE}[found.state]
        if found.audit.rate < least:
            raise _refused(path, "audit.rate", f"`{found.state}` needs at least {least:g}")
    if path.exists() and not any((found.contact.mail, found.contact.phone, found.contact.form, found.contact.post)):
        raise _refused(path, "contact", "mail, phone, form or post: people must be able to tell of a difficulty")


def _refused(path: Path, field: str, reason: str) -> SettingRefused:
    return operator_file.refused(SETTING, path, field, reason)
