"""From the stations' logs to the tally: profiles are folded station by station and the method runs once."""

from __future__ import annotations

from typing import Any

from services.ballot.protocol import leaves, tally
from services.ballot.protocol.manifest import Manifest
from services.ballot.protocol.profile import Winners, fold
from services.ballot.store.log import Log


class NotWhole(Exception):
    """A station's log does not end with its closing leaf. Counting it would be wrong."""


def count_poll(log: Log, manifest: Manifest) -> dict[str, Any]:
    """The value of TallyComputed, from closed logs alone."""
    return tally.build(manifest, [_station(log, manifest, station.id) for station in manifest.stations])


def _station(log: Log, manifest: Manifest, name: str) -> tally.StationCount:
    at = log.station(manifest.poll, name)
    if at is None or not at.closed:
        raise NotWhole(f"{manifest.poll}.{name} is not closed")
    winners: Winners = fold(log.all_leaves(manifest.poll, name, below=at.size))
    last = leaves.parse(log.read(manifest.poll, name, at.size - 1, 1)[0], manifest, name)
    if not isinstance(last, leaves.StationClosed):
        raise NotWhole(f"{manifest.poll}.{name} ends with {type(last).__name__}")
    return tally.StationCount(
        station=name,
        checkpoint=at.checkpoint,
        profile=winners.profile(),
        ballots=winners.ballots,
        issued=last.issued,
        reissued=last.reissued,
    )
