"""Handing out the right to vote: the roll is frozen, each person's credential is signed once, the totals are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from services.identity.domain import (
    Gate,
    NotOnRoll,
    PollIssuance,
    PollUnknown,
    StratumFacts,
    commitment_of,
    decide_mark,
    instant,
    roll_ref,
    roll_root,
)
from services.shared.errors import BadInput
from services.shared.strict import canonical


class Rolls(Protocol):
    """Rows of who is on which roll and who took a credential, without time or order; and the issuances' events."""

    def transaction(self) -> AbstractContextManager[object]: ...

    def issuance(self, poll: UUID) -> PollIssuance | None: ...

    def save(self, issuance: PollIssuance) -> None:
        """Raises the library's IntegrityError when another process wrote first."""

    def replace(self, poll: str, entries: Sequence[tuple[bytes, str]]) -> None:
        """`entries`: (roll_ref, stratum), unmarked."""

    def standing(self, poll: str, refs: Sequence[bytes]) -> tuple[str, bool] | None:
        """(stratum, whether it is marked) of the person's one entry among these references, None when there is none:
        the one that is marked, else the first."""

    def mark(
        self, poll: str, refs: Sequence[bytes], decide: Callable[[Gate | None, bytes | None], bytes | None]
    ) -> str | None:
        """The stratum of the person's one entry, None when there is none. Under the gate's share lock and the entry's
        lock, writes the commitment that `decide(gate, standing)` returns, if any; committed on return."""

    def reissue(
        self, poll: str, refs: Sequence[bytes], officer: str, check: Callable[[Gate | None], None]
    ) -> bool | None:
        """True: a second officer confirmed and the mark is lifted. False: the first one asked. None: no such entry.
        Raises NothingToReissue or SecondPersonNeeded."""

    def put_gate(self, poll: str, gate: Gate) -> None: ...

    def shut(self, poll: str) -> bool:
        """Shuts the gate and waits for the marks under way. False: there is none, or it was shut already."""

    def totals(self, poll: str) -> dict[str, tuple[int, int]]:
        """stratum → (entries ever marked, reissues)."""

    def due(self, now: str) -> list[str]:
        """Polls whose gate stands open past its closing time."""


class Residents(Protocol):
    def subjects(self, strata: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Everyone who has the role resident, by stratum, in any order; an empty one for a stratum of nobody."""

    def same(self, subject: str) -> list[str]:
        """Every subject of this one person, the one that is kept first: two accounts may have been merged since the
        roll was frozen, and the person still has one mark."""


class PollKeys(Protocol):
    """One issuer key and one roll key a poll, in files. Used for nothing else; the roll key is destroyed one day."""

    def make(self, poll: str) -> None:
        """Harmless when they are there."""

    def exist(self, poll: str) -> bool: ...

    def issuer_key(self, poll: str) -> str: ...

    def sign(self, poll: str, message: bytes) -> str: ...

    def roll_key(self, poll: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Mark:
    stratum: str
    signature: str


class Issuance:
    def __init__(
        self,
        rolls: Rolls,
        residents: Residents,
        keys: PollKeys,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rolls = rolls
        self._residents = residents
        self._keys = keys
        self._clock = clock

    # --- before the poll ---

    def prepare(self, poll: str, strata: Sequence[str], opens_at: str, closes_at: str, by: str) -> PollIssuance:
        """Freezes the roll as it stands, makes the poll's keys. Again before the publication: the roll as it stands
        then. Again afterwards: what was frozen. Raises IssuanceFrozen, BadInput."""
        if instant(opens_at) >= instant(closes_at):
            raise BadInput("it must come after opens_at", field="closes_at")
        if len(set(strata)) != len(strata) or not strata:
            raise BadInput("one or more strata, each once", field="strata")
        self._keys.make(poll)
        entries, facts = self._roll(poll, strata)
        try:
            return self._prepare(poll, entries, facts, opens_at, closes_at, by)
        except IntegrityError:  # someone else prepared it meanwhile
            return self._prepare(poll, entries, facts, opens_at, closes_at, by)

    def _roll(self, poll: str, strata: Sequence[str]) -> tuple[list[tuple[bytes, str]], list[StratumFacts]]:
        key = self._keys.roll_key(poll)
        entries: list[tuple[bytes, str]] = []
        facts: list[StratumFacts] = []
        for stratum, subjects in self._residents.subjects(strata).items():
            refs = [roll_ref(key, subject) for subject in subjects]
            facts.append({"id": stratum, "roll_size": len(refs), "roll_root": roll_root(refs).hex()})
            entries += [(ref, stratum) for ref in refs]
        return entries, facts

    def _prepare(
        self,
        poll: str,
        entries: Sequence[tuple[bytes, str]],
        facts: list[StratumFacts],
        opens_at: str,
        closes_at: str,
        by: str,
    ) -> PollIssuance:
        with self._rolls.transaction():
            issuance = self._rolls.issuance(UUID(poll))
            if issuance is None:
                key = self._keys.issuer_key(poll)
                issuance = PollIssuance(UUID(poll), facts, opens_at, closes_at, key, by)
            elif issuance.published and {s["id"] for s in issuance.strata} == {s["id"] for s in facts}:
                return issuance
            else:
                issuance.prepare_again(facts, opens_at, closes_at, by)
            if issuance.pending_events:
                self._rolls.save(issuance)
                self._rolls.replace(poll, entries)
        return issuance

    # --- what the ballot service tells ---

    def publish(
        self, poll: str, manifest_hash: str, strata: Sequence[Mapping[str, Any]], opens_at: str, closes_at: str
    ) -> None:
        """Credentials are given out between the manifest's dates. Raises PollUnknown, RollDiffers, BadInput."""
        instant(opens_at), instant(closes_at)
        with self._rolls.transaction():
            issuance = self._issuance(poll)
            issuance.publish(manifest_hash, strata, opens_at, closes_at)
            self._rolls.save(issuance)
            self._rolls.put_gate(poll, Gate(opens_at, closes_at, closed=False))

    def close(self, poll: str) -> None:
        """The gate, the totals and their events, one a stratum, in one transaction. Again: nothing."""
        with self._rolls.transaction():
            if self._rolls.shut(poll):
                issuance = self._issuance(poll)
                issuance.close(self._rolls.totals(poll))
                self._rolls.save(issuance)

    def close_due(self) -> int:
        """Closes every issuance whose time has come; how many."""
        due = self._rolls.due(self._clock().strftime("%Y-%m-%dT%H:%M:%SZ"))
        for poll in due:
            self.close(poll)
        return len(due)

    # --- for a person ---

    def stratum(self, poll: str, subject: str) -> str | None:
        """The person's stratum on this poll's roll, None when they are not on it. Raises PollUnknown."""
        found = self._rolls.standing(poll, self.refs(poll, subject))
        return found[0] if found else None

    def mark(self, poll: str, subject: str, credential: bytes, salt: bytes) -> Mark:
        """Notes on the roll that this person took a credential, then signs it. What is noted is a commitment that
        opens only with the salt; salt and credential are not kept. The same credential always gets the same
        signature. Raises PollUnknown, NotOnRoll, IssuanceNotOpen, AnotherCredentialMarked."""
        commitment = commitment_of(credential, salt)

        def decide(gate: Gate | None, standing: bytes | None) -> bytes | None:
            return commitment if decide_mark(gate, standing, commitment, self._clock()) else None

        stratum = self._rolls.mark(poll, self.refs(poll, subject), decide)
        if stratum is None:
            raise NotOnRoll
        claim = canonical({"poll": poll, "stratum": stratum, "credential": credential.hex()})
        return Mark(stratum, self._keys.sign(poll, b"parvis/issue/v1\n" + claim))

    def reissue(self, poll: str, subject: str, officer: str) -> bool:
        """The first officer asks (False), a second confirms (True): the person may then take one more credential.
        Raises PollUnknown, NotOnRoll, IssuanceNotOpen, NothingToReissue, SecondPersonNeeded."""

        def check(gate: Gate | None) -> None:
            decide_mark(gate, None, b"", self._clock())

        done = self._rolls.reissue(poll, self.refs(poll, subject), officer, check)
        if done is None:
            raise NotOnRoll
        return done

    def refs(self, poll: str, subject: str) -> list[bytes]:
        """The entries that this person may have on the poll's roll. Raises PollUnknown."""
        if not self._keys.exist(poll):
            raise PollUnknown(field="poll")
        key = self._keys.roll_key(poll)
        return [roll_ref(key, one) for one in self._residents.same(subject)]

    def _issuance(self, poll: str) -> PollIssuance:
        found = self._rolls.issuance(UUID(poll))
        if found is None:
            raise PollUnknown(field="poll")
        return found
