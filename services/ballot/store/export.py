"""The bundle of a poll, from the store: what `audit` reads. Streamed; the log is read a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from services.ballot.domain import Poll
from services.ballot.methods import METHODS
from services.ballot.protocol import bundle, checkpoints, tally
from services.ballot.protocol import manifest as manifests
from services.ballot.protocol.manifest import Manifest
from services.ballot.store.log import Log
from services.shared.contracts import ballot as contract
from services.shared.errors import NotFound
from services.shared.eventlog import Feed, Message, open_feed, partition_of
from services.shared.settings import Common


def export_store(log: Log, poll: Poll, manifest: Manifest) -> Iterator[bytes]:
    """Up to each station's newest checkpoint over told leaves. A poll that is still open exports what is sealed."""
    stations = []
    for station in manifest.stations:
        at = log.station(manifest.poll, station.id)
        if at is not None:
            size = at.told or 1  # the checkpoint is of the last sealed epoch; before the first one, of the first leaf
            leaves = log.all_leaves(manifest.poll, station.id, below=size)
            stations.append((station.id, size, at.checkpoint, leaves))
    return write_bundle(manifest, stations, events_of(poll, manifest))


class NotTold(NotFound):
    """The event log does not hold what a bundle needs."""


def export_topic(settings: Common, poll: str) -> Iterator[bytes]:
    """The same bundle from the event log alone, once the tally is told: it names each station's checkpoint."""
    manifest_json: dict[str, Any] | None = None
    events: list[dict[str, Any]] = []
    feed = open_feed(settings, "ballot-export", [contract.TOPIC, contract.LOG_TOPIC])
    try:
        for told in _told(feed, contract.TOPIC, poll):
            event = contract.decode(told.type, told.version, told.value)
            if isinstance(event, contract.PollPublished):
                manifest_json = event.manifest
            elif isinstance(event, contract.TallyComputed):
                events.append(event.tally)
        if manifest_json is None or not events:
            raise NotTold("the event log holds no tally of this poll yet: export from the store", field="poll")
        manifest = manifests.from_json(manifest_json, METHODS)
        events.insert(0, tally.poll_closed(manifest))
        notes = {one["station"]: one["checkpoint"] for one in events[-1]["stations"]}
        stations = (
            (s.id, checkpoints.parse(notes[s.id])[0].size, notes[s.id], _leaves(feed, f"{poll}.{s.id}"))
            for s in manifest.stations
        )
        yield from write_bundle(manifest, stations, events)
    finally:
        feed.close()


def _leaves(feed: Feed, key: str) -> Iterator[bytes]:
    return (told.value for told in _told(feed, contract.LOG_TOPIC, key))


def _told(feed: Feed, topic: str, key: str) -> Iterator[Message]:
    """The messages of one key, each position once and in order, as a consumer would apply them."""
    reached: dict[str, int] = {}
    for delivery in feed.scan(topic, partition_of(key)):
        message = delivery.message
        if message.key == key and message.position > reached.get(message.source, 0):
            reached[message.source] = message.position
            yield message


def events_of(poll: Poll, manifest: Manifest) -> list[dict[str, Any]]:
    """The poll's own public events that an audit compares with."""
    events = []
    if len(poll.checkpoints) == len(manifest.stations):
        events.append(tally.poll_closed(manifest))
    if poll.tally is not None:
        events.append(poll.tally)
    return events


def write_bundle(
    manifest: Manifest,
    stations: Iterable[tuple[str, int, str, Iterable[bytes]]],
    events: Iterable[dict[str, Any]],
) -> Iterator[bytes]:
    """`stations`: (station, leaves, checkpoint, the leaves themselves)."""
    lines = 0

    def counted(line: bytes) -> bytes:
        nonlocal lines
        lines += 1
        return line

    yield counted(bundle.opening(manifest.poll))
    yield counted(bundle.manifest(manifest))
    for name, size, note, leaves in stations:
        yield counted(bundle.station(name, size))
        for leaf in leaves:
            yield counted(bundle.leaf(leaf))
        yield counted(bundle.checkpoint(name, note))
    for event in events:
        yield counted(bundle.event(event))
    yield bundle.end(lines)
