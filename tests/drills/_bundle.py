"""A poll that is over, of any size, written as a bundle line by line: real keys, real signatures, bounded memory."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import BinaryIO, Final, NamedTuple

from services.ballot.protocol import bundle, profile, tally
from services.ballot.protocol.checkpoints import Checkpoint, sign_checkpoint
from services.ballot.protocol.leaves import EpochSealed, StationClosed, StationOpened
from services.ballot.protocol.manifest import Manifest
from services.ballot.protocol.merkle import Frontier, leaf_hash
from services.ballot.protocol.profile import Profile
from services.ballot.protocol.tally import StationCount
from tests.ballot import builder

EPOCH: Final = 5000
_AGAIN: Final = 20  # every so many voters one votes twice
_AHEAD: Final = 4  # epochs made before their turn to be written


class Epoch(NamedTuple):
    leaves: list[bytes]
    voters: int
    won: Profile


class _Lines:
    """Counts what it writes: the bundle's last line says how many stand before it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.count = 0

    def add(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self._stream.write(line)
            self.count += 1


def write(to: Path, ballots: int, seed: int) -> Manifest:
    """`ballots` (thousands) over the stations of the tests' manifest, two thirds in the first, each epoch of 5,000 or
    the rest, made by a process a core. Returns the manifest."""
    manifest = builder.make_manifest()
    shares = (ballots - ballots // 3, ballots // 3)
    spawn = get_context("spawn")
    with to.open("wb") as stream, ProcessPoolExecutor(os.cpu_count(), spawn) as pool:
        lines, counts = _Lines(stream), []
        lines.add([bundle.opening(manifest.poll), bundle.manifest(manifest)])
        for stratum, share in zip(manifest.strata, shares, strict=True):
            epochs = in_turn(pool, stratum.id, share, seed)
            counts.append(_station(lines, manifest, stratum.station, share, epochs))
        lines.add(map(bundle.event, (tally.poll_closed(manifest), tally.build(manifest, counts))))
        lines.add([bundle.end(lines.count)])
    return manifest


def in_turn(pool: ProcessPoolExecutor, stratum: str, ballots: int, seed: int) -> Iterator[Epoch]:
    """The station's epochs in order, a few of them made ahead."""
    sizes = [min(EPOCH, ballots - first) for first in range(0, ballots, EPOCH)]
    ahead: deque[Future[Epoch]] = deque()
    for number, size in enumerate(sizes):
        ahead.append(pool.submit(make_epoch, stratum, size, f"{seed}/{stratum}/{number}"))
        if len(ahead) > _AHEAD:
            yield ahead.popleft().result()
    while ahead:
        yield ahead.popleft().result()


def make_epoch(stratum: str, ballots: int, name: str) -> Epoch:
    """Ballots of voters who have not voted before; one in twenty votes again at once."""
    manifest, issuer, random = builder.make_manifest(), builder.key("parvis/issuer"), Random(name)
    leaves: list[bytes] = []
    voters = 0
    while len(leaves) < ballots:
        voter = builder.Voter(manifest, stratum, f"{name}/{voters}", issuer)
        voters += 1
        for _ in range(min(1 + (voters % _AGAIN == 0), ballots - len(leaves))):
            leaves.append(voter.cast(builder.random_answers(random)))
    return Epoch(sorted(leaves, key=leaf_hash), voters, profile.fold(leaves).profile())


def _station(lines: _Lines, manifest: Manifest, station: str, ballots: int, epochs: Iterable[Epoch]) -> StationCount:
    """Its header, leaves and checkpoint; what it counts."""
    frontier, won, voters = Frontier(), Counter[bytes](), 0

    def append(leaves: list[bytes]) -> None:
        frontier.extend(map(leaf_hash, leaves))
        lines.add(map(bundle.leaf, leaves))

    lines.add([bundle.station(station, ballots + -(-ballots // EPOCH) + 2)])
    append([StationOpened(manifest.poll, station, manifest.hash).encode()])
    for number, epoch in enumerate(epochs, start=1):
        sealed = EpochSealed(manifest.poll, station, number, frontier.size, len(epoch.leaves)).encode()
        append([*epoch.leaves, sealed])
        won.update(epoch.won)
        voters += epoch.voters
    append([StationClosed(manifest.poll, station, frontier.size, voters, 0).encode()])
    checkpoint = Checkpoint(manifest.log_origin(station), frontier.size, frontier.root())
    note = sign_checkpoint(checkpoint, builder.key("parvis/log"))
    lines.add([bundle.checkpoint(station, note)])
    return StationCount(station, note, won, ballots, voters, 0)
