"""The audit: one pass over a bundle, from the outside anchor to the published result."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO, Final

from services.ballot.audit.anchors import Held, HeldPromises, SeenCheckpoints
from services.ballot.audit.findings import Report
from services.ballot.audit.leafcheck import Checked
from services.ballot.audit.pipeline import Batch, Broken, Task, in_order, tasks
from services.ballot.audit.resume import Progress, State
from services.ballot.audit.station import StationAudit
from services.ballot.audit.tallies import EventsAudit
from services.ballot.audit.voters import Voters
from services.ballot.methods import METHODS
from services.ballot.protocol import bundle
from services.ballot.protocol import manifest as manifests
from services.ballot.protocol.bundle import Line
from services.ballot.protocol.checkpoints import checkpoints_hash
from services.ballot.protocol.manifest import Manifest
from services.ballot.protocol.profile import Profile
from services.shared.errors import Refusal

NO_MANIFEST_HASH: Final = (
    "without --manifest-hash: that the whole bundle was made up, manifest, keys and ballots alike. Take the hash from "
    "the poll page or the press notice, never from the bundle."
)
NO_CHECKPOINT: Final = (
    "without --checkpoint: that this log is another than the one shown to others or earlier (a split view, or a log "
    "written anew by the holder of the log key). Bring a checkpoint seen earlier, by you or someone else."
)
NO_PROMISE: Final = (
    "without --promise: that a ballot was accepted and then left out. Bring the promise of your receipt, or look for "
    "your tracker in the log."
)
RESIDUE: Final = (
    "at all: that a voter's device, or the issuer together with the ballot service, voted for someone. Whoever's "
    "right was used without them sees it when they ask for it."
)


@dataclass(frozen=True)
class Options:
    """`manifest_hash` is the outside anchor; None audits the bundle against itself alone.

    `state` gives the place of the saved progress, once the manifest's hash is known; `tick` hears of bytes and ballots
    done.
    """

    manifest_hash: bytes | None
    checkpoints: Sequence[Held] = ()
    promises: Sequence[Held] = ()
    jobs: int = 1
    may_be_open: bool = False
    same_code: bool = False
    state: Callable[[bytes], State | None] | None = None
    tick: Callable[[int, int], None] | None = None


def audit(stream: BinaryIO, options: Options) -> Report:
    """Checks the bundle that `stream` holds, in one pass and bounded memory. Never raises for what it holds."""
    report = Report(cannot_exclude=_cannot_exclude(options))
    source = _Source(stream)
    lines = bundle.read(source)
    try:
        manifest = _anchored_manifest(lines, options, report)
    except Refusal as refusal:
        report.refused(refusal, {"line": source.lines})
        return report
    if manifest is not None:
        _Audit(manifest, options, report, source).run(lines)
    return report


class _Source:
    """The bundle's lines as they come, each at most as long as a line may be; counted and hashed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.lines = self.bytes = 0
        self.digest = sha256()

    def __iter__(self) -> Iterator[bytes]:
        while line := self._stream.readline(bundle.MAX_LINE):
            self.lines += 1
            self.bytes += len(line)
            self.digest.update(line)
            yield line


def _anchored_manifest(lines: Iterator[Line], options: Options, report: Report) -> Manifest | None:
    """The manifest, if it is the one whose hash the auditor brought. Nothing else of a bundle is believed before."""
    poll = next(lines).value
    line = next(lines)
    report.manifest_hash = sha256(line.value).hexdigest()
    event = {"line": line.number, "type": "Manifest"}
    if options.manifest_hash is not None and report.manifest_hash != options.manifest_hash.hex():
        cause = f"the bundle's manifest hashes to {report.manifest_hash}: another poll, or a forged bundle"
        report.add("WrongManifestHash", event, "manifest", cause)
        return None
    try:
        manifest = manifests.parse(line.value, METHODS)
    except Refusal as refusal:
        report.refused(refusal, event)
        return None
    if manifest.poll != poll:
        report.add("WrongPoll", {"line": 1}, "poll", "the bundle announces another poll than its manifest's")
        return None
    return manifest


class _Audit:
    """The pass over everything after the manifest."""

    def __init__(self, manifest: Manifest, options: Options, report: Report, source: _Source) -> None:
        self._manifest, self._options, self._report, self._source = manifest, options, report, source
        self._voters = Voters()
        self._seen = SeenCheckpoints(options.checkpoints, manifest, report)
        self._promises = HeldPromises(options.promises, manifest, report)
        self._events = EventsAudit(manifest, report, same_code=options.same_code)
        self._stations: dict[str, StationAudit] = {}
        self._station: StationAudit | None = None
        self._state = options.state(manifest.hash) if options.state else None
        self._before = self._state.load() if self._state else Progress()
        self._progress = self._before
        self._ends: deque[tuple[int, str]] = deque()  # of the batches under way: where each ends, hash up to there

    def run(self, lines: Iterator[Line]) -> None:
        whole = True
        try:
            for task, checked in in_order(self._flagged(tasks(lines)), self._manifest.canonical, self._options.jobs):
                if isinstance(task, Batch):
                    self._leaves(task, checked)
                elif isinstance(task, Broken):
                    whole = False
                    self._report.refused(task.refusal, {"line": task.line})
                else:
                    self._line(task)
        except KeyboardInterrupt:
            if self._state and self._report.passed:
                self._state.save(self._progress, at_once=True)
            raise
        if self._state:
            self._state.delete()
        self._report.checked = sum(station.good_ballots for station in self._stations.values())
        self._report.checked_before = min(self._before.ballots, self._report.checked)
        self._report.stations = [station.summary() for station in self._stations.values()]
        self._report.expected = self._events.expected_ballots
        if whole:
            self._finish()

    def _flagged(self, stream: Iterator[Task]) -> Iterator[tuple[Task, bool]]:
        """Each task, and whether its signatures must be checked: not those of an earlier run that was stopped."""
        for task in stream:
            if isinstance(task, Batch):
                # The source may be one line beyond the batch; then that line is no leaf and has no signature to skip.
                self._ends.append((self._source.bytes, self._source.digest.hexdigest()))
            yield task, self._source.bytes > self._before.bytes

    def _leaves(self, batch: Batch, checked: list[Checked]) -> None:
        if self._station is not None:
            for offset, (leaf_hash, content) in enumerate(checked):
                self._station.take(leaf_hash, content, batch.line + offset)
        end, digest = self._ends.popleft()
        if self._options.tick:
            self._options.tick(end, len(checked))
        if self._state and end > self._before.bytes and self._report.passed:
            ballots = sum(station.good_ballots for station in self._stations.values())
            self._progress = Progress(end, digest, ballots)
            self._state.save(self._progress)

    def _line(self, line: Line) -> None:
        if line.kind == "event":
            self._events.take(line.value, line.number)
        elif line.kind == "station":
            self._begin(line.value[0], line.number)
        elif line.kind == "checkpoint":
            station, note = line.value
            self._end(station, note, line.number)

    def _begin(self, station: str, line: int) -> None:
        event = {"line": line, "station": station}
        self._station = None
        if station in self._stations:
            self._report.add("StationTwice", event, "station", "the station's log stands before")
        elif all(station != known.id for known in self._manifest.stations):
            self._report.add("UnknownStation", event, "station", "the manifest has no such station")
        else:
            self._station = self._stations[station] = StationAudit(
                station, self._manifest, self._voters, self._seen, self._promises, self._report,
                may_be_open=self._options.may_be_open,
            )  # fmt: skip

    def _end(self, station: str, note: str, line: int) -> None:
        if self._station is None:
            return  # of a station that was refused at its header
        if station != self._station.station:
            event = {"line": line, "station": station, "type": "Checkpoint"}
            self._report.add("UnknownStation", event, "station", f"must be {self._station.station}, whose leaves stand")
        self._station.finish(note, line)

    def _finish(self) -> None:
        for station in self._manifest.stations:
            if station.id not in self._stations and not self._options.may_be_open:
                event = {"station": station.id}
                self._report.add("StationMissing", event, "station", "the manifest's station is not in the bundle")
        self._promises.end()
        notes = {name: station.note for name, station in self._stations.items() if station.closed}
        if len(notes) == len(self._manifest.stations):
            self._report.checkpoints_hash = checkpoints_hash(notes).hex()
        profiles = self._voters.profiles()
        counts = [
            count
            for name, station in self._stations.items()
            if (count := station.count(self._station_profile(name, profiles))) is not None
        ]
        report, may_be_open = self._report, self._options.may_be_open
        report.result = self._events.finish(self._stations, counts, may_be_open=may_be_open)
        if report.expected is None and may_be_open:
            report.expected = sum(station.sealed_ballots for station in self._stations.values())
        if report.expected is not None and report.expected != report.checked:
            report.add("BallotsNotChecked", {"type": "TallyComputed"}, "counted", report.count_line())

    def _station_profile(self, station: str, profiles: dict[int, Profile]) -> Profile:
        whole: Profile = Counter()
        for stratum in self._manifest.strata:
            if stratum.station == station:
                whole.update(profiles.get(stratum.index, Counter()))
        return whole


def _cannot_exclude(options: Options) -> list[str]:
    given = (
        (options.manifest_hash, NO_MANIFEST_HASH),
        (options.checkpoints, NO_CHECKPOINT),
        (options.promises, NO_PROMISE),
    )
    return [text for value, text in given if not value] + [RESIDUE]
