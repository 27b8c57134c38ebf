"""The log of each polling station: exact leaves, Merkle frontier, signed checkpoints. The sealer alone writes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple

from services.ballot.protocol.ballots import peek
from services.ballot.protocol.leaves import EpochSealed, StationClosed, StationOpened
from services.ballot.protocol.merkle import Frontier, leaf_hash
from services.ballot.store.slot import Key, find
from services.ballot.store.term import TERM_STEP, Term
from services.shared.store import Database, StoreFailed, Tx
from services.shared.strict import canonical, parse

STEPS: Final = (
    """CREATE TABLE station (poll TEXT NOT NULL, station TEXT NOT NULL, size {bigint} NOT NULL,
         frontier {blob} NOT NULL, epoch {bigint} NOT NULL, told {bigint} NOT NULL, turnout {bigint} NOT NULL,
         sums TEXT NOT NULL, checkpoint TEXT NOT NULL, closed INTEGER NOT NULL, revision {bigint} NOT NULL,
         PRIMARY KEY (poll, station));
       CREATE INDEX station_revision ON station (revision);
       CREATE TABLE leaf (poll TEXT NOT NULL, station TEXT NOT NULL, idx {bigint} NOT NULL, leaf {blob} NOT NULL,
         PRIMARY KEY (poll, station, idx)) {without_rowid};
       CREATE TABLE ballot (poll TEXT NOT NULL, credential {blob} NOT NULL, seq {bigint} NOT NULL,
         leaf_hash {blob} NOT NULL, station TEXT NOT NULL, idx {bigint} NOT NULL,
         PRIMARY KEY (poll, credential, seq)) {without_rowid};
       CREATE INDEX ballot_tracker ON ballot (leaf_hash);
       CREATE TABLE epoch (poll TEXT NOT NULL, station TEXT NOT NULL, epoch {bigint} NOT NULL,
         size {bigint} NOT NULL, turnout {bigint} NOT NULL, sums TEXT NOT NULL, checkpoint TEXT NOT NULL,
         PRIMARY KEY (poll, station, epoch))""",
    TERM_STEP,
)
_LEAF: Final = ("text", "text", "bigint", "bytea")
_BALLOT: Final = ("text", "bytea", "bigint", "bytea", "text", "bigint")
Sign = Callable[[str, int, bytes], str]
"""(station, size, root) → the signed checkpoint"""
Sums = list[dict[str, Any] | None]
"""Per question; None where the method's result is not a sum"""
Count = Callable[[Sums, dict[bytes, int]], Sums]
"""The sums after a change of the profile: {canonical answers: how many more, or fewer, chose them}"""


class LogOvertaken(StoreFailed):
    """Another sealer wrote between: this one must exit and look anew."""


@dataclass(frozen=True, slots=True)
class Station:
    """Where a station's log stands."""

    poll: str
    station: str
    size: int
    frontier: Frontier
    epoch: int
    told: int
    """Leaves that may be told: up to the last EpochSealed or the closing leaf."""
    turnout: int
    sums: Sums
    checkpoint: str
    closed: bool


class BallotRow(NamedTuple):
    leaf_hash: bytes
    credential: bytes
    seq: int
    leaf: bytes


class Log:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.term = Term(database)

    def station(self, poll: str, station: str) -> Station | None:
        with self.database.transaction(write=False) as tx:
            return _station(tx, poll, station)

    def told_since(self, revision: int) -> list[tuple[str, str, int, int]]:
        """(poll, station, told, revision) of logs that were sealed or closed after `revision`, oldest first."""
        sql = "SELECT poll, station, told, revision FROM station WHERE revision > ? ORDER BY revision"
        with self.database.transaction(write=False) as tx:
            return [(p, s, int(t), int(r)) for p, s, t, r in tx.execute(sql, (revision,))]

    def stations_of(self, poll: str) -> list[Station]:
        with self.database.transaction(write=False) as tx:
            names = tx.execute("SELECT station FROM station WHERE poll = ? ORDER BY station", (poll,))
            return [s for (name,) in names if (s := _station(tx, poll, name)) is not None]

    def told(self, polls: Sequence[str]) -> dict[str, int]:
        """Turnout by poll as of the last sealed epochs; polls without one are absent."""
        if not polls:
            return {}
        sql = f"""SELECT s.poll, sum(e.turnout) FROM station s
                  JOIN epoch e ON e.poll = s.poll AND e.station = s.station AND e.epoch = s.epoch
                  WHERE s.poll IN ({",".join("?" * len(polls))}) GROUP BY s.poll"""
        with self.database.transaction(write=False) as tx:
            return {poll: int(turnout) for poll, turnout in tx.execute(sql, polls)}

    def epochs(self, poll: str) -> list[tuple[str, int, int, Sums]]:
        """(station, epoch, turnout so far, sums so far), in order: the newest, and at most 200 points a station before
        it, evenly spaced."""
        sql = """SELECT e.station, e.epoch, e.turnout, e.sums FROM epoch e
                 JOIN station s ON s.poll = e.poll AND s.station = e.station
                 WHERE e.poll = ? AND (e.epoch % (s.epoch / 200 + 1) = 0 OR e.epoch = s.epoch)
                 ORDER BY e.station, e.epoch"""
        with self.database.transaction(write=False) as tx:
            return [(s, int(e), int(t), parse(sums.encode())) for s, e, t, sums in tx.execute(sql, (poll,))]

    def epoch(self, poll: str, station: str, epoch: int) -> tuple[int, Sums] | None:
        """(turnout, sums) as told at the end of that epoch."""
        sql = "SELECT turnout, sums FROM epoch WHERE poll = ? AND station = ? AND epoch = ?"
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(sql, (poll, station, epoch))
        return (int(rows[0][0]), parse(rows[0][1].encode())) if rows else None

    def read(self, poll: str, station: str, first: int, limit: int, *, below: int | None = None) -> list[bytes]:
        """Leaves from index `first` on, at most `limit`, none at or above `below`."""
        last = first + limit if below is None else min(first + limit, below)
        sql = "SELECT leaf FROM leaf WHERE poll = ? AND station = ? AND idx >= ? AND idx < ? ORDER BY idx"
        with self.database.transaction(write=False) as tx:
            return [leaf for (leaf,) in tx.execute(sql, (poll, station, first, last))]

    def all_leaves(self, poll: str, station: str, *, below: int, chunk: int = 5000) -> Iterator[bytes]:
        """Every leaf of a station in order, read a chunk at a time."""
        return chain.from_iterable(
            self.read(poll, station, first, chunk, below=below) for first in range(0, below, chunk)
        )

    def missing(self, poll: str, keys: Sequence[tuple[bytes, int]]) -> list[tuple[bytes, int]]:
        """Those (credential, seq) that the log does not have yet."""
        found: set[Key] = set()
        with self.database.transaction(write=False) as tx:
            for first in range(0, len(keys), 5000):
                found |= find(tx, "ballot", [(poll, *key) for key in keys[first : first + 5000]]).keys()
        return [key for key in keys if (poll, *key) not in found]

    def tracker(self, poll: str, hash_of_leaf: bytes) -> tuple[str, int] | None:
        """(station, index) of the ballot with this tracker."""
        sql = "SELECT station, idx FROM ballot WHERE leaf_hash = ? AND poll = ?"
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(sql, (hash_of_leaf, poll))
        return (rows[0][0], int(rows[0][1])) if rows else None

    # --- the sealer's steps, each one transaction; they raise LogOvertaken or TakenOver ---

    def open_station(self, poll: str, station: str, manifest_hash: bytes, sums: Sums, sign: Sign) -> None:
        """The first leaf, with a checkpoint. Harmless if repeated."""
        leaf = StationOpened(poll, station, manifest_hash).encode()
        with self.term.transaction() as tx:
            if _station(tx, poll, station) is not None:
                return
            frontier = Frontier()
            frontier.append(leaf_hash(leaf))
            tx.execute("INSERT INTO leaf VALUES (?, ?, 0, ?)", (poll, station, leaf))
            tx.execute(
                "INSERT INTO station VALUES (?, ?, 1, ?, 0, 0, 0, ?, ?, 0, 0)",
                (poll, station, frontier.serialise(), _text(sums), sign(station, 1, frontier.root())),
            )

    def append(self, at: Station, rows: Sequence[BallotRow], count: Count) -> Station:
        """Appends those ballots whose key the log does not have, in the order given."""
        with self.term.transaction() as tx:
            _still(tx, at)
            known = find(tx, "ballot", [(at.poll, r.credential, r.seq) for r in rows])
            fresh = [r for r in rows if (at.poll, r.credential, r.seq) not in known]
            if not fresh:
                return at
            newcomers, change = self._change(tx, at, fresh)
            new = list(enumerate(fresh, start=at.size))
            tx.insert("leaf", _LEAF, [(at.poll, at.station, i, r.leaf) for i, r in new])
            tx.insert("ballot", _BALLOT, [(at.poll, r.credential, r.seq, r.leaf_hash, at.station, i) for i, r in new])
            at.frontier.extend(r.leaf_hash for r in fresh)
            tx.execute(
                "UPDATE station SET size = ?, frontier = ?, turnout = ?, sums = ? WHERE poll = ? AND station = ?",
                (
                    at.frontier.size,
                    at.frontier.serialise(),
                    at.turnout + newcomers,
                    _text(count(at.sums, change)),
                    at.poll,
                    at.station,
                ),
            )
            return _known(_station(tx, at.poll, at.station))

    def seal_epoch(self, at: Station, sign: Sign) -> Station:
        """`EpochSealed` and the signed checkpoint in one transaction. No ballot since the last one: nothing."""
        first = max(at.told, 1)
        if at.size == first:
            return at
        epoch = at.epoch + 1
        leaf = EpochSealed(at.poll, at.station, epoch, first, at.size - first).encode()
        with self.term.transaction() as tx:
            checkpoint = self._end(tx, at, leaf, sign)
            tx.execute("UPDATE station SET epoch = ? WHERE poll = ? AND station = ?", (epoch, at.poll, at.station))
            tx.execute(
                "INSERT INTO epoch VALUES (?, ?, ?, ?, ?, ?, ?)",
                (at.poll, at.station, epoch, at.size + 1, at.turnout, _text(at.sums), checkpoint),
            )
            return _known(_station(tx, at.poll, at.station))

    def close_station(self, at: Station, issued: int, reissued: int, sign: Sign) -> Station:
        """The last leaf. Harmless if repeated. The gate must be closed and the station's slot empty."""
        if at.closed:
            return at
        leaf = StationClosed(at.poll, at.station, at.size, issued, reissued).encode()
        with self.term.transaction() as tx:
            self._end(tx, at, leaf, sign)
            tx.execute("UPDATE station SET closed = 1 WHERE poll = ? AND station = ?", (at.poll, at.station))
            return _known(_station(tx, at.poll, at.station))

    def _end(self, tx: Tx, at: Station, leaf: bytes, sign: Sign) -> str:
        _still(tx, at)
        at.frontier.append(leaf_hash(leaf))
        size = at.frontier.size
        checkpoint = sign(at.station, size, at.frontier.root())
        tx.execute("INSERT INTO leaf VALUES (?, ?, ?, ?)", (at.poll, at.station, size - 1, leaf))
        tx.execute(
            """UPDATE station SET size = ?, told = ?, frontier = ?, checkpoint = ?,
               revision = (SELECT max(revision) + 1 FROM station) WHERE poll = ? AND station = ?""",
            (size, size, at.frontier.serialise(), checkpoint, at.poll, at.station),
        )
        return checkpoint

    def _change(self, tx: Tx, at: Station, fresh: Sequence[BallotRow]) -> tuple[int, dict[bytes, int]]:
        """Credentials seen for the first time, and what the winning ballots among `fresh` change in the profile."""
        winners: dict[bytes, BallotRow] = {}
        for row in fresh:
            if row.credential not in winners or row.seq > winners[row.credential].seq:
                winners[row.credential] = row
        earlier = _winners(tx, at.poll, list(winners))
        change: Counter[bytes] = Counter()
        for credential, row in winners.items():
            before = earlier.get(credential)
            if before is not None and before[0] > row.seq:
                continue
            if before is not None:
                sql = "SELECT leaf FROM leaf WHERE poll = ? AND station = ? AND idx = ?"
                change[peek(bytes(tx.execute(sql, (at.poll, before[1], before[2]))[0][0]))[2]] -= 1
            change[peek(row.leaf)[2]] += 1
        return len(winners) - len(earlier), dict(change)


def _winners(tx: Tx, poll: str, credentials: list[bytes]) -> dict[bytes, tuple[int, str, int]]:
    """{credential: (seq, station, index)} of what stands already."""
    if tx.engine == "postgres":
        these, params = "= ANY(?)", [credentials]
    else:
        these, params = f"IN ({','.join('?' * len(credentials))})", list(credentials)  # type: ignore[arg-type]
    sql = f"""SELECT b.credential, b.seq, b.station, b.idx FROM ballot b
              JOIN (SELECT credential, max(seq) AS seq FROM ballot WHERE poll = ? AND credential {these}
                    GROUP BY credential) w
              ON b.credential = w.credential AND b.seq = w.seq WHERE b.poll = ?"""
    rows = tx.execute(sql, (poll, *params, poll))
    return {bytes(credential): (int(seq), station, int(idx)) for credential, seq, station, idx in rows}


def _station(tx: Tx, poll: str, station: str) -> Station | None:
    sql = """SELECT size, frontier, epoch, told, turnout, sums, checkpoint, closed FROM station
             WHERE poll = ? AND station = ?"""
    for size, frontier, epoch, told, turnout, sums, checkpoint, closed in tx.execute(sql, (poll, station)):
        return Station(
            poll=poll,
            station=station,
            size=int(size),
            frontier=Frontier.parse(bytes(frontier)),
            epoch=int(epoch),
            told=int(told),
            turnout=int(turnout),
            sums=parse(sums.encode()),
            checkpoint=checkpoint,
            closed=bool(closed),
        )
    return None


def _still(tx: Tx, at: Station) -> None:
    """Locks the station's row and checks that nobody wrote since `at` was read."""
    sql = f"SELECT size, closed FROM station WHERE poll = ? AND station = ?{tx.for_update}"
    rows = tx.execute(sql, (at.poll, at.station))
    if not rows or int(rows[0][0]) != at.size or rows[0][1] or at.frontier.size != at.size:
        raise LogOvertaken(f"the log of {at.poll}.{at.station} is no longer at {at.size} leaves")


def _known(station: Station | None) -> Station:
    if station is None:
        raise LogOvertaken("the station's row went away")
    return station


def _text(sums: Sums) -> str:
    return canonical(sums).decode()
