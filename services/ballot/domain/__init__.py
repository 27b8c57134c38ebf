"""The life of a poll. It keeps the rules; the log keeps the ballots.

draft → published (manifest frozen, then accepted by identity) → open → closing → closed → tallied; cancelled from any
state before the count, or replaced by a new manifest before the opening. Two people confirm the opening, the count and
a cancellation.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from services.ballot.domain.refusals import (
    AnotherManifest,
    AnotherReplacement,
    IssuanceNotReady,
    OpeningNotConfirmed,
    OtherCheckpoints,
    PollEnded,
    PollNotClosed,
    PollNotDraft,
    PollNotPublished,
    PollOver,
    ReasonNeeded,
    SecondPersonNeeded,
)
from services.ballot.protocol.checkpoints import checkpoints_hash

Json = dict[str, Any]


class State(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    TALLIED = "tallied"
    CANCELLED = "cancelled"


class Poll(Aggregate):
    """A question put to the vote."""

    INITIAL_VERSION = 1

    @event("Drafted")
    def __init__(self, id: UUID, draft: Json, by: str) -> None:
        self._id = id
        self.draft = draft
        self.drafted_by = by
        self.state = State.DRAFT
        self.manifest: Json | None = None
        self.manifest_hash: str | None = None
        self.opening_confirmed_by: list[str] = []
        self.count_confirmed_by: list[str] = []
        self.cancellation_asked_by: str | None = None
        self.reason: str | None = None
        self.issuance_ready = False
        self.issuance: dict[str, Json] = {}
        self.checkpoints: dict[str, str] = {}
        self.tally: Json | None = None

    # --- before the opening ---

    def redraft(self, draft: Json, by: str) -> None:
        """Nobody but officers has seen it yet, so that what it says may change without a reason."""
        if self.state is not State.DRAFT:
            raise PollNotDraft
        if draft != self.draft:
            self._redrafted(draft, by)

    @event("Redrafted")
    def _redrafted(self, draft: Json, by: str) -> None:
        self.draft = draft

    def publish(self, manifest: Json, manifest_hash: str, by: str) -> None:
        """Freezes the manifest. What follows is a replacement."""
        if self.state is not State.DRAFT:
            raise PollNotDraft
        self._published(manifest, manifest_hash, by, issuance_ready=False)

    @event("Published")
    def _published(self, manifest: Json, manifest_hash: str, by: str, issuance_ready: bool = True) -> None:
        """The first release did not wait for identity: what it published opens as it would have then."""
        self.state = State.PUBLISHED
        self.manifest = manifest
        self.manifest_hash = manifest_hash
        self.issuance_ready = issuance_ready

    def replace(self, manifest: Json, manifest_hash: str, reason: str, by: str, now: datetime) -> None:
        """A correction before the opening; both confirmations are asked for anew. Past the closing time, identity has
        closed its issuance: a new poll must be made."""
        self._must_be_before_opening()
        if now >= self.closes_at or now >= _time(manifest["closes_at"]):
            raise PollOver
        if manifest["replaces"] != self.manifest_hash:
            raise AnotherReplacement
        self._replaced(manifest, manifest_hash, _worth_reading(reason), by, issuance_ready=False)

    @event("Replaced")
    def _replaced(self, manifest: Json, manifest_hash: str, reason: str, by: str, issuance_ready: bool = True) -> None:
        self.manifest = manifest
        self.manifest_hash = manifest_hash
        self.issuance_ready = issuance_ready
        self.reason = reason
        self.opening_confirmed_by = []

    def confirm_opening(self, manifest_hash: str, by: str, now: datetime) -> None:
        """`manifest_hash`: of the manifest that this person has read."""
        self._must_be_before_opening()
        if manifest_hash != self.manifest_hash:
            raise AnotherManifest(field="manifest_hash")
        if by in self.opening_confirmed_by:
            raise SecondPersonNeeded
        if now >= self.closes_at:
            raise PollOver
        if len(self.opening_confirmed_by) < 2:
            self._opening_confirmed(by, manifest_hash)

    @event("OpeningConfirmed")
    def _opening_confirmed(self, by: str, manifest_hash: str | None = None) -> None:
        """The first release told no hash: its confirmations are of the manifest then in force."""
        self.opening_confirmed_by.append(by)

    def record_issuance_ready(self, manifest_hash: str) -> None:
        """Identity accepted this manifest. Of one that was replaced meanwhile, or a second time: nothing."""
        if self.state is State.PUBLISHED and manifest_hash == self.manifest_hash and not self.issuance_ready:
            self._issuance_became_ready(manifest_hash)

    @event("IssuanceBecameReady")
    def _issuance_became_ready(self, manifest_hash: str) -> None:
        self.issuance_ready = True

    # --- open to closed: the sealer's steps, each harmless when repeated ---

    @property
    def may_open(self) -> bool:
        return self.state is State.PUBLISHED and len(self.opening_confirmed_by) == 2 and self.issuance_ready

    def open(self, manifest_hash: str) -> None:
        """From here on nothing replaces the manifest; the gates follow. Its two confirmations stand."""
        if self.state is State.PUBLISHED:
            if len(self.opening_confirmed_by) < 2 or self.manifest_hash != manifest_hash:
                raise OpeningNotConfirmed
            if not self.issuance_ready:
                raise IssuanceNotReady
            self._opened()

    @event("Opened")
    def _opened(self) -> None:
        self.state = State.OPEN

    def begin_closing(self) -> None:
        """The gates are shut; the last epochs follow."""
        if self.state is State.OPEN:
            self._closing_begun()

    @event("ClosingBegun")
    def _closing_begun(self) -> None:
        self.state = State.CLOSING

    def record_issuance(self, stratum: str, issued: int, reissued: int) -> None:
        """Identity gave out its last credential of this stratum."""
        if stratum not in self.issuance:
            self._issuance_recorded(stratum, issued, reissued)

    @event("IssuanceRecorded")
    def _issuance_recorded(self, stratum: str, issued: int, reissued: int) -> None:
        self.issuance[stratum] = {"issued": issued, "reissued": reissued}

    def close_station(self, station: str, checkpoint: str) -> None:
        """The station's last leaf is written; when it is the last station, the poll is closed."""
        if self.state is State.CLOSING and station not in self.checkpoints:
            self._station_closed(station, checkpoint)
            if len(self.checkpoints) == len(self.stations):
                self._closed()

    @event("StationClosed")
    def _station_closed(self, station: str, checkpoint: str) -> None:
        self.checkpoints[station] = checkpoint

    @event("Closed")
    def _closed(self) -> None:
        self.state = State.CLOSED

    # --- the count ---

    @property
    def checkpoints_hash(self) -> str | None:
        """Over the checkpoints of all stations' whole logs; None until the last one is closed."""
        whole = len(self.checkpoints) == len(self.stations)
        return checkpoints_hash(self.checkpoints).hex() if whole else None

    def confirm_count(self, checkpoints_hash: str, by: str) -> None:
        """`checkpoints_hash`: of the logs that this person has checked."""
        if self.state is not State.CLOSED:
            raise PollNotClosed
        if checkpoints_hash != self.checkpoints_hash:
            raise OtherCheckpoints(field="checkpoints_hash")
        if by in self.count_confirmed_by:
            raise SecondPersonNeeded
        if len(self.count_confirmed_by) < 2:
            self._count_confirmed(by, checkpoints_hash)

    @event("CountConfirmed")
    def _count_confirmed(self, by: str, checkpoints_hash: str | None = None) -> None:
        """The first release told no hash; the checkpoints of a closed poll never change."""
        self.count_confirmed_by.append(by)

    @property
    def may_be_counted(self) -> bool:
        return self.state is State.CLOSED and len(self.count_confirmed_by) == 2

    def record_tally(self, tally: Json) -> None:
        """What the recount of the log gave. Counting twice gives the same and tells nothing new."""
        if self.state is State.TALLIED:
            return
        if not self.may_be_counted:
            raise PollNotClosed
        self._tallied(tally)

    @event("Tallied")
    def _tallied(self, tally: Json) -> None:
        self.state = State.TALLIED
        self.tally = tally

    # --- giving up ---

    def cancel(self, reason: str, by: str) -> None:
        """The first person asks, a second one confirms; the reason is published."""
        if self.state in (State.TALLIED, State.CANCELLED):
            raise PollEnded
        if self.cancellation_asked_by is None:
            self._cancellation_asked(_worth_reading(reason), by)
        elif self.cancellation_asked_by == by:
            raise SecondPersonNeeded
        else:
            self._cancelled(by)

    @event("CancellationAsked")
    def _cancellation_asked(self, reason: str, by: str) -> None:
        self.cancellation_asked_by = by
        self.cancellation_reason = reason

    @event("Cancelled")
    def _cancelled(self, by: str) -> None:
        self.state = State.CANCELLED
        self.reason = self.cancellation_reason

    # --- what the manifest says ---

    @property
    def opens_at(self) -> datetime:
        return _time((self.manifest or self.draft)["opens_at"])

    @property
    def closes_at(self) -> datetime:
        return _time((self.manifest or self.draft)["closes_at"])

    @property
    def stations(self) -> list[str]:
        return [station["id"] for station in (self.manifest or self.draft)["stations"]]

    def stratum_of(self, station: str) -> str:
        return next(str(s["id"]) for s in (self.manifest or self.draft)["strata"] if s["station"] == station)

    def _must_be_before_opening(self) -> None:
        if self.state is not State.PUBLISHED:
            raise PollNotPublished


def _worth_reading(reason: str) -> str:
    if len(reason.strip()) < 10:
        raise ReasonNeeded(field="reason")
    return reason.strip()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
