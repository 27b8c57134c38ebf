"""The work on a roll file, piece by piece: what the worker does between two other things."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Final, Protocol

from services.identity.application.dossier import Entry as Noted
from services.identity.application.dossier import new_entry
from services.identity.application.imports import Line, RollImport, text_of
from services.identity.application.people_file import Entry, FieldRefused, FileRefused, Import, rows
from services.identity.domain import DEFAULT_STRATUM, Person, written
from services.shared.store_failures import Duplicate, LockHeld, Overtaken, StoreFailed

BATCH: Final = 500
SOME_SECONDS: Final = 0.4
_FIXED: Final = frozenset({"subject", "family_name", "given_name", "birth_date", "stratum"})
"""What a line cannot change of somebody it finds: it is found by them. The stratum has a rule of its own."""
COLUMNS: Final = {"address": "adresse", "office": "bureau", "stratum": "strate"}
_log = logging.getLogger("parvis")
Row = Mapping[str, str] | None


class Store(Protocol):
    def next_open(self) -> RollImport | None:
        """The oldest that waits for work."""

    def working(self) -> AbstractContextManager[object]:
        """Held by one process at a time. Raises LockHeld."""

    def text(self, id: str) -> Iterator[bytes]: ...

    def at(self, id: str, state: str, done: int) -> bool:
        """Whether it stands exactly there; locked until the transaction ends."""

    def transaction(self) -> AbstractContextManager[object]: ...

    def forget_check(self, id: str) -> None: ...

    def note(self, id: str, lines: Sequence[Line]) -> None: ...

    def noted(self, id: str, kind: str, first: int, last: int) -> set[int]: ...

    def move_on(self, id: str, done: int, now: str, **more: int) -> None: ...

    def turn(self, id: str, state: str, now: str, **told: str | int) -> None: ...

    def known(self, likenesses: Collection[bytes]) -> Mapping[bytes, Person]: ...

    def code_owners(self, codes: Collection[bytes]) -> Mapping[bytes, str]: ...

    def add(self, people: Sequence[tuple[Person, bytes, bytes | None]], by: str, at: str) -> None: ...

    def change(self, people: Sequence[tuple[Person, bytes]], noted: Sequence[Noted]) -> None: ...


class _Moved(Exception):
    """Somebody else worked on this import, dropped it, or added one of its people meanwhile."""


@dataclass
class _Run:
    """An import under way in this process; the store alone says where it stands."""

    row: RollImport
    lines: Iterator[tuple[int, Row]]
    done: int
    people: set[bytes] = field(default_factory=set)
    codes: set[bytes] = field(default_factory=set)


class ImportPass:
    def __init__(
        self,
        store: Store,
        reading: Import,
        key: bytes,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._reading = reading
        self._key = key
        self._clock = clock
        self._run: _Run | None = None
        self._lock: AbstractContextManager[object] | None = None

    def work(self, seconds: float = SOME_SECONDS) -> int:
        """Works for about that long; how many lines it went over. What a store raises leaves it as it stands there."""
        until, lines = time.monotonic() + seconds, 0
        while self._run is not None or self._begin():
            try:
                lines += self._piece()
            except (_Moved, Duplicate, Overtaken):  # somebody was first: from the store, at the next turn
                self._let_go()
                break
            except StoreFailed:
                self._let_go()
                raise
            except FileRefused as e:
                self._end("refused", e.reason)
            except Exception as e:  # noqa: BLE001 one file must not stop the worker for good, nor all others
                self._end("failed", type(e).__name__)
            if time.monotonic() >= until:
                break
        return lines

    def _begin(self) -> bool:
        row = self._store.next_open()
        if row is None:
            return False
        lock = self._store.working()
        try:
            lock.__enter__()
        except LockHeld:
            return False
        self._lock = lock
        if row.state == "checking" and row.done:
            self._store.forget_check(row.id)  # it changed nothing yet: from the first line on
            row = replace(row, done=0)
        lines = rows(text_of(self._store.text(row.id)))
        self._run = _Run(row, (one for one in lines if one[0] > row.done), row.done)
        return True

    def _piece(self) -> int:
        assert self._run is not None  # noqa: S101 for mypy: `work` looked
        run = self._run
        some = list(islice(run.lines, BATCH))
        if not some:
            self._end("checked" if run.row.state == "checking" else "done", "")
            return 0
        last = some[-1][0]
        with self._store.transaction():
            if not self._store.at(run.row.id, run.row.state, run.done):
                raise _Moved
            counts = self._check(run, some) if run.row.state == "checking" else self._import(run, some)
            self._store.move_on(run.row.id, last, written(self._clock()), **counts)
        run.done = last
        return len(some)

    # --- the first pass ---

    def _check(self, run: _Run, some: Sequence[tuple[int, Row]]) -> dict[str, int]:
        """Nothing is changed but the report."""
        said: list[Line] = []
        entries: list[tuple[Entry, Row]] = []
        for line, row in some:
            try:
                entries.append((self._apart(run, self._entry(run, line, row)), row))
            except FieldRefused as e:
                said.append(Line(line, "fault", e.field, e.reason))
        known = self._store.known([entry.likeness for entry, _ in entries])
        owners = self._store.code_owners([entry.code for entry, _ in entries if entry.code])
        for entry, row in entries:
            said += self._said(run, entry, row, known.get(entry.likeness), owners)
        self._store.note(run.row.id, said)
        faulty = {one.line for one in said if one.kind == "fault"}
        changed = {one.line for one in said if one.kind == "change"} - faulty
        found = {entry.line for entry, _ in entries if entry.likeness in known} - faulty - changed
        fresh = len(some) - len(faulty) - len(changed) - len(found)
        return {"faulty": len(faulty), "changed": len(changed), "known": len(found), "fresh": fresh}

    def _apart(self, run: _Run, entry: Entry) -> Entry:
        if entry.likeness in run.people:
            raise FieldRefused("nom", "the same person stands on an earlier line")
        if entry.code is not None and entry.code in run.codes:
            raise FieldRefused("code de connexion", "the same code stands on an earlier line")
        run.people.add(entry.likeness)
        run.codes |= {entry.code} if entry.code else set()
        return entry

    def _said(
        self, run: _Run, entry: Entry, row: Row, person: Person | None, owners: Mapping[bytes, str]
    ) -> Iterator[Line]:
        owner = owners.get(entry.code) if entry.code else None
        if owner is not None and (person is None or owner != person.subject):
            yield Line(entry.line, "fault", "code de connexion", "someone else has this code")
        elif person is not None:
            for name in self._differences(run, entry, row, person):
                yield Line(entry.line, "change", COLUMNS.get(name, name), "another value than the one that is known")
            if entry.code and owner is None:
                yield Line(entry.line, "note", "code de connexion", "the code of a known person stays as it is")

    # --- the second pass ---

    def _import(self, run: _Run, some: Sequence[tuple[int, Row]]) -> dict[str, int]:
        first, last = some[0][0], some[-1][0]
        faulty = self._store.noted(run.row.id, "fault", first, last)
        changes = self._store.noted(run.row.id, "change", first, last) if run.row.with_changes else set()
        entries = [(self._entry(run, line, row), row) for line, row in some if line not in faulty]
        known = self._store.known([entry.likeness for entry, _ in entries])
        new = [(self._named(run, e), e.likeness, e.code) for e, _ in entries if e.likeness not in known]
        taken = self._store.code_owners([code for _, _, code in new if code])
        now, by = written(self._clock()), run.row.started_by
        self._store.add([(p, like, None if code in taken else code) for p, like, code in new], by, now)
        altered = [
            (entry, known[entry.likeness], differing)
            for entry, row in entries
            if entry.line in changes
            and entry.likeness in known
            and (differing := self._differences(run, entry, row, known[entry.likeness]))
        ]
        self._store.change(
            [(replace(person, **differing), e.likeness) for e, person, differing in altered],
            [_noted(person, differing, by, now) for _, person, differing in altered],
        )
        return {"added": len(new), "altered": len(altered)}

    def _named(self, run: _Run, entry: Entry) -> Person:
        """The same subject when the line is taken again after a crash, which found its key made already."""
        id = hmac.digest(self._key, f"import\n{run.row.id}\n{entry.line}".encode(), "sha256").hex()[:32]
        return replace(entry.person, subject=id)

    # --- both ---

    def _entry(self, run: _Run, line: int, row: Row) -> Entry:
        return self._reading.entry(line, row, run.row.stratum or DEFAULT_STRATUM)

    def _differences(self, run: _Run, entry: Entry, row: Row, person: Person) -> dict[str, str]:
        """{field: new value}. An empty field of the file changes nothing."""
        found = {
            name: value
            for name in Person.__dataclass_fields__
            if name not in _FIXED and (value := getattr(entry.person, name)) and value != getattr(person, name)
        }
        stated = bool(run.row.stratum) or bool((row or {}).get("strate"))
        if stated and entry.person.stratum != person.stratum:
            found["stratum"] = entry.person.stratum
        return found

    def _end(self, state: str, reason: str) -> None:
        assert self._run is not None  # noqa: S101 for mypy
        row, now = self._run.row, written(self._clock())
        with self._store.transaction():
            if self._store.at(row.id, row.state, self._run.done):
                self._store.turn(row.id, state, now, reason=reason, **({} if reason else {"done": row.total}))
        self._let_go()
        _log.info("roll file", extra={"state": state})

    def _let_go(self) -> None:
        self._run = None
        if self._lock is not None:
            lock, self._lock = self._lock, None
            lock.__exit__(None, None, None)


def _noted(person: Person, differing: Mapping[str, str], by: str, at: str) -> Noted:
    words = {f"{when}_{name}": value for name in differing for when, value in
             (("before", getattr(person, name)), ("after", differing[name]))}  # fmt: skip
    return new_entry(person.subject, "change", "applied", by, at, words)
