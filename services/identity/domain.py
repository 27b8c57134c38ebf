"""Who may vote, once: the issuance of a poll's credentials, and the rules of the roll.

The aggregate keeps dates, sizes and totals. The roll itself (who took a credential) is rows without time or order in
the store: an event would carry both.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

from eventsourcing.domain import Aggregate, event

from services.shared.errors import BadInput, Conflict, NotAllowed, NotFound

DEFAULT_STRATUM: Final = "habitants"
ROLES: Final = (
    *("resident", "association_delegate", "landlord", "helper", "moderator", "agent", "councillor"),
    *("returning_officer", "auditor", "administrator"),
)
_ERASURES: Final = UUID("5f1c7a52-9a3e-4c0b-8d7e-2b8b4d6f1a90")
FOR_GOOD: Final = "9999-12-31T00:00:00Z"
"""The end of a role that has none."""
StratumFacts = dict[str, str | int]  # id, roll_size, roll_root


class PollUnknown(NotFound):
    reason = "no issuance was prepared for this poll"


class IssuanceFrozen(Conflict):
    reason = "the poll is published: its roll is frozen"


class IssuanceNotOpen(Conflict):
    reason = "credentials are given out from the poll's opening to its closing time"


class NotOnRoll(NotAllowed):
    reason = "this person is not on the poll's roll"


class AnotherCredentialMarked(Conflict):
    reason = "this person took another credential already; only two officers can let them take a new one"


class NothingToReissue(Conflict):
    reason = "this person has taken no credential yet"


class SecondPersonNeeded(Conflict):
    reason = "this officer asked already: another one must confirm"


class RollDiffers(Conflict):
    reason = "the manifest does not carry the roll and the key that were prepared here"


class CodeUnknown(NotAllowed):
    reason = "this code opens nothing"


class TooManyTries(NotAllowed):
    reason = "too many wrong codes: wait a minute"


class PersonUnknown(NotFound):
    reason = "no such person"


class RoleUnknown(BadInput):
    reason = f"a role is one of {', '.join(ROLES)}"


class RoleDates(BadInput):
    reason = "a role ends after it begins, and in the future"


class LastAdministrator(Conflict):
    reason = "this is the last administrator: name another one first"


class AdministratorThere(Conflict):
    reason = "there is an administrator: the others are named by them"


class PersonKnown(Conflict):
    """For the command line alone: it says under which subject."""

    reason = "someone of these names and this birth date is known already"

    def __init__(self, subject: str) -> None:
        super().__init__()
        self.subject = subject


class ErasureUnknown(NotFound):
    reason = "nobody asked for this erasure, or it is confirmed already"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role of a person from one moment to another, and who gave it; `ended_by` if it was ended early."""

    subject: str
    role: str
    since: str
    until: str
    granted_by: str
    ended_by: str = ""


class PollIssuance(Aggregate):
    """The credentials of one poll, given out between its dates to the people of a frozen roll."""

    INITIAL_VERSION = 1

    @event("Prepared")
    def __init__(
        self, poll: UUID, strata: list[StratumFacts], opens_at: str, closes_at: str, issuer_key: str, by: str
    ) -> None:
        self.strata = strata
        self.opens_at = opens_at
        self.closes_at = closes_at
        self.issuer_key = issuer_key
        self.published = False
        self.manifest_hash: str | None = None
        self.totals: dict[str, dict[str, int]] = {}

    @staticmethod
    def create_id(poll: UUID) -> UUID:
        return poll

    def prepare_again(self, strata: list[StratumFacts], opens_at: str, closes_at: str, by: str) -> None:
        """The roll as it stands now replaces the one prepared before. Raises IssuanceFrozen once published."""
        if self.published:
            raise IssuanceFrozen
        if (strata, opens_at, closes_at) != (self.strata, self.opens_at, self.closes_at):
            self._prepared_again(strata, opens_at, closes_at, by)

    @event("PreparedAgain")
    def _prepared_again(self, strata: list[StratumFacts], opens_at: str, closes_at: str, by: str) -> None:
        self.strata = strata
        self.opens_at = opens_at
        self.closes_at = closes_at

    def publish(
        self, manifest_hash: str, strata: Sequence[Mapping[str, object]], opens_at: str, closes_at: str
    ) -> None:
        """The manifest is frozen, so the roll is. A replacement before the opening may move the dates. Each manifest
        that is accepted is an event of its own: the poll opens only after it."""
        if self.closed:
            raise IssuanceFrozen
        declared = {s.get("id"): (s.get("roll_size"), s.get("roll_root"), s.get("issuer_keys")) for s in strata}
        if declared != {s["id"]: (s["roll_size"], s["roll_root"], [self.issuer_key]) for s in self.strata}:
            raise RollDiffers
        if manifest_hash != self.manifest_hash:
            self._published(opens_at, closes_at, manifest_hash)

    @event("Published")
    def _published(self, opens_at: str, closes_at: str, manifest_hash: str | None = None) -> None:
        """The first release told no hash."""
        self.published = True
        self.manifest_hash = manifest_hash
        self.opens_at = opens_at
        self.closes_at = closes_at

    @property
    def closed(self) -> bool:
        return len(self.totals) == len(self.strata)

    def close(self, totals: Mapping[str, tuple[int, int]]) -> None:
        """`totals`: stratum → (issued, reissued). One event a stratum. Closing twice changes nothing."""
        for stratum in self.strata:
            name = str(stratum["id"])
            if name not in self.totals:
                issued, reissued = totals.get(name, (0, 0))
                self._stratum_closed(name, issued, reissued)

    @event("StratumClosed")
    def _stratum_closed(self, stratum: str, issued: int, reissued: int) -> None:
        self.totals[stratum] = {"issued": issued, "reissued": reissued}


class Erasure(Aggregate):
    """That a person was erased: told to every service, which forgets what it keeps of the opaque subject."""

    INITIAL_VERSION = 1

    @event("Erased")
    def __init__(self, subject: str) -> None:
        self.subject = subject

    @staticmethod
    def create_id(subject: str) -> UUID:
        return uuid5(_ERASURES, subject)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone the authority knows. Personal fields: they stay in identity's people store and nowhere else."""

    subject: str  # opaque, random; the only name of a person outside this store
    family_name: str
    given_name: str
    birth_date: str
    address: str = ""
    office: str = ""
    stratum: str = DEFAULT_STRATUM
    email: str = ""
    phone: str = ""  # as +33639980012

    @property
    def display_name(self) -> str:
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether credentials of a poll are given out: by its dates, and by hand when the poll is cancelled."""

    opens_at: str
    closes_at: str
    closed: bool

    def admits(self, now: datetime) -> bool:
        return not self.closed and instant(self.opens_at) <= now < instant(self.closes_at)


def decide_mark(gate: Gate | None, standing: bytes | None, commitment: bytes, now: datetime) -> bool:
    """True: write the mark. False: the very same mark stands, whatever the gate says, so a lost answer can be had
    again after the close. Raises AnotherCredentialMarked or IssuanceNotOpen."""
    if standing is not None:
        if not hmac.compare_digest(standing, commitment):
            raise AnotherCredentialMarked
        return False
    if gate is None or not gate.admits(now):
        raise IssuanceNotOpen
    return True


def commitment_of(credential: bytes, salt: bytes) -> bytes:
    return hashlib.sha256(salt + credential).digest()


def roll_ref(roll_key: bytes, subject: str) -> bytes:
    """The entry of a person on one poll's roll; without the poll's key nobody can tell whose it is."""
    return hmac.digest(roll_key, subject.encode(), "sha256")


def roll_root(refs: Sequence[bytes]) -> bytes:
    """RFC 6962 Merkle root over the sorted entries, so a roll of the same people has one root."""

    def root(leaves: Sequence[bytes]) -> bytes:
        if len(leaves) == 1:
            return hashlib.sha256(b"\x00" + leaves[0]).digest()
        split = 1 << (len(leaves) - 1).bit_length() - 1  # the largest power of two below the number of leaves
        return hashlib.sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()

    return root(sorted(refs)) if refs else hashlib.sha256(b"").digest()


def instant(text: str) -> datetime:
    """RFC 3339 UTC seconds, "2026-11-23T10:00:00Z", and nothing else. Raises BadInput."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise BadInput("a time like 2026-11-23T10:00:00Z is needed") from None


def written(moment: datetime) -> str:
    """The text that `instant` reads."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
