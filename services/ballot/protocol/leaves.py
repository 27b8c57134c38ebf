"""The leaves of a station's log. `StationOpened` is the first, `StationClosed` the last, ballots and epochs between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from services.ballot.protocol import ballots
from services.ballot.protocol.ballots import BALLOT_END, Ballot, NotCanonical
from services.ballot.protocol.fields import Fields, WrongShape
from services.ballot.protocol.manifest import Manifest
from services.ballot.protocol.merkle import leaf_hash
from services.shared import strict
from services.shared.errors import BadInput

__all__ = [
    "BALLOT_CAST", "EPOCH_SEALED", "STATION_CLOSED", "STATION_OPENED", "EpochSealed", "Leaf", "StationClosed",
    "StationOpened", "UnknownLeaf", "WrongPlace", "leaf_hash", "parse",
]  # fmt: skip

BALLOT_CAST: Final = "BallotCast"
STATION_OPENED: Final = "StationOpened"
EPOCH_SEALED: Final = "EpochSealed"
STATION_CLOSED: Final = "StationClosed"
MAX_LEAF: Final = ballots.MAX_BALLOT
_PLACE: Final = ("type", "version", "poll", "station")


class UnknownLeaf(BadInput):
    reason = "a log has no leaf of this type"


class WrongPlace(BadInput):
    reason = "the leaf belongs to another poll or station"


@dataclass(frozen=True, slots=True)
class StationOpened:
    poll: str
    station: str
    manifest_hash: bytes

    def encode(self) -> bytes:
        return _encode(STATION_OPENED, self.poll, self.station, manifest_hash=self.manifest_hash.hex())


@dataclass(frozen=True, slots=True)
class EpochSealed:
    """`epoch` counts from 1; `first` is the index of the epoch's first ballot leaf, `count` its ballots."""

    poll: str
    station: str
    epoch: int
    first: int
    count: int

    def encode(self) -> bytes:
        return _encode(EPOCH_SEALED, self.poll, self.station, epoch=self.epoch, first=self.first, count=self.count)


@dataclass(frozen=True, slots=True)
class StationClosed:
    """`size` counts the leaves before this one; `issued` and `reissued` those of the station's strata together."""

    poll: str
    station: str
    size: int
    issued: int
    reissued: int
    paper: int = 0

    def encode(self) -> bytes:
        return _encode(
            STATION_CLOSED, self.poll, self.station,
            size=self.size, issued=self.issued, reissued=self.reissued, paper=self.paper,
        )  # fmt: skip


Leaf = Ballot | StationOpened | EpochSealed | StationClosed


def is_ballot(data: bytes) -> bool:
    """Whether a leaf is a ballot, by its canonical ending: no JSON is read. Only for own logs."""
    return data.endswith(BALLOT_END)


def parse(data: bytes, manifest: Manifest, station: str, *, verify: bool = True) -> Leaf:
    """The leaf that `data` holds, its form and its place checked; a ballot entirely (see `ballots.parse`)."""
    if data.endswith(BALLOT_END):
        return _ballot(data, manifest, station, verify)
    value = strict.parse(data, limit=MAX_LEAF)
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == BALLOT_CAST:
        return _ballot(data, manifest, station, verify)
    if kind not in (STATION_OPENED, EPOCH_SEALED, STATION_CLOSED):
        raise UnknownLeaf(field="type")
    leaf = _station_leaf(kind, value)
    if leaf.poll != manifest.poll:
        raise WrongPlace(field="poll")
    if leaf.station != station:
        raise WrongPlace(field="station")
    if strict.canonical(value) != data:
        raise NotCanonical(field="leaf")
    return leaf


def _ballot(data: bytes, manifest: Manifest, station: str, verify: bool) -> Ballot:
    ballot = ballots.parse(data, manifest, verify=verify)
    if ballot.station != station:
        raise WrongPlace("the ballot's stratum votes in another station", field="stratum")
    return ballot


def _station_leaf(kind: str, value: dict[str, Any]) -> StationOpened | EpochSealed | StationClosed:
    if kind == STATION_OPENED:
        fields = Fields(value, (*_PLACE, "manifest_hash"))
        return StationOpened(*_place(fields), fields.hexadecimal("manifest_hash", 32))
    if kind == EPOCH_SEALED:
        fields = Fields(value, (*_PLACE, "epoch", "first", "count"))
        return EpochSealed(
            *_place(fields),
            fields.integer("epoch", least=1),
            fields.integer("first", least=1),
            fields.integer("count", least=1),
        )
    fields = Fields(value, (*_PLACE, "size", "issued", "reissued", "paper"))
    if fields.integer("paper") != 0:
        raise WrongShape("must be 0: this version counts no paper ballots", field="paper")
    return StationClosed(
        *_place(fields), fields.integer("size", least=1), fields.integer("issued"), fields.integer("reissued")
    )


def _place(fields: Fields) -> tuple[str, str]:
    fields.equal("version", 1)
    return fields.uuid("poll"), fields.slug("station")


def _encode(kind: str, poll: str, station: str, **more: Any) -> bytes:
    return strict.canonical({"type": kind, "version": 1, "poll": poll, "station": station, **more})
