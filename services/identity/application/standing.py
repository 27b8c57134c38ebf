"""Why somebody can or cannot vote in a poll, in one word that the pages put in plain language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol
from uuid import UUID

from services.identity.application.issuance import Issuance
from services.identity.domain import Gate, Person, PollIssuance, PollUnknown, instant, written

REASONS: Final = (
    *("may_vote", "took_credential", "not_open_yet", "closed"),
    *("another_stratum", "not_on_roll", "not_attached"),
)

SOME_POLLS: Final = 30


@dataclass(frozen=True, slots=True)
class Standing:
    """`stratum`: on the poll's roll. `own_stratum`: of the account today. `strata`: those that the poll is for."""

    reason: str
    stratum: str
    own_stratum: str
    strata: tuple[str, ...]
    opens_at: str
    closes_at: str


@dataclass(frozen=True, slots=True)
class FrozenStratum:
    """A stratum as it was frozen for one poll."""

    poll: str
    roll_size: int
    roll_root: str
    opens_at: str
    closes_at: str


@dataclass(frozen=True, slots=True)
class FrozenRoll:
    """What anybody may know of a poll's roll."""

    published: bool
    strata: tuple[dict[str, str | int], ...]  # id, roll_size, roll_root


class Rolls(Protocol):
    def published(self, most: int) -> list[str]: ...

    def issuance(self, poll: UUID) -> PollIssuance | None: ...

    def standing(self, poll: str, refs: Sequence[bytes]) -> tuple[str, bool] | None: ...

    def gate(self, poll: str) -> Gate | None: ...


class People(Protocol):
    def same(self, subject: str) -> list[str]: ...

    def person(self, subject: str) -> Person | None: ...

    def roles(self, subject: str, now: str) -> tuple[str, ...]: ...


class Standings:
    def __init__(
        self,
        rolls: Rolls,
        people: People,
        issuance: Issuance,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rolls = rolls
        self._people = people
        self._issuance = issuance
        self._clock = clock

    def of(self, poll: str, subject: str) -> Standing:
        """Raises PollUnknown."""
        refs = self._issuance.refs(poll, subject)
        prepared = self._prepared(poll)
        person = self._people.person(self._people.same(subject)[0])
        found = self._rolls.standing(poll, refs)
        strata = tuple(str(one["id"]) for one in prepared.strata)
        own = person.stratum if person else ""
        reason = self._off(person, own in strata) if found is None else self._on(poll, prepared, found[1])
        return Standing(reason, found[0] if found else "", own, strata, prepared.opens_at, prepared.closes_at)

    def roll(self, poll: str) -> FrozenRoll:
        """Raises PollUnknown."""
        prepared = self._prepared(poll)
        return FrozenRoll(prepared.published, tuple(dict(one) for one in prepared.strata))

    def frozen(self, stratum: str) -> list[FrozenStratum]:
        """Where this stratum stands on a roll, among the newest polls that were published."""
        found = [(poll, self._prepared(poll)) for poll in self._rolls.published(SOME_POLLS)]
        return [
            FrozenStratum(poll, int(one["roll_size"]), str(one["roll_root"]), made.opens_at, made.closes_at)
            for poll, made in found
            for one in made.strata
            if one["id"] == stratum
        ]

    def _prepared(self, poll: str) -> PollIssuance:
        found = self._rolls.issuance(UUID(poll))
        if found is None:
            raise PollUnknown(field="poll")
        return found

    def _off(self, person: Person | None, stratum_fits: bool) -> str:
        """Not on the poll's roll. A person of the right stratum came to it after the roll was frozen."""
        if person is None or "resident" not in self._people.roles(person.subject, written(self._clock())):
            return "not_attached"
        return "not_on_roll" if stratum_fits else "another_stratum"

    def _on(self, poll: str, prepared: PollIssuance, marked: bool) -> str:
        gate = self._rolls.gate(poll)
        now = self._clock()
        if (gate is not None and gate.closed) or now >= instant(prepared.closes_at):
            return "closed"
        if gate is None or not gate.admits(now):
            return "not_open_yet"
        return "took_credential" if marked else "may_vote"
