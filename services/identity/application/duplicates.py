"""Probable duplicates: found beside the requests, shown to an agent, decided by people and never merged alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from services.identity.application.dossier import PAGE, Entries, OwnCase, new_entry, sentence
from services.identity.application.nearness import blocks, nearness
from services.identity.domain import Erasure, Person, SecondPersonNeeded, written
from services.shared.errors import BadInput, Conflict, NotFound

SOME: Final = 100
MOST_CANDIDATES: Final = 200
"""Of one person: a block as large as that tells nothing."""


class PairUnknown(NotFound):
    reason = "these two were not found to be near, or it is decided already"


class AnotherKept(Conflict):
    reason = "the first agent asked to keep the other account"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two accounts, `first` < `second`. `state`: open, asked (that they are one person: `kept` stays), two_people,
    confirmed (the merge is under way) or merged."""

    first: str
    second: str
    why: str
    state: str
    at: str
    kept: str = ""
    asked_by: str = ""
    decided_by: str = ""
    note: str = ""  # the entry that holds the reason

    @property
    def gone(self) -> str:
        return self.second if self.kept == self.first else self.first


class Pairs(Protocol):
    def transaction(self) -> AbstractContextManager[object]: ...

    def unlooked(self, limit: int) -> list[str]:
        """People who are new or were changed; locked."""

    def looked(self, blocks: Mapping[str, Iterable[bytes]]) -> None:
        """These blocks replace those of each person, who need not be looked at any more."""

    def neighbours(self, blocks: Mapping[str, Iterable[bytes]], most: int) -> Mapping[str, set[str]]:
        """Of each person who else has one of these blocks."""

    def note(self, pairs: Sequence[Pair]) -> None:
        """Those that are new; what was found or decided before stays."""

    def pair(self, first: str, second: str) -> Pair | None:
        """Locked, when it is read within a transaction that writes."""

    def put(self, pair: Pair) -> None: ...

    def listed(self, states: Sequence[str], page: int, size: int) -> list[Pair]:
        """The oldest first."""

    def merge(self, gone: str, kept: str) -> None:
        """All that was one's becomes the other's: roles, entries, delegations, a sign-in code if there was none. The
        account that goes leads nowhere but to the one that is kept. Harmless when repeated."""


class People(Protocol):
    def people(self, subjects: Sequence[str]) -> Mapping[str, Person]: ...


class Told(Protocol):
    def save_erasure(self, erasure: Erasure) -> None: ...


class Duplicates:
    def __init__(
        self,
        pairs: Pairs,
        people: People,
        entries: Entries,
        told: Told,
        code_key: bytes,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pairs = pairs
        self._people = people
        self._entries = entries
        self._told = told
        self._key = code_key
        self._clock = clock

    # --- finding, in the worker ---

    def look(self, limit: int = SOME) -> int:
        """Holds some people who are new or changed against those near to them; how many."""
        with self._pairs.transaction():
            people = dict(self._people.people(self._pairs.unlooked(limit)))
            own = {subject: blocks(self._key, person) for subject, person in people.items()}
            self._pairs.looked(own)
            near = self._pairs.neighbours(own, MOST_CANDIDATES)
            others = self._people.people(sorted(set().union(*near.values()) - set(people)) if near else [])
            known = {**others, **people}
            now = written(self._clock())
            found = {
                (one, other): Pair(one, other, why, "open", now)
                for subject, candidates in near.items()
                for candidate in candidates
                if candidate in known and (why := nearness(people[subject], known[candidate]))
                for one, other in [sorted((subject, candidate))]
            }
            self._pairs.note(list(found.values()))
        return len(people)

    # --- deciding ---

    def waiting(self, page: int) -> list[tuple[Pair, Person, Person]]:
        found = self._pairs.listed(("open", "asked"), page, PAGE)
        people = self._people.people([subject for pair in found for subject in (pair.first, pair.second)])
        both = [(pair, people.get(pair.first), people.get(pair.second)) for pair in found]
        return [(pair, one, other) for pair, one, other in both if one is not None and other is not None]

    def pair(self, first: str, second: str) -> Pair:
        """Raises PairUnknown."""
        found = self._pairs.pair(*sorted((first, second)))
        if found is None or found.state not in ("open", "asked"):
            raise PairUnknown(field="second")
        return found

    def both(self, first: str, second: str) -> tuple[Pair, Person, Person]:
        """A pair and the two people, as they are known today. Raises PairUnknown."""
        pair = self.pair(first, second)
        people = self._people.people([pair.first, pair.second])
        if len(people) < 2:
            raise PairUnknown(field="second")
        return pair, people[pair.first], people[pair.second]

    def two_people(self, first: str, second: str, reason: str, by: str) -> Pair:
        """They are never shown again. Raises BadInput, PairUnknown or OwnCase."""
        why = sentence(reason)
        with self._pairs.transaction():
            pair = self._of_others(first, second, by)
            decided = replace(pair, state="two_people", kept="", decided_by=by)
            self._write_down(decided, "two_people", why, by)
            self._pairs.put(decided)
        return decided

    def one_person(self, first: str, second: str, kept: str, reason: str, by: str) -> Pair:
        """The first agent asks, a second one confirms: then the accounts are merged. Raises BadInput, PairUnknown,
        OwnCase, SecondPersonNeeded or AnotherKept."""
        why = sentence(reason)
        with self._pairs.transaction():
            pair = self._of_others(first, second, by)
            self._keepable(pair, kept)
            if pair.state == "open":
                asked = replace(pair, state="asked", kept=kept, asked_by=by)
                asked = replace(asked, note=self._write_down(asked, "asked", why, by))
                self._pairs.put(asked)
                return asked
            if pair.asked_by == by:
                raise SecondPersonNeeded(field="second")
            if pair.kept != kept:
                raise AnotherKept(field="kept")
            self._write_down(pair, "confirmed", why, by)
            self._pairs.put(replace(pair, state="confirmed", decided_by=by))
        self.finish()
        return replace(pair, state="merged", decided_by=by)

    def finish(self) -> None:
        """Whatever was confirmed and not merged to its end. The others are told first that the account goes."""
        for pair in self._pairs.listed(("confirmed",), 1, SOME):
            self._told.save_erasure(Erasure(pair.gone))
            self._pairs.merge(pair.gone, pair.kept)

    def _keepable(self, pair: Pair, kept: str) -> None:
        """Somebody on a roll is not merged into an account that is on none. Raises BadInput."""
        people = self._people.people((pair.first, pair.second))
        if kept not in people:
            raise BadInput("one of the two", field="kept")
        if not people[kept].stratum and any(person.stratum for person in people.values()):
            raise BadInput("keep the account that is on a roll", field="kept")

    def _of_others(self, first: str, second: str, by: str) -> Pair:
        if by in (first, second):
            raise OwnCase(field="first")
        return self.pair(first, second)

    def _write_down(self, pair: Pair, state: str, reason: str, by: str) -> str:
        """Beside each of the two, who read it when they ask what is known of them; who the other is, is not theirs to
        know. The entry of the one that is kept."""
        now = written(self._clock())
        made = {s: new_entry(s, "duplicate", state, by, now, {"reason": reason}) for s in (pair.first, pair.second)}
        self._entries.add(list(made.values()))
        return made[pair.kept or pair.first].id
