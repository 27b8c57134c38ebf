"""Ballots that are on disk but not yet in the log. A store of its own: never archived, never backed up.

It alone knows, until the epoch is sealed, which ballots came together; so its rows carry no id, no row number and no
time, and each group commit inserts them sorted by key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from services.ballot.store.term import TERM_STEP, Term
from services.shared.store import Database, Tx

STEPS: Final = (
    """CREATE TABLE gate (poll TEXT NOT NULL, station TEXT NOT NULL, state TEXT NOT NULL, manifest_hash TEXT NOT NULL,
       PRIMARY KEY (poll, station));
       CREATE TABLE manifest (hash TEXT PRIMARY KEY, bytes {blob} NOT NULL);
       CREATE TABLE slot (poll TEXT NOT NULL, credential {blob} NOT NULL, seq {bigint} NOT NULL,
         leaf_hash {blob} NOT NULL, station TEXT NOT NULL, marked INTEGER NOT NULL, leaf {blob} NOT NULL,
         PRIMARY KEY (poll, credential, seq)) {without_rowid};
       CREATE INDEX slot_station ON slot (poll, station, marked);
       CREATE INDEX slot_tracker ON slot (leaf_hash)""",
    TERM_STEP,
)
Key = tuple[str, bytes, int]
"""(poll, credential, seq)"""
_TYPES: Final = ("text", "bytea", "bigint", "bytea", "text", "integer", "bytea")
# OFFSET 0 keeps the planner from joining in another way than key by key through the index: a table that fills and
# empties has no statistics to be trusted, and it then read every row of the poll.
_EACH: Final = """SELECT k.credential, k.seq, t.leaf_hash, t.station
    FROM unnest(?::bytea[], ?::bigint[]) k (credential, seq)
    CROSS JOIN LATERAL (SELECT leaf_hash, station FROM {} WHERE poll = ? AND credential = k.credential AND seq = k.seq
    OFFSET 0) t"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A ballot whose form and signatures were checked, on its way into the slot."""

    poll: str
    station: str
    credential: bytes
    seq: int
    leaf_hash: bytes
    prev: bytes | None
    leaf: bytes
    in_time: bool
    """By the door's own clock, within the poll's dates."""

    @property
    def key(self) -> Key:
        return (self.poll, self.credential, self.seq)

    @property
    def before(self) -> Key:
        return (self.poll, self.credential, self.seq - 1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of the slot as the sealer sees it."""

    leaf_hash: bytes
    credential: bytes
    seq: int


def find(tx: Tx, table: str, keys: Iterable[Key]) -> dict[Key, bytes]:
    """Leaf hashes of those keys that `table` (slot, or the log's index) has."""
    return {key: leaf_hash for key, (leaf_hash, _) in find_places(tx, table, keys).items()}


def find_places(tx: Tx, table: str, keys: Iterable[Key]) -> dict[Key, tuple[bytes, str]]:
    """The same, with the station where each stands. One statement a poll."""
    wanted = set(keys)
    found: dict[Key, tuple[bytes, str]] = {}
    for poll in {key[0] for key in wanted}:
        pairs = sorted(key[1:] for key in wanted if key[0] == poll)
        credentials, seqs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        if tx.engine == "postgres":
            rows = tx.execute(_EACH.format(table), (credentials, seqs, poll))
        else:
            sql = f"SELECT credential, seq, leaf_hash, station FROM {table} WHERE poll = ? AND "
            some = sorted(set(seqs))
            marks = ",".join("?" * len(credentials)), ",".join("?" * len(some))
            rows = tx.execute(sql + f"credential IN ({marks[0]}) AND seq IN ({marks[1]})", (poll, *credentials, *some))
        for credential, seq, leaf_hash, station in rows:
            key = (poll, bytes(credential), int(seq))
            if key in wanted:
                found[key] = (bytes(leaf_hash), station)
    return found


class Slot:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.term = Term(database)

    # --- gates: turned by the sealer alone; each write raises TakenOver once another sealer began ---

    def prepare(self, poll: str, stations: Sequence[str], manifest_hash: str, manifest: bytes) -> None:
        """The poll is known at the doors, its gates shut. A replaced manifest replaces the one kept here."""
        with self.term.transaction() as tx:
            tx.execute("INSERT INTO manifest VALUES (?, ?) ON CONFLICT DO NOTHING", (manifest_hash, manifest))
            tx.execute("DELETE FROM gate WHERE poll = ? AND state = 'shut'", (poll,))
            for station in stations:
                sql = "INSERT INTO gate VALUES (?, ?, 'shut', ?) ON CONFLICT DO NOTHING"
                tx.execute(sql, (poll, station, manifest_hash))

    def turn(self, poll: str, station: str, state: str) -> None:
        """shut → open → closing. On PostgreSQL this waits for the inserts under way, which hold the row shared."""
        before = {"open": "shut", "closing": "open"}[state]
        with self.term.transaction() as tx:
            tx.execute(
                "UPDATE gate SET state = ? WHERE poll = ? AND station = ? AND state = ?",
                (state, poll, station, before),
            )

    def shut_for_good(self, poll: str) -> None:
        """For a cancelled poll: whatever its gates were, they are closing now."""
        with self.term.transaction() as tx:
            tx.execute("UPDATE gate SET state = 'closing' WHERE poll = ?", (poll,))

    def gates(self, poll: str) -> dict[str, tuple[str, str]]:
        """{station: (state, manifest hash)}"""
        with self.database.transaction(write=False) as tx:
            rows = tx.execute("SELECT station, state, manifest_hash FROM gate WHERE poll = ?", (poll,))
        return {station: (state, manifest_hash) for station, state, manifest_hash in rows}

    def manifest(self, manifest_hash: str) -> bytes:
        with self.database.transaction(write=False) as tx:
            return bytes(tx.execute("SELECT bytes FROM manifest WHERE hash = ?", (manifest_hash,))[0][0])

    def holds(self, poll: str, leaf_hash: bytes) -> bool:
        """Whether a ballot with this tracker waits for its epoch."""
        with self.database.transaction(write=False) as tx:
            return bool(tx.execute("SELECT 1 FROM slot WHERE leaf_hash = ? AND poll = ?", (leaf_hash, poll)))

    # --- inside a door's transaction ---

    @staticmethod
    def open_gates(tx: Tx, entries: Sequence[Entry]) -> set[tuple[str, str]]:
        """Those (poll, station) whose gate is open, each row held shared until the transaction ends."""
        opened = set()
        for poll, station in sorted({(e.poll, e.station) for e in entries}):
            rows = tx.execute(f"SELECT state FROM gate WHERE poll = ? AND station = ?{tx.for_share}", (poll, station))
            if rows and rows[0][0] == "open":
                opened.add((poll, station))
        return opened

    @staticmethod
    def insert(tx: Tx, entries: Sequence[Entry]) -> dict[Key, bytes]:
        """What the store says it took in, read back from the rows it wrote: {key: leaf hash}. Those whose key is taken
        already leave what stands there untouched, and are absent."""
        rows = [(e.poll, e.credential, e.seq, e.leaf_hash, e.station, 0, e.leaf) for e in entries]
        after = "ON CONFLICT DO NOTHING RETURNING poll, credential, seq, leaf_hash"
        return {(poll, bytes(c), int(seq)): bytes(h) for poll, c, seq, h in tx.insert("slot", _TYPES, rows, after)}

    def remove(self, entries: Sequence[Entry]) -> None:
        """Rows whose key the log has already. Marked ones are the sealer's to delete."""
        with self.database.transaction() as tx:
            tx.executemany(
                "DELETE FROM slot WHERE poll = ? AND credential = ? AND seq = ? AND leaf_hash = ? AND marked = 0",
                [(*e.key, e.leaf_hash) for e in entries],
            )

    # --- the sealer's steps ---

    def waiting(self, poll: str, station: str, *, marked: bool) -> list[Waiting]:
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(
                "SELECT leaf_hash, credential, seq FROM slot WHERE poll = ? AND station = ? AND marked = ?",
                (poll, station, int(marked)),
            )
        return [Waiting(bytes(h), bytes(c), int(s)) for h, c, s in rows]

    def mark(self, poll: str, station: str) -> None:
        """Everything that waits here now is of the coming epoch. Raises TakenOver."""
        with self.term.transaction() as tx:
            tx.execute("UPDATE slot SET marked = 1 WHERE poll = ? AND station = ? AND marked = 0", (poll, station))

    def leaves(self, poll: str, rows: Sequence[Waiting]) -> dict[bytes, bytes]:
        """{leaf hash: leaf bytes}"""
        if not rows:
            return {}
        hashes = [r.leaf_hash for r in rows]
        with self.database.transaction(write=False) as tx:
            if tx.engine == "postgres":
                these, params = "= ANY(?::bytea[])", [hashes]
            else:
                these, params = f"IN ({','.join('?' * len(rows))})", list(hashes)  # type: ignore[arg-type]
            sql = f"SELECT leaf_hash, leaf FROM slot WHERE leaf_hash {these} AND poll = ?"
            return {bytes(h): bytes(leaf) for h, leaf in tx.execute(sql, (*params, poll))}

    def has_rows(self, poll: str, station: str) -> bool:
        sql = "SELECT 1 FROM slot WHERE poll = ? AND station = ? LIMIT 1"
        with self.database.transaction(write=False) as tx:
            return bool(tx.execute(sql, (poll, station)))

    def delete_marked(self, poll: str, rows: Sequence[Waiting]) -> None:
        """The epoch is sealed: its rows go, and on SQLite the write-ahead log that still held them.

        Exactly these rows: a sealer that lost its lock must not delete what its successor marked.
        """
        sql = "DELETE FROM slot WHERE poll = ? AND credential = ? AND seq = ? AND leaf_hash = ? AND marked = 1"
        with self.term.transaction() as tx:
            tx.executemany(sql, sorted((poll, row.credential, row.seq, row.leaf_hash) for row in rows))
        self.database.truncate_log()
