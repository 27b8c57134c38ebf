"""Seeded histories of accept, seal and close over the real code and real SQLite files, with a crash possible between
any two transactions. `python -m tests.ballot.simulation HISTORIES SEED [BUG]`; BUG plants a fault, to see it found.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from services.ballot.methods import METHODS
from services.ballot.protocol import manifest as manifests
from services.ballot.protocol.acceptance import Settled
from services.ballot.protocol.leaves import is_ballot
from services.ballot.protocol.manifest import Manifest
from services.ballot.protocol.merkle import leaf_hash
from services.ballot.protocol.profile import sums
from services.ballot.seal import StationSealer
from services.ballot.store import box as boxes
from services.ballot.store import log as logs
from services.ballot.store.slot import Entry, Key, Slot
from services.shared.store import Duplicate, Tx
from tests.ballot.kit import Town, draft

BUGS = ("cached-gate", "no-log-lookup", "slot-decides", "no-unique")
STATION = "bureau-1"


class CachedGate(Slot):
    @staticmethod
    def open_gates(tx: Tx, entries: Sequence[Entry]) -> set[tuple[str, str]]:
        return {(e.poll, e.station) for e in entries}


class NoLogLookup(boxes.BallotBox):
    def look_up(self, entries: Sequence[Entry], entered: boxes.Entered) -> list[Settled | None]:
        return [
            boxes.settle(e.leaf_hash, h, entered.standing.get(e.key), None)
            for e, h in zip(entries, entered.hindered, strict=True)
        ]


class SlotDecides(boxes.BallotBox):
    def look_up(self, entries: Sequence[Entry], entered: boxes.Entered) -> list[Settled | None]:
        logged = self._logged([e.key for e in entries])
        standing: list[bytes | None] = [entered.standing.get(e.key) or logged.get(e.key) for e in entries]
        return [
            boxes.settle(e.leaf_hash, h, s, None) for e, h, s in zip(entries, entered.hindered, standing, strict=True)
        ]


class Doubling(logs.Log):
    """A log that looks nothing up and whose table keeps no unique key."""

    def append(self, at: logs.Station, rows: Sequence[logs.BallotRow], count: logs.Count) -> logs.Station:
        before = logs.find
        logs.find = lambda *_: {}
        try:
            return super().append(at, rows, count)
        finally:
            logs.find = before


@dataclass
class World:
    rng: random.Random
    manifest: Manifest
    box: boxes.BallotBox
    log: logs.Log
    sealer: StationSealer
    promised: dict[Key, set[bytes]] = field(default_factory=dict)
    prev: dict[bytes, bytes | None] = field(default_factory=dict)


def ballot_bytes(credential: bytes, seq: int, choice: str, prev: bytes | None) -> bytes:
    """What the log reads of a ballot; its signatures were checked before it came here."""
    after = f'"{prev.hex()}"' if prev else "null"
    return (
        f'{{"body":{{"answers":[{{"choice":"{choice}"}}]}},"credential":"{credential.hex()}","prev":{after},'
        f'"seq":{seq},"type":"BallotCast","version":1}}'
    ).encode()


def accept(world: World, entry: Entry) -> Generator[None, None, str]:
    yield
    entered = world.box.enter([entry])
    yield
    [settled] = world.box.look_up([entry], entered)
    yield
    if settled is None:
        return "again"
    if settled.promised:
        world.promised.setdefault(entry.key, set()).add(entry.leaf_hash)
    return "done"


def seal(world: World) -> Generator[None, None, None]:
    yield
    if not world.sealer.slot.waiting(world.manifest.poll, STATION, marked=True):
        world.sealer.slot.mark(world.manifest.poll, STATION)
        yield
    yield from world.sealer.steps()


def ballots_to_cast(world: World) -> list[Entry]:
    rng, entries = world.rng, []
    for c in range(rng.randint(1, 4)):
        credential = bytes([c + 1]) * 32
        before: list[bytes | None] = [None]
        for seq in range(rng.randint(1, 3)):
            bodies = [(ballot_bytes(credential, seq, choice, p), p) for choice in ("oui", "non") for p in before]
            chosen = rng.sample(bodies, min(len(bodies), rng.choice((1, 1, 2))))
            for _ in range(rng.randint(1, 4)):
                data, prev = rng.choice(chosen)
                hash_of = leaf_hash(data)
                world.prev[hash_of] = prev
                entries.append(Entry(world.manifest.poll, STATION, credential, seq, hash_of, prev, data, True))
            before = [leaf_hash(data) for data, _ in chosen]
    rng.shuffle(entries)
    entries.sort(key=lambda e: e.seq + rng.random() * 1.5)
    return entries


def history(world: World) -> str | None:  # noqa: C901 one loop, one actor's turn at a time
    """Runs one history to its end; what is wrong with it, or None."""
    rng, todo = world.rng, ballots_to_cast(world)
    doors: list[tuple[Any, Entry]] = []
    sealing: Any = None
    closes, closed = rng.randint(15, 90), False
    for step in range(600):
        if todo and len(doors) < 4 and rng.random() < 0.5:
            doors.append((accept(world, todo[0]), todo.pop(0)))
        if sealing is None and rng.random() < 0.15:
            sealing = seal(world)
        if step == closes:
            world.sealer.close_gate()
            closed = True
        actors = [*doors, *([(sealing, None)] if sealing else [])]
        if not actors:
            if closed and not todo:
                break
            continue
        actor, entry = rng.choice(actors)
        died = rng.random() < 0.03
        try:
            if not died:
                next(actor)
                continue
            outcome = "again"  # whoever got no answer tries again
        except StopIteration as e:
            outcome = e.value
        except Duplicate:
            return "the log's unique key was hit"
        if entry is None:
            sealing = None
        else:
            doors.remove((actor, entry))
            if outcome == "again":
                todo.insert(0, entry)
        if closed and not todo and rng.random() < 0.3:
            break
    finish(world, doors)
    return fault(world)


def finish(world: World, doors: list[tuple[Any, Entry]]) -> None:
    """The close, as the sealer does it, while doors are still under way; they end after the last leaf is written."""
    world.sealer.close_gate()
    for _ in world.sealer.steps():
        pass
    while world.sealer.has_rows():
        world.sealer.epoch()
    world.sealer.close(4, 0)
    for actor, _ in doors:
        for _ in actor:
            pass


def fault(world: World) -> str | None:
    at = world.sealer.at()
    leaves = world.log.read(world.manifest.poll, STATION, 0, at.size)
    cast = [leaf for leaf in leaves if is_ballot(leaf)]
    logged = {leaf_hash(leaf) for leaf in cast}
    keys = [leaf[leaf.index(b'"credential"') :].split(b',"prev"')[0] + leaf[leaf.index(b'"seq"') :] for leaf in cast]
    if len(keys) != len(set(keys)):
        return "two leaves at one seq"
    for stands in world.promised.values():
        if len(stands) > 1:
            return "two promises at one seq"
        if not stands <= logged:
            return "promised, but not in the log"
    if any(world.prev[leaf] is not None and world.prev[leaf] not in logged for leaf in logged):
        return "a logged ballot whose predecessor is not logged"
    if b'"StationClosed"' not in leaves[-1]:
        return "a leaf after the closing one"
    return None


@contextmanager
def stores(bug: str) -> Any:
    """Files in memory where the machine has such a place: the histories are about order, not about the disk."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        town = Town.embedded(Path(folder))
        if bug == "no-unique":
            with town.log.database.transaction() as tx:
                tx.execute("DROP TABLE ballot")
                tx.execute(
                    """CREATE TABLE ballot (poll TEXT, credential BLOB, seq INTEGER, leaf_hash BLOB, station TEXT,
                       idx INTEGER)"""
                )
        slot = CachedGate(town.slot.database) if bug == "cached-gate" else town.slot
        kinds = {"no-log-lookup": NoLogLookup, "slot-decides": SlotDecides}
        log_kind = Doubling if bug == "no-unique" else logs.Log
        yield town, kinds.get(bug, boxes.BallotBox)(slot, town.log.database), log_kind(town.log.database)


def run(histories: int, seed: int, bug: str = "") -> tuple[int, dict[str, list[int]]]:
    """(promises given, {fault: seeds that show it}); stops at the first fault when one is planted."""
    faults: dict[str, list[int]] = {}
    promises = 0
    with stores(bug) as (town, box, log):
        says = draft()
        parts = town.application._manifest("00000000-0000-4000-8000-000000000000", says, town.roll(says))
        pattern = manifests.from_json(parts.as_json(), METHODS)
        for number in range(seed, seed + histories):
            rng = random.Random(number)
            manifest = replace(pattern, poll=str(UUID(int=rng.getrandbits(128))))
            sealer = StationSealer(town.slot, log, town.log_key, manifest, STATION, chunk=2)
            town.slot.prepare(manifest.poll, [STATION], manifest.hash.hex(), b"{}")
            log.open_station(manifest.poll, STATION, manifest.hash, sums(manifest, {}), sealer.sign)
            town.slot.turn(manifest.poll, STATION, "open")
            world = World(rng, manifest, box, log, sealer)
            wrong = history(world)
            promises += sum(map(len, world.promised.values()))
            if wrong:
                faults.setdefault(wrong, []).append(number)
                if bug:
                    break
    return promises, faults


if __name__ == "__main__":
    said = run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "")
    print(f"{sys.argv[1]} histories from seed {sys.argv[2]}, {said[0]} promises, {said[1] or 'all hold'}")
    sys.exit(1 if said[1] else 0)
