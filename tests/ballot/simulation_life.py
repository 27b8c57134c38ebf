"""Seeded histories of a whole poll over the real code and real SQLite files: officers confirm, replace and cancel, two
stations, voters who vote again and try a second station, doors that remember, sealers that lose their lock while they
work. Whoever acts gives way before each transaction, and may die there.

`python -m tests.ballot.simulation_life HISTORIES SEED [BUG]`; BUG plants a fault, to see it found.
"""

from __future__ import annotations

import io
import logging
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from greenlet import GreenletExit, getcurrent, greenlet
from nacl.signing import SigningKey

from services.ballot import application, seal
from services.ballot.application import BallotApplication
from services.ballot.audit.auditor import Options, audit
from services.ballot.cast import OpenPoll, OpenPolls
from services.ballot.domain import Poll, State
from services.ballot.methods import METHODS
from services.ballot.protocol import ballots, credentials
from services.ballot.protocol import manifest as manifests
from services.ballot.protocol.fields import moment
from services.ballot.protocol.leaves import is_ballot
from services.ballot.protocol.manifest import Manifest
from services.ballot.store.box import BallotBox
from services.ballot.store.export import export_store
from services.ballot.store.log import Log
from services.ballot.store.slot import Entry, Key, Slot, Waiting
from services.shared.errors import Refusal
from services.shared.store import Database, StoreFailed, Tx
from tests.ballot.kit import BLANK, NO, NOON, YES, Town, Voter, draft

STATIONS = ("bureau-1", "bureau-2")
OFFICERS = ("officer-a", "officer-b", "officer-c")
CLOSES = timedelta(hours=8)
STEPS = 600
DEATHS = 0.01
LOST_LOCKS = 0.04
CHUNK = 2


class TurnTaking:
    """Actors are greenlets: each runs until its next transaction begins, and goes on when it is chosen again."""

    def __init__(self) -> None:
        self._main = getcurrent()
        self._depth = 0
        self._real: Any = Database.transaction

    @contextmanager
    def __call__(self) -> Iterator[None]:
        turns = self

        @contextmanager
        def transaction(database: Database, *, write: bool = True) -> Iterator[Tx]:
            if turns._depth == 0 and getcurrent() is not turns._main:
                turns._main.switch()
            turns._depth += 1
            try:
                with turns._real(database, write=write) as tx:
                    yield tx
            finally:
                turns._depth -= 1

        Database.transaction = transaction  # type: ignore[method-assign]
        try:
            yield
        finally:
            Database.transaction = self._real  # type: ignore[method-assign]


class Time:
    """What the sealer knows of time, apart from the clock: it passes as the history goes on."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return self.passed


class Sealer(seal.Sealer):
    """Counts in its own turn, seals a few ballots at a time, and keeps what it could not do."""

    def _count(self, poll: str) -> None:
        self._tally(poll)

    def _stations(self, manifest: Manifest) -> list[seal.StationSealer]:
        return [
            seal.StationSealer(self.slot, self.log, self.key, manifest, s.id, chunk=CHUNK) for s in manifest.stations
        ]


class GatesFirst(Sealer):
    """Opens the gates before the opening stands among the poll's events, so that it can still be replaced."""

    def _prepare(self, manifest: Manifest) -> None:
        super()._prepare(manifest)
        poll = self.application.poll(manifest.poll)
        if poll.may_open and poll.opens_at <= self.clock():
            self._open_gates(manifest)


class DeletesAllMarked(Slot):
    def delete_marked(self, poll: str, rows: Sequence[Waiting]) -> None:
        with self.database.transaction() as tx:
            tx.execute("DELETE FROM slot WHERE poll = ? AND marked = 1", (poll,))


class AnyStation(BallotBox):
    """Goes on in one station with what was begun in another."""

    def _before(self, tx: Tx, keys: Sequence[Key]) -> dict[tuple[Key, str], bytes]:
        found = super()._before(tx, keys)
        return {(key, station): leaf for (key, _), leaf in found.items() for station in STATIONS}


class RemembersShut(OpenPolls):
    """Keeps the manifest of a poll that is not open yet."""

    def _load(self, poll: str) -> OpenPoll:
        manifest_hash = next((found[1] for found in self._slot.gates(poll).values()), None)
        if manifest_hash is None:
            return super()._load(poll)
        found = manifests.parse(self._slot.manifest(manifest_hash), METHODS)
        self._known[poll] = OpenPoll(found, moment(found.opens_at).timestamp(), moment(found.closes_at).timestamp())
        return self._known[poll]


BUGS = ("gates-first", "deletes-all-marked", "any-station", "remembers-shut", "no-term")
RARE = {"remembers-shut": 150, "no-term": 720}
"""Those that some hundred histories may not meet: a seed from which fifty do."""


@dataclass
class World:
    rng: random.Random
    town: Town
    bug: str
    time: Time
    poll: str = ""
    holder: greenlet | None = None
    """The sealer that has the lock."""
    door: OpenPolls | None = None
    voters: list[list[Voter]] = field(default_factory=list)
    """Each with a right in one stratum, or in both: the same credential, signed twice."""
    last: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    """What each voter's device holds: (seq, tracker) of its newest promise."""
    sent: list[bytes] = field(default_factory=list)
    promised: dict[bytes, bytes] = field(default_factory=dict)
    """{leaf: the hash of the manifest under which it was promised}"""

    @property
    def application(self) -> BallotApplication:
        return self.town.application

    def now(self) -> Poll:
        return self.application.poll(self.poll)

    def box(self) -> BallotBox:
        kind = AnyStation if self.bug == "any-station" else BallotBox
        return kind(self.town.slot, self.town.log.database)

    def sealer(self) -> Sealer:
        kind = GatesFirst if self.bug == "gates-first" else Sealer
        slot = DeletesAllMarked if self.bug == "deletes-all-marked" else Slot
        return kind(
            self.application, self.town.views, slot(self.town.slot.database), Log(self.town.log.database),
            self.town.log_key, self.town.clock,
        )  # fmt: skip

    def opened(self) -> OpenPolls:
        kind = RemembersShut if self.bug == "remembers-shut" else OpenPolls
        return kind(self.town.slot)


# --- what each of them does, in its own time ---


def confirm(world: World, officer: str) -> None:
    read = world.now().manifest_hash or ""
    world.application.confirm_opening(world.poll, read, officer)


def accept_manifest(world: World) -> None:
    read = world.now().manifest_hash or ""
    world.application.record_issuance_ready(world.poll, read)


def replace(world: World, officer: str) -> None:
    says = draft(STATIONS, closes=NOON + CLOSES, epoch_min=1)
    says["description"] = f"Version {world.rng.randrange(1000)}"
    world.application.replace(world.poll, says, world.town.roll(says), "Une faute dans le texte", officer)


def cancel(world: World, officer: str) -> None:
    world.application.cancel(world.poll, "Le conseil a retiré la question", officer)


def vote(world: World, data: bytes) -> None:
    """A door that may have looked the poll up long ago."""
    door = world.door = world.door or world.opened()
    known = door._known.get(world.poll) or door._load(world.poll)
    ballot = ballots.parse(data, known.manifest)
    in_time = known.opens <= world.town.clock.now.timestamp() < known.closes
    entry = Entry(
        world.poll, ballot.station, ballot.credential, ballot.seq, ballot.leaf_hash, ballot.prev, data, in_time
    )
    [settled] = world.box().accept([entry])
    if settled.promised:
        world.promised[data] = known.manifest.hash
        seq, _ = world.last.get(ballot.credential, (-1, b""))
        if ballot.seq > seq:
            world.last[ballot.credential] = (ballot.seq, ballot.leaf_hash)


def write_and_vote(world: World) -> None:
    """A ballot under the manifest that the voter sees; now and then one that was sent before."""
    rng = world.rng
    if world.sent and rng.random() < 0.3:
        return vote(world, rng.choice(world.sent))
    voter = rng.choice(rng.choice(world.voters))
    seq, tracker = world.last.get(voter.credential, (-1, b""))
    manifest = world.application.manifest(world.poll)
    seen = Voter(manifest, voter.stratum, voter.key, voter.signature)
    data = seen.ballot(rng.choice((YES, NO, BLANK)), seq=seq + 1, prev=tracker or None)
    world.sent.append(data)
    return vote(world, data)


def look_again_and_again(world: World) -> None:
    """A sealer, until its lock is gone: looked at before each round alone, so a round may outlive it."""
    sealer = world.sealer()
    if world.bug != "no-term":
        sealer.begin()
    while world.holder is getcurrent():
        sealer.look()
        with world.town.log.database.transaction(write=False):
            pass  # its pause


# --- a history ---


def history(world: World) -> str | None:
    """Runs one history to its end; what is wrong with it, or None."""
    rng, town = world.rng, world.town
    town.clock.now = NOON - timedelta(hours=1)
    application.uuid4 = lambda: UUID(int=rng.getrandbits(128), version=4)  # type: ignore[attr-defined]
    says = draft(STATIONS, closes=NOON + CLOSES, epoch_min=1)
    world.poll = town.application.draft(says, OFFICERS[0])
    town.application.publish(world.poll, town.roll(says), OFFICERS[0])
    world.voters = [_voter(world) for _ in range(4)]
    with_cancellation = rng.random() < 0.1
    actors: list[greenlet] = []
    last: greenlet | None = None
    for _ in range(STEPS):
        town.clock.now += timedelta(minutes=1)
        world.time.passed += 1
        if world.holder is None or world.holder.dead or rng.random() < LOST_LOCKS:
            actors.append(_start(world, look_again_and_again))
            world.holder = actors[-1]
        if len(actors) < 6 and rng.random() < 0.5:
            actors.append(_start(world, *_next(world, with_cancellation)))
        if rng.random() < 0.03:
            world.door = None  # another door, which knows nothing yet
        # In bursts, so that one stays where it is while another goes a long way.
        stays = last is not None and last in actors and rng.random() < 0.6
        actor = last = last if stays and last is not None else rng.choice(actors)
        if rng.random() < DEATHS:
            actor.throw(GreenletExit)
        else:
            actor.switch()
        actors = [one for one in actors if not one.dead]
    for actor in actors:
        while not actor.dead and actor is not world.holder:
            actor.switch()
    if world.holder is not None and not world.holder.dead:
        world.holder.throw(GreenletExit)
    return finish(world)


def _next(world: World, with_cancellation: bool) -> tuple[Callable[..., None], *tuple[Any, ...]]:
    """Officers are busy before the opening, voters after it."""
    rng, officer = world.rng, world.rng.choice(OFFICERS)
    busy = 0.8 if world.town.clock.now < NOON + timedelta(minutes=40) else 0.05
    if rng.random() > busy:
        return (write_and_vote,)
    if with_cancellation and rng.random() < 0.2:
        return cancel, officer
    if rng.random() < 0.06:
        return replace, officer
    return (accept_manifest,) if rng.random() < 0.3 else (confirm, officer)


def _start(world: World, act: Callable[..., None], *given: Any) -> greenlet:
    def run() -> None:
        try:
            act(world, *given)
        except (Refusal, StoreFailed):
            pass  # an answer to whoever asked; a sealer whose store fails ends

    return greenlet(run)


def _voter(world: World) -> list[Voter]:
    manifest = world.application.manifest(world.poll)
    strata = [stratum.id for stratum in manifest.strata]
    world.rng.shuffle(strata)
    one = Voter(manifest, strata[0], credentials.credential_key(world.rng.randbytes(32), world.poll), b"")
    one.signature = credentials.issue(world.town.issuer_key, world.poll, strata[0], one.credential)
    if world.rng.random() < 0.7:
        return [one]
    twice = Voter(manifest, strata[1], one.key, b"")
    twice.signature = credentials.issue(world.town.issuer_key, world.poll, strata[1], one.credential)
    return [one, twice]


def finish(world: World) -> str | None:
    """The close and the count, undisturbed; then everything that must be true."""
    town, sealer = world.town, world.sealer()
    town.clock.now = NOON + timedelta(days=30)
    for _ in range(3):
        world.time.passed += 100  # whatever was put off for a minute is due
        sealer.look()
        for stratum in world.application.manifest(world.poll).strata:
            town.application.record_issuance(world.poll, stratum.id, 100, 0)
    poll = world.now()
    if poll.state is State.CLOSED:
        for officer in OFFICERS[:2]:
            town.application.confirm_count(world.poll, poll.checkpoints_hash or "", officer)
        sealer.look()
    wrong = fault(world, world.now())
    with town.views.database.transaction() as tx:  # one that never opened would stay on every later sealer's list
        tx.execute("DELETE FROM poll_view")
        tx.execute("DELETE FROM poll_count")
    return wrong


def fault(world: World, poll: Poll) -> str | None:
    manifest = world.application.manifest(world.poll)
    if any(under != manifest.hash for under in world.promised.values()):
        return "promised under a manifest that is not in force"
    logged = _logged(world)
    if len(logged) != len(set(logged)):
        return "one ballot twice in the log"
    where = {(ballots.parse(leaf, manifest).credential, station) for leaf, station in logged}
    if len(where) != len({credential for credential, _ in where}):
        return "one credential in two stations"
    if missing := world.promised.keys() - {leaf for leaf, _ in logged}:
        return f"{len(missing)} promised, but not in the log"
    if poll.state in (State.OPEN, State.CLOSING, State.CLOSED):
        return f"the poll stays {poll.state}"
    return audited(world, poll, manifest) if poll.state is State.TALLIED else None


def audited(world: World, poll: Poll, manifest: Manifest) -> str | None:
    bundle = io.BytesIO(b"".join(export_store(world.town.log, poll, manifest)))
    report = audit(bundle, Options(manifest.hash))
    return None if report.passed else f"audit: {report.findings[0].finding}, {report.findings[0].cause}"


def _logged(world: World) -> list[tuple[bytes, str]]:
    """Every ballot in the logs, with its station."""
    log = world.town.log
    sizes = [(at.station, at.size) for at in log.stations_of(world.poll)]
    leaves = [(leaf, name) for name, size in sizes for leaf in log.read(world.poll, name, 0, size)]
    return [(leaf, name) for leaf, name in leaves if is_ballot(leaf)]


@dataclass
class Told:
    """What all histories came to."""

    histories: int = 0
    promises: int = 0
    replaced: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    faults: dict[str, list[int]] = field(default_factory=dict)


def run(histories: int, seed: int, bug: str = "") -> Told:
    """Stops at the first fault when one is planted."""
    told, time, quiet = Told(), Time(), logging.getLogger("parvis")
    before, seal.time = seal.time, time  # type: ignore[attr-defined,assignment]
    uuid4 = application.uuid4  # type: ignore[attr-defined]
    quiet.disabled = True
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    try:
        with tempfile.TemporaryDirectory(dir=memory) as folder, TurnTaking()():
            town = Town.embedded(Path(folder))
            town.issuer_key = SigningKey(bytes(32))
            town._wire(SigningKey(bytes([1]) * 32), SigningKey(bytes([2]) * 32))
            for number in range(seed, seed + histories):
                world = World(random.Random(number), town, bug, time)
                wrong = history(world)
                poll = world.now()
                told.histories += 1
                told.promises += len(world.promised)
                told.replaced += (poll.manifest or {})["replaces"] is not None
                told.ends[str(poll.state)] = told.ends.get(str(poll.state), 0) + 1
                if wrong:
                    told.faults.setdefault(wrong, []).append(number)
                    if bug:
                        break
    finally:
        seal.time = before  # type: ignore[attr-defined]
        application.uuid4 = uuid4  # type: ignore[attr-defined]
        quiet.disabled = False
    return told


if __name__ == "__main__":
    said = run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "")
    print(said)
    sys.exit(1 if said.faults else 0)
