"""The sealer: turns the gates at the poll's two dates, seals epochs, writes each station's first and last leaf.

A door of its own, one process. Every step is one transaction and harmless when repeated: after a crash it goes on with
the rows that are marked.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from nacl.signing import SigningKey

from services.ballot.application import BallotApplication
from services.ballot.domain import Poll, State
from services.ballot.protocol.checkpoints import Checkpoint, sign_checkpoint
from services.ballot.protocol.manifest import Manifest
from services.ballot.protocol.profile import sums
from services.ballot.store.count import count_poll
from services.ballot.store.log import BallotRow, Log, Sums
from services.ballot.store.log import Station as StationLog
from services.ballot.store.slot import Slot, Waiting
from services.ballot.store.views import Views
from services.shared.store_failures import StoreFailed

CHUNK: Final = 2000
_PAUSE: Final = 60.0  # seconds until a poll that failed is tried again
_log = logging.getLogger("parvis")


class StationSealer:
    """The steps of one station. What it knows of time is only how long ago it sealed last."""

    def __init__(
        self, slot: Slot, log: Log, key: SigningKey, manifest: Manifest, station: str, *, chunk: int = CHUNK
    ) -> None:
        self.slot = slot
        self.log = log
        self.key = key
        self.manifest = manifest
        self.station = station
        self.chunk = chunk

    def open(self) -> None:
        """The first leaf, then the gate: no ballot can be promised before its log exists."""
        self.log.open_station(self.manifest.poll, self.station, self.manifest.hash, sums(self.manifest, {}), self.sign)
        self.slot.turn(self.manifest.poll, self.station, "open")

    def close_gate(self) -> None:
        """On return, no insert is under way and none can follow."""
        self.slot.turn(self.manifest.poll, self.station, "closing")

    def waits(self) -> int:
        """Distinct credentials that wait with a ballot the log does not have."""
        rows = self.slot.waiting(self.manifest.poll, self.station, marked=False)
        fresh = self.log.missing(self.manifest.poll, [(r.credential, r.seq) for r in rows])
        return len({credential for credential, _ in fresh})

    def has_rows(self) -> bool:
        return self.slot.has_rows(self.manifest.poll, self.station)

    def finish(self) -> bool:
        """Carries an epoch that was marked, by this process or one that died, to its end. False: nothing was marked."""
        return sum(1 for _ in self.steps()) > 0

    def steps(self) -> Iterator[None]:
        """One transaction before each `yield`: the process may die at any of them, and another goes on from there."""
        waiting = self.slot.waiting(self.manifest.poll, self.station, marked=True)
        if not waiting:
            return
        rows = sorted(waiting, key=lambda row: row.leaf_hash)
        at = self.at()
        for first in range(0, len(rows), self.chunk):
            at = self.append(at, rows[first : first + self.chunk])
            yield
        self.log.seal_epoch(at, self.sign)
        yield
        self.slot.delete_marked(self.manifest.poll, rows)
        yield

    def epoch(self) -> None:
        """Everything that waits now becomes one epoch."""
        self.slot.mark(self.manifest.poll, self.station)
        self.finish()

    def append(self, at: StationLog, rows: list[Waiting]) -> StationLog:
        found = self.slot.leaves(self.manifest.poll, rows)
        ballots = [BallotRow(r.leaf_hash, r.credential, r.seq, found[r.leaf_hash]) for r in rows]
        return self.log.append(at, ballots, self.recount)

    def restored(self, *, takes_ballots: bool) -> None:
        """A copy may have caught the log between an epoch's leaves and its end. Those become an epoch of their own: the
        others of their epoch were in the slot, which no copy has."""
        if self.log.station(self.manifest.poll, self.station) is None:
            return  # never opened: a look does that
        self.log.seal_epoch(self.at(), self.sign)
        for state in ("open",) if takes_ballots else ("open", "closing"):
            self.slot.turn(self.manifest.poll, self.station, state)

    def close(self, issued: int, reissued: int) -> str:
        """The last leaf; the checkpoint over the whole log."""
        return self.log.close_station(self.at(), issued, reissued, self.sign).checkpoint

    def at(self) -> StationLog:
        found = self.log.station(self.manifest.poll, self.station)
        if found is None:
            raise LookupError(f"the log of {self.manifest.poll}.{self.station} was never opened")
        return found

    def sign(self, station: str, size: int, root: bytes) -> str:
        return sign_checkpoint(Checkpoint(self.manifest.log_origin(station), size, root), self.key)

    def recount(self, before: Sums, change: dict[bytes, int]) -> Sums:
        after: Sums = []
        for question, old, new in zip(self.manifest.questions, before, sums(self.manifest, change), strict=True):
            after.append(None if old is None or new is None else question.rule.add(old, new))
        return after


class Sealer:
    """Walks all polls that need it. `look()` does what is due now."""

    def __init__(
        self,
        application: BallotApplication,
        views: Views,
        slot: Slot,
        log: Log,
        key: SigningKey,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.application = application
        self.views = views
        self.slot = slot
        self.log = log
        self.key = key
        self.clock = clock
        self._sealed: dict[tuple[str, str], float] = {}
        self._shut: set[str] = set()
        self._counting: dict[str, threading.Thread] = {}
        self._again: dict[str, float] = {}

    def begin(self) -> None:
        """Takes over from whoever sealed before: what they had not finished is finished by this one's looks."""
        self.log.term.begin()
        self.slot.term.begin()

    def look(self) -> None:
        """One round over every poll that needs the sealer. One that fails is told, left alone for a minute, and does
        not hold up the others. Raises StoreFailed, LogOvertaken included: then this process must end."""
        for poll, work in self.views.work().items():
            if time.monotonic() < self._again.get(poll, 0):
                continue
            try:
                if work == "seal":
                    self._seal(poll)
                elif work == "count":
                    self._count(poll)
                elif poll not in self._shut:
                    self._shut_for_good(self.application.poll(poll))
            except StoreFailed:
                raise
            except Exception as e:  # noqa: BLE001 whatever is wrong with one poll, the others go on
                self._postpone(poll, e)

    def restored(self) -> None:
        """Once, after the stores were put back without the slot: its gates as the polls say (a poll that is over keeps
        them, or a repeated ballot would not get its promise again), and no epoch left half-way."""
        for poll in self.views.published():
            found = self.application.poll(poll)
            if found.state is State.PUBLISHED:
                continue  # a look sets the gates of a poll that is not open yet
            manifest = self.application.manifest(poll)
            self._prepare(manifest)
            for station in self._stations(manifest):
                station.restored(takes_ballots=found.state is State.OPEN)

    def _postpone(self, poll: str, failure: Exception) -> None:
        self._again[poll] = time.monotonic() + _PAUSE
        _log.error("a poll cannot go on", extra={"poll": poll, "code": type(failure).__name__}, exc_info=failure)

    def _seal(self, name: str) -> None:
        manifest, poll = self.application.manifest(name), self.application.poll(name)
        if poll.manifest_hash != manifest.hash.hex():
            return  # replaced between: the next look sees both alike
        if poll.state is State.PUBLISHED:
            self._prepare(manifest)
            if not poll.may_open or poll.opens_at > self.clock():
                return
            self.application.open(manifest.poll, manifest.hash.hex())
            poll = self.application.poll(name)
        if poll.state is State.OPEN:
            self._open_gates(manifest)
        if poll.state is State.OPEN and self.clock() >= poll.closes_at:
            for station in self._stations(manifest):
                station.close_gate()
            self.application.begin_closing(manifest.poll)
            poll = self.application.poll(manifest.poll)
        for station in self._stations(manifest):
            self._seal_station(poll, station)

    def _seal_station(self, poll: Poll, station: StationSealer) -> None:
        station.finish()
        if poll.state is State.CLOSING:
            if station.station in poll.checkpoints:
                return
            while station.has_rows():
                station.epoch()
            issuance = poll.issuance.get(poll.stratum_of(station.station))
            if issuance is not None:
                checkpoint = station.close(issuance["issued"], issuance["reissued"])
                self.application.close_station(str(poll.id), station.station, checkpoint)
            return
        key = (station.manifest.poll, station.station)
        now = time.monotonic()
        last = self._sealed.setdefault(key, now)
        if now - last >= station.manifest.epoch_seconds and station.waits() >= station.manifest.epoch_min:
            station.epoch()
            self._sealed[key] = time.monotonic()

    def _open_gates(self, manifest: Manifest) -> None:
        """All of them, however far another process came before it died."""
        gates = self.slot.gates(manifest.poll)
        for station in self._stations(manifest):
            if gates.get(station.station, ("shut", ""))[0] == "shut":
                station.open()

    def _prepare(self, manifest: Manifest) -> None:
        """The doors know the poll, shut, under the manifest in force."""
        gates = self.slot.gates(manifest.poll)
        names = [station.id for station in manifest.stations]
        if {name: found[1] for name, found in gates.items()} != dict.fromkeys(names, manifest.hash.hex()):
            self.slot.prepare(manifest.poll, names, manifest.hash.hex(), manifest.canonical)

    def _count(self, poll: str) -> None:
        """In a thread: a million ballots take seconds, and other polls' epochs do not wait for them."""
        running = self._counting.get(poll)
        if running is None or not running.is_alive():
            self._counting[poll] = threading.Thread(target=self._tally, args=(poll,), name=f"count-{poll}", daemon=True)
            self._counting[poll].start()

    def _tally(self, poll: str) -> None:
        try:
            self.application.record_tally(poll, count_poll(self.log, self.application.manifest(poll)))
        except Exception as e:  # noqa: BLE001 tried again in a minute; other polls are sealed meanwhile
            self._postpone(poll, e)

    def _shut_for_good(self, poll: Poll) -> None:
        """A cancelled poll: what was accepted is still sealed, so that every promise holds; nothing is counted."""
        manifest = self.application.manifest(str(poll.id))
        self.slot.shut_for_good(manifest.poll)
        for station in self._stations(manifest):
            if self.log.station(manifest.poll, station.station) is not None:
                station.finish()
                while station.has_rows():
                    station.epoch()
        self._shut.add(manifest.poll)

    def _stations(self, manifest: Manifest) -> list[StationSealer]:
        return [StationSealer(self.slot, self.log, self.key, manifest, s.id) for s in manifest.stations]


def run(
    sealer: Sealer,
    pause: float,
    asked: Callable[[], bool],
    beat: Callable[[], None],
    still_held: Callable[[], None],
) -> None:
    """Takes over, then looks until asked to stop. Whatever fails ends the process: a new one starts from what is on
    disk. So does the loss of the lock, which is looked at before each round: another sealer may hold it by then. Within
    a round the stores themselves refuse what an older sealer writes."""
    sealer.begin()
    sealer.views.recount()
    while not asked():
        still_held()
        sealer.look()
        beat()
        time.sleep(pause)
