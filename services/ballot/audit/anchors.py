"""What the auditor holds from elsewhere: checkpoints seen earlier, promises that voters were given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from services.ballot.audit.findings import Report
from services.ballot.protocol import promises
from services.ballot.protocol.checkpoints import Checkpoint, verify_checkpoint
from services.ballot.protocol.manifest import Manifest
from services.shared.errors import Refusal


@dataclass(frozen=True, slots=True)
class Held:
    """A file that the auditor brought, with the name to report it by."""

    name: str
    data: bytes


class SeenCheckpoints:
    """Notes seen earlier; each must be of one of the poll's logs, signed, and a prefix of that log as exported."""

    def __init__(self, held: Iterable[Held], manifest: Manifest, report: Report) -> None:
        self._report = report
        self._waiting: dict[str, dict[int, list[tuple[str, Checkpoint]]]] = {}
        stations = {manifest.log_origin(station.id): station.id for station in manifest.stations}
        for one in held:
            try:
                note = one.data.decode("utf-8", errors="replace")
                station = stations.get(note.partition("\n")[0], manifest.stations[0].id)
                checkpoint = verify_checkpoint(note, manifest.log_origin(station), manifest.log_key)
            except Refusal as refusal:
                report.refused(refusal, {"checkpoint": one.name})
                continue
            self._waiting.setdefault(station, {}).setdefault(checkpoint.size, []).append((one.name, checkpoint))

    def sizes(self, station: str) -> frozenset[int]:
        return frozenset(self._waiting.get(station, ()))

    def compare(self, station: str, size: int, root: bytes) -> None:
        """The log of `station` has this root at `size`: the notes of that size must say so too."""
        for name, checkpoint in self._waiting[station].pop(size):
            if checkpoint.root != root:
                event = {"checkpoint": name, "station": station, "size": size}
                cause = "the log was changed after this checkpoint was signed: its first leaves have another root"
                self._report.add("CheckpointInconsistent", event, "root", cause)

    def end(self, station: str, size: int) -> None:
        for ahead, notes in sorted(self._waiting.pop(station, {}).items()):
            for name, _ in notes:
                event = {"checkpoint": name, "station": station, "size": ahead}
                cause = f"the log was cut: a checkpoint of {ahead} leaves was signed, {size} stand"
                self._report.add("CheckpointAhead", event, "size", cause)


class HeldPromises:
    """Promises that voters were given; each must be signed by the poll's promise key, and its leaf stand in a log."""

    def __init__(self, held: Iterable[Held], manifest: Manifest, report: Report) -> None:
        self._report = report
        self.missing: dict[bytes, str] = {}
        for one in held:
            try:
                promise = promises.verify(one.data, manifest)
            except Refusal as refusal:
                report.refused(refusal, {"promise": one.name})
                continue
            self.missing[promise.leaf_hash] = one.name

    def end(self) -> None:
        for leaf_hash, name in self.missing.items():
            event: dict[str, Any] = {"promise": name, "hash": leaf_hash.hex()}
            cause = "a ballot was promised to be in the log, and is not: the operator dropped it"
            self._report.add("PromiseBroken", event, "leaf_hash", cause)
