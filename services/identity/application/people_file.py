"""Importing people from the authority's CSV file: every fault is told by line, field and reason; all or nothing."""

from __future__ import annotations

import csv
import io
import itertools
import re
import secrets
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Protocol, TextIO

from services.identity.application.contacts import ContactRefused, email_of, phone_of
from services.identity.application.sign_in import code_hash, likeness, normal_code
from services.identity.domain import DEFAULT_STRATUM, Person
from services.shared.errors import BadInput

NEEDED: Final = ("nom", "prénom", "date de naissance")
KNOWN: Final = (*NEEDED, "adresse", "bureau", "strate", "code de connexion", "courriel", "téléphone")
LONGEST: Final = 200
EMPTY: Final = "it is empty"
TOO_LONG: Final = f"longer than {LONGEST} characters"
CONTROL: Final = "a control character"
NO_DATE: Final = "not a date like 24/05/1987"
FAR_DATE: Final = "before 1900 or in the future"
_STRATUM: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_DATES: Final = ("%d/%m/%Y", "%Y-%m-%d")
_OLDEST: Final = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, where; never what the field holds: a report may be sent on."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    subjects: tuple[str, ...]  # those imported, in the order of their lines
    faults: tuple[Fault, ...]


class FileRefused(BadInput):
    """The file as a whole cannot be read."""


class Store(Protocol):
    def known(self, likenesses: Collection[bytes], codes: Collection[bytes]) -> tuple[set[bytes], set[bytes]]: ...

    def add(self, people: Sequence[tuple[Person, bytes, bytes | None]], by: str, at: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A line without fault."""

    line: int
    person: Person
    likeness: bytes
    code: bytes | None


class FieldRefused(BadInput):
    """A person's field does not hold; `field` is its name in the file, in French."""

    field: str

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason, field=field)


def new_person(row: Mapping[str, str], today: date) -> Person:
    """Someone new of these trimmed fields, which go by their names in the file. Raises FieldRefused."""
    for field, value in row.items():
        plain_text(field, value)
    for field in NEEDED:
        if not row[field]:
            raise FieldRefused(field, EMPTY)
    return Person(
        subject=secrets.token_hex(16),
        family_name=row["nom"],
        given_name=row["prénom"],
        birth_date=birth_date("date de naissance", row["date de naissance"], today),
        address=row.get("adresse", ""),
        office=row.get("bureau", ""),
        stratum="",
        email=_contact("courriel", email_of, row),
        phone=_contact("téléphone", phone_of, row),
    )


class Import:
    def __init__(self, store: Store, code_key: bytes, today: Callable[[], date] = date.today) -> None:
        self._store = store
        self._key = code_key
        self._today = today

    def run(self, data: bytes, *, stratum: str = DEFAULT_STRATUM, keep_good: bool = False, by: str) -> Report:
        """Imports every line, or none when one is at fault; with `keep_good`, those without fault. Raises
        FileRefused."""
        entries, faults = self._read(data, stratum)
        entries, twice = self._apart(entries)
        faults = sorted([*faults, *twice], key=lambda f: f.line)
        if faults and not keep_good:
            return Report((), tuple(faults))
        at = f"{self._today().isoformat()}T00:00:00Z"
        self._store.add([(e.person, e.likeness, e.code) for e in entries], by, at)
        return Report(tuple(e.person.subject for e in entries), tuple(faults))

    def _read(self, data: bytes, stratum: str) -> tuple[list[Entry], list[Fault]]:
        entries: list[Entry] = []
        faults: list[Fault] = []
        for line, row in _rows(data):
            try:
                entries.append(self.entry(line, row, stratum))
            except FieldRefused as wrong:
                faults.append(Fault(line, wrong.field, wrong.reason))
        return entries, faults

    def entry(self, line: int, row: Mapping[str, str] | None, stratum: str) -> Entry:
        """One row of `rows`; lines that name no stratum get `stratum`. Raises FieldRefused."""
        if row is None:
            raise FieldRefused("line", "it has more or fewer fields than the first line")
        person = replace(new_person(row, self._today()), stratum=row.get("strate", "") or stratum)
        a_stratum("strate", person.stratum)
        return Entry(line, person, likeness(self._key, person), self._code(row.get("code de connexion", "")))

    def _code(self, text: str) -> bytes | None:
        if not text:
            return None
        clean = normal_code(text)
        if clean is None:
            raise FieldRefused("code de connexion", "8 to 40 letters and digits")
        return code_hash(self._key, clean)

    def _apart(self, entries: Sequence[Entry]) -> tuple[list[Entry], list[Fault]]:
        """Those who are new, and a fault for each who is known already or stands twice in the file."""
        people, codes = self._store.known({e.likeness for e in entries}, {e.code for e in entries if e.code})
        good: list[Entry] = []
        faults: list[Fault] = []
        for entry in entries:
            if entry.likeness in people:
                faults.append(Fault(entry.line, "nom", "someone of these names and birth date is known already"))
            elif entry.code is not None and entry.code in codes:
                faults.append(Fault(entry.line, "code de connexion", "someone else has this code"))
            else:
                good.append(entry)
                people.add(entry.likeness)
                codes |= {entry.code} if entry.code else set()
        return good, faults


def trimmed(value: str) -> str:
    return unicodedata.normalize("NFC", value.strip())


def _contact(field: str, read: Callable[[str], str], row: Mapping[str, str]) -> str:
    try:
        return read(row.get(field, ""))
    except ContactRefused as e:
        raise FieldRefused(field, e.reason) from None


def plain_text(field: str, value: str) -> None:
    """Raises FieldRefused for what no field may hold."""
    if len(value) > LONGEST:
        raise FieldRefused(field, TOO_LONG)
    if any(unicodedata.category(c).startswith("C") for c in value):
        raise FieldRefused(field, CONTROL)


def a_stratum(field: str, text: str) -> None:
    if not _STRATUM.fullmatch(text):
        raise FieldRefused(field, "small letters, digits and dashes, at most 40")


def birth_date(field: str, text: str, today: date) -> str:
    """As 1987-05-24. Raises FieldRefused."""
    for form in _DATES:
        try:
            found = datetime.strptime(text, form).date()
        except ValueError:
            continue
        if not _OLDEST <= found <= today:
            raise FieldRefused(field, FAR_DATE)
        return found.isoformat()
    raise FieldRefused(field, NO_DATE)


def _rows(data: bytes) -> Iterator[tuple[int, dict[str, str] | None]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise not_utf_8(data.count(b"\n", 0, e.start) + 1) from None
    return rows(io.StringIO(text, newline=""))


def not_utf_8(line: int) -> FileRefused:
    return FileRefused(f"line {line} is not UTF-8: save the file as CSV UTF-8", field="file")


def rows(file: TextIO) -> Iterator[tuple[int, dict[str, str] | None]]:
    """(line number, field → trimmed value); None for a line whose number of fields is wrong. Raises FileRefused."""
    reader = None
    try:
        head = file.readline()
        reader = csv.reader(itertools.chain([head], file), delimiter=";" if head.count(";") else ",", strict=True)
        names = _header(next(reader, []))
        for row in reader:
            if any(value.strip() for value in row):
                values = [trimmed(value) for value in row]
                yield reader.line_num, dict(zip(names, values, strict=True)) if len(row) == len(names) else None
    except UnicodeDecodeError:
        raise not_utf_8(reader.line_num + 1 if reader else 1) from None
    except csv.Error as e:
        raise FileRefused(f"line {reader.line_num if reader else 1}: {e}", field="file") from None


def _header(row: Sequence[str]) -> list[str]:
    names = [_plain(name) for name in row]
    known = {_plain(name): name for name in KNOWN}
    strange = [row[i].strip() for i, name in enumerate(names) if name not in known]
    if strange:
        raise FileRefused(f"line 1: unknown column {strange[0][:40]!r}; known: {', '.join(KNOWN)}", field="file")
    missing = [name for name in NEEDED if _plain(name) not in names]
    if missing:
        raise FileRefused(f"line 1: no column {missing[0]!r}", field="file")
    if len(set(names)) != len(names):
        raise FileRefused("line 1: a column stands twice", field="file")
    return [known[name] for name in names]


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
