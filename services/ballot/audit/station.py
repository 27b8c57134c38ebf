"""One station's log, leaf by leaf: its order, its epochs, its root, its closing counts."""

from __future__ import annotations

from typing import Any

from services.ballot.audit.anchors import HeldPromises, SeenCheckpoints
from services.ballot.audit.findings import Report
from services.ballot.audit.leafcheck import Content, Refused
from services.ballot.audit.voters import Problem, Vote, Voters
from services.ballot.protocol.checkpoints import verify_checkpoint
from services.ballot.protocol.leaves import EpochSealed, StationClosed, StationOpened
from services.ballot.protocol.manifest import Manifest
from services.ballot.protocol.merkle import Frontier
from services.ballot.protocol.profile import Profile
from services.ballot.protocol.tally import StationCount
from services.shared.errors import Refusal


class StationAudit:
    """Takes the leaves of one station in order; says every difference to the report."""

    def __init__(
        self,
        station: str,
        manifest: Manifest,
        voters: Voters,
        seen: SeenCheckpoints,
        promises: HeldPromises,
        report: Report,
        *,
        may_be_open: bool,
    ) -> None:
        self.station, self._manifest, self._voters = station, manifest, voters
        self._seen, self._promises, self._report, self._may_be_open = seen, promises, report, may_be_open
        self._frontier = Frontier()
        self._wanted_sizes = seen.sizes(station)
        self._closed: StationClosed | None = None
        self._epoch = 0
        self._epoch_first = 1
        self._in_epoch = 0  # leaves since the last EpochSealed, good or bad
        self._last_hash = b""
        self._credentials: set[bytes] = set()  # of this epoch, as many as the least that an epoch must have
        self._small_epoch: dict[str, Any] | None = None
        self.ballots = self.good_ballots = self.sealed_ballots = 0
        self.note = ""
        self._compare_seen()

    def take(self, leaf_hash: bytes, content: Content, line: int) -> None:
        index = self._frontier.size
        event = {"line": line, "station": self.station, "leaf": index, "hash": leaf_hash.hex()}
        if self._closed is not None:
            self._say("LeafAfterClosing", event, None, "StationClosed must be the last leaf")
        elif (index == 0) is not isinstance(content, StationOpened) and not isinstance(content, Refused):
            self._say("WrongFirstLeaf", event, "type", "StationOpened must be the first leaf, and no other")
        if isinstance(content, Vote):
            self._ballot(leaf_hash, content, event)
        elif isinstance(content, Refused):
            self._in_epoch += index > 0
            self._report.add(content.code, event, content.field, content.reason)
        elif isinstance(content, StationOpened):
            if content.manifest_hash != self._manifest.hash:
                self._say("WrongManifestHash", event, "manifest_hash", "the station opened under another manifest")
        elif isinstance(content, EpochSealed):
            self._seal(content, event)
        else:
            self._close(content, event)
        self._frontier.append(leaf_hash)
        if self._frontier.size in self._wanted_sizes:
            self._compare_seen()

    def finish(self, note: str, line: int) -> None:
        """The newest checkpoint stands under the log, which ends here."""
        event = {"line": line, "station": self.station, "type": "Checkpoint"}
        self.note = note
        self.check_note(note, event)
        self._seen.end(self.station, self._frontier.size)
        if self._in_epoch:
            self._say("BallotsNotSealed", event, "leaves", f"{self._in_epoch} leaves follow the last EpochSealed")
        self._problems(self._voters.seal())
        if self._closed is None and not self._may_be_open:
            self._say("StationNotClosed", event, "leaves", "the log does not end with StationClosed")

    @property
    def closed(self) -> bool:
        return self._closed is not None

    def count(self, profile: Profile) -> StationCount | None:
        """What the station comes to, given its strata's profile; None where it is not closed."""
        if self._closed is None:
            return None
        self._bounds(self._closed, profile.total())
        return StationCount(self.station, self.note, profile, self.ballots, self._closed.issued, self._closed.reissued)

    def check_note(self, note: str, event: dict[str, Any]) -> None:
        """A note must be signed by the manifest's log key, for this log at its full size and root."""
        try:
            checkpoint = verify_checkpoint(note, self._manifest.log_origin(self.station), self._manifest.log_key)
        except Refusal as refusal:
            self._report.refused(refusal, event)
            return
        if checkpoint.size != self._frontier.size:
            cause = f"the checkpoint is of {checkpoint.size} leaves, {self._frontier.size} stand"
            self._say("WrongSize", event, "size", cause)
        elif checkpoint.root != self._frontier.root():
            self._say("WrongRoot", event, "root", "the leaves hash to another root")

    def summary(self) -> dict[str, Any]:
        return {
            "station": self.station,
            "leaves": self._frontier.size,
            "root": self._frontier.root().hex(),
            "ballots": self.ballots,
            "epochs": self._epoch,
        }

    def _ballot(self, leaf_hash: bytes, vote: Vote, event: dict[str, Any]) -> None:
        self._in_epoch += 1
        self.ballots += 1
        self.good_ballots += 1
        if len(self._credentials) < self._manifest.epoch_min:
            self._credentials.add(vote.credential)
        if self._promises.missing:
            self._promises.missing.pop(leaf_hash, None)
        problems = self._voters.take(vote, event["leaf"], leaf_hash)
        if problems:
            self._problems(problems)
        elif leaf_hash <= self._last_hash:
            self._say("EpochOrder", event, "leaf", "within an epoch ballots stand in the order of their leaf hashes")
        self._last_hash = leaf_hash

    def _seal(self, sealed: EpochSealed, event: dict[str, Any]) -> None:
        for field, told, found in (
            ("epoch", sealed.epoch, self._epoch + 1),
            ("first", sealed.first, self._epoch_first),
            ("count", sealed.count, self._in_epoch),
        ):
            if told != found:
                self._say("WrongEpoch", event, field, f"says {told}, the log {found}")
        if self._small_epoch is not None:  # only a station's last epoch takes what is left
            cause = f"fewer than {self._manifest.epoch_min} credentials in an epoch that is not the last"
            self._say("EpochTooSmall", self._small_epoch, "count", cause)
        self._small_epoch = event if len(self._credentials) < self._manifest.epoch_min else None
        self._problems(self._voters.seal())
        self._epoch = sealed.epoch
        self.sealed_ballots += sealed.count
        self._epoch_first = event["leaf"] + 1
        self._in_epoch, self._last_hash = 0, b""
        self._credentials.clear()

    def _close(self, closed: StationClosed, event: dict[str, Any]) -> None:
        if self._in_epoch:
            self._say("BallotsNotSealed", event, "leaves", f"{self._in_epoch} leaves follow the last EpochSealed")
            self._in_epoch = 0
        if closed.size != event["leaf"]:
            self._say("WrongClosing", event, "size", f"says {closed.size} leaves before it, the log {event['leaf']}")
        self._closed = closed

    def _bounds(self, closed: StationClosed, turnout: int) -> None:
        event = {"station": self.station, "leaf": closed.size, "type": "StationClosed"}
        roll = self._manifest.roll_of(self.station)
        if closed.issued > roll:
            self._say("IssuedBeyondRoll", event, "issued", f"{closed.issued} issued, {roll} on the roll")
        if turnout > closed.issued + closed.reissued:
            cause = f"{turnout} credentials voted, {closed.issued} were issued and {closed.reissued} reissued"
            self._say("MoreVotersThanIssued", event, "issued", cause)

    def _compare_seen(self) -> None:
        size = self._frontier.size
        if size in self._wanted_sizes:
            self._seen.compare(self.station, size, self._frontier.root())

    def _problems(self, problems: list[Problem]) -> None:
        for problem in problems:
            event = {"station": self.station, "leaf": problem.leaf, "hash": problem.leaf_hash.hex()}
            self._say(problem.finding, event, problem.field, problem.cause)
            self.good_ballots -= 1

    def _say(self, finding: str, event: dict[str, Any], field: str | None, cause: str) -> None:
        self._report.add(finding, event, field, cause)
