"""A roll that comes as a file by HTTP: a first pass that only checks, a second that imports what was checked.

A file may hold a hundred thousand lines. It waits sealed, is read in pieces, and each piece is one transaction that
also moves the import on: a process that dies goes on where it was, and no line is taken twice.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from uuid import uuid4

from services.identity.application.people_file import FieldRefused, FileRefused, a_stratum, rows
from services.identity.domain import written
from services.shared.errors import BadInput, Conflict, NotFound

LARGEST_FILE: Final = 64 * 1024 * 1024
PART: Final = 512 * 1024
KEPT: Final = timedelta(hours=24)
"""How long a file that was checked waits for the word to import it."""
MOST_PARTS: Final = LARGEST_FILE // PART
UNDER_WAY: Final = timedelta(hours=1)
"""How long the next part of a file is waited for."""


class ImportUnknown(NotFound):
    reason = "no such import"


class ImportNotReady(Conflict):
    reason = "only a file that is checked, and not imported yet, can be imported"


class FileDiffers(Conflict):
    reason = "this is not the hash of the file that was checked"


class FaultsRemain(Conflict):
    reason = "lines are at fault: mend the file, or ask for the good lines alone"


@dataclass(frozen=True, slots=True)
class RollImport:
    """One file on its way. `state`: receiving, checking, checked, importing, then done, dropped, expired,
    refused or failed.

    `fresh`, `changed`, `known`, `faulty`: lines, by what the check found; `added`, `altered`: people, by the import.
    """

    id: str
    hash: str
    stratum: str  # of lines that name none; empty: as they are, the usual one for people who are new
    state: str
    asked_by: str
    started_by: str
    at: str
    changed_at: str
    keep_good: bool
    with_changes: bool
    total: int
    done: int
    fresh: int = 0
    changed: int = 0
    known: int = 0
    faulty: int = 0
    added: int = 0
    altered: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What is to be said of one field of a line, never what it holds. `kind`: fault, change, or note."""

    line: int
    kind: str
    field: str
    reason: str


class Store(Protocol):
    def transaction(self) -> AbstractContextManager[object]: ...

    def create(self, made: RollImport) -> None: ...

    def put_part(self, id: str, nth: int, data: bytes) -> None:
        """Again: the same part in its place."""

    def text(self, id: str) -> Iterator[bytes]: ...

    def found(self, id: str) -> RollImport | None:
        """Locked, when it is read within a transaction that writes."""

    def open_like(self, hash: str, stratum: str) -> RollImport | None: ...

    def listed(self, page: int, size: int, stratum: str = "") -> list[RollImport]:
        """The newest first; of that stratum, those of no stratum too: their lines name their own."""

    def turn(self, id: str, state: str, now: str, **told: str | int) -> None: ...

    def lines(self, id: str, kind: str, page: int, size: int) -> list[Line]: ...

    def strata(self) -> list[tuple[str, int]]: ...

    def left(self, state: str, before: str) -> list[str]:
        """In this state, and left alone since then."""

    def closed_with_parts(self) -> list[str]: ...

    def destroy_file(self, id: str) -> None: ...


class Imports:
    """What an agent asks for; `running.Pass` does the work."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._clock = clock

    def take(self, hash: str, stratum: str, by: str) -> RollImport:
        """Room for a file, whose parts follow. The same file again while it is on its way: the same import. Raises
        BadInput for the stratum."""
        _check_stratum(stratum)
        now = self._now()
        with self._store.transaction():
            there = self._store.open_like(hash, stratum)
            if there is not None:
                return there
            made = RollImport(str(uuid4()), hash, stratum, "receiving", by, "", now, now, False, False, 0, 0)
            self._store.create(made)
        return made

    def put_part(self, id: str, nth: int, data: bytes) -> RollImport:
        """The file's `nth` piece, of PART bytes, the last one of what is left. Raises ImportUnknown, ImportNotReady or
        BadInput."""
        if not 0 <= nth < MOST_PARTS:
            raise BadInput(f"a number from 0 to {MOST_PARTS - 1}", field="nth")
        if not 0 < len(data) <= PART:
            raise BadInput(f"from 1 to {PART} bytes", field="data")
        with self._store.transaction():
            if self.of(id).state != "receiving":
                raise ImportNotReady(field="import")
            self._store.put_part(id, nth, data)
            self._store.turn(id, "receiving", self._now())
        return self.of(id)

    def check(self, id: str) -> RollImport:
        """All parts are there: the worker checks the lines. Again: as it stands. Raises ImportUnknown, ImportNotReady,
        FileDiffers, or FileRefused for what can be said at once; the file is destroyed then."""
        found = self.of(id)
        if found.state in ("checking", "checked", "importing", "done"):
            return found
        if found.state != "receiving":
            raise ImportNotReady(field="import")
        hash, lines = _looked(self._store.text(id))
        if hash != found.hash:
            raise FileDiffers(field="hash")
        try:
            next(rows(text_of(self._store.text(id))), None)
        except FileRefused as e:
            self._store.turn(id, "refused", self._now(), reason=e.reason)
            self.tidy()
            raise
        self._store.turn(id, "checking", self._now(), total=lines)
        return self.of(id)

    def of(self, id: str) -> RollImport:
        """Raises ImportUnknown."""
        found = self._store.found(id)
        if found is None:
            raise ImportUnknown(field="import")
        return found

    def listed(self, page: int, size: int, stratum: str = "") -> list[RollImport]:
        """The newest first; those that may have touched one stratum, if it is named."""
        return self._store.listed(page, size, stratum)

    def lines(self, id: str, kind: str, page: int, size: int) -> list[Line]:
        """The report, by line. Raises ImportUnknown."""
        self.of(id)
        return self._store.lines(id, kind, page, size)

    def start(self, id: str, hash: str, by: str, *, keep_good: bool, with_changes: bool) -> RollImport:
        """Imports exactly what was checked. Again while it runs or once it is done: as it stands. Raises ImportUnknown,
        FileDiffers, ImportNotReady or FaultsRemain."""
        with self._store.transaction():
            found = self.of(id)
            if found.hash != hash:
                raise FileDiffers(field="hash")
            if found.state in ("importing", "done"):
                return found
            if found.state != "checked":
                raise ImportNotReady(field="import")
            if found.faulty and not keep_good:
                raise FaultsRemain(field="keep_good")
            told: dict[str, str | int] = {"keep_good": int(keep_good), "with_changes": int(with_changes)}
            self._store.turn(id, "importing", self._now(), started_by=by, done=0, **told)
        return self.of(id)

    def drop(self, id: str) -> RollImport:
        """Of a file that is not being imported: it is destroyed at once. Raises ImportUnknown or ImportNotReady."""
        with self._store.transaction():
            if self.of(id).state not in ("receiving", "checking", "checked"):
                raise ImportNotReady(field="import")
            self._store.turn(id, "dropped", self._now())
        self.tidy()
        return self.of(id)

    def strata(self) -> list[tuple[str, int]]:
        """(stratum, people on it now), by name."""
        return self._store.strata()

    def tidy(self) -> None:
        """Files that nobody asks for any more are destroyed, those of a process that died before it did so too."""
        now = self._clock()
        for state, kept in (("checked", KEPT), ("receiving", UNDER_WAY)):
            for id in self._store.left(state, written(now - kept)):
                self._store.turn(id, "expired", written(now))
        for id in self._store.closed_with_parts():
            self._store.destroy_file(id)

    def _now(self) -> str:
        return written(self._clock())


def _check_stratum(stratum: str) -> None:
    try:
        a_stratum("stratum", stratum or "x")
    except FieldRefused as e:
        raise BadInput(e.reason, field="stratum") from None


def _looked(parts: Iterator[bytes]) -> tuple[str, int]:
    """(SHA-256, lines) of a file."""
    digest, lines, last = hashlib.sha256(), 0, b"\n"
    for part in parts:
        digest.update(part)
        lines, last = lines + part.count(b"\n"), part[-1:]
    return digest.hexdigest(), lines + (last != b"\n")


def text_of(parts: Iterator[bytes] | Sequence[bytes]) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedReader(_Parts(iter(parts))), encoding="utf-8-sig", newline="")


class _Parts(io.RawIOBase):
    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._left:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._left = memoryview(part)
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size
