"""The ballot box as the cast door sees it: into the slot in one durable transaction, then looked up in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from services.ballot.protocol.acceptance import Settled, hindrance, settle
from services.ballot.store.slot import Entry, Key, Slot, find, find_places
from services.shared.errors import Busy, Refusal
from services.shared.store import Database, Tx

_LOOKS: Final = 5


@dataclass(frozen=True, slots=True)
class Entered:
    """What the slot's transaction saw of a batch: refusals by entry, and who stands at each key."""

    hindered: list[Refusal | None]
    standing: dict[Key, bytes]


class BallotBox:
    """Accepts checked ballots, a batch at a time. Safe for many doors at once and for any repeat."""

    def __init__(self, slot: Slot, log: Database) -> None:
        self.slot = slot
        self.log = log

    def accept(self, entries: Sequence[Entry]) -> list[Settled]:
        """One answer an entry, in their order; promised ones are on disk. Raises Overtaken (repeat) or StoreFailed."""
        answers: list[Settled | None] = [None] * len(entries)
        left = list(range(len(entries)))
        for _ in range(_LOOKS):
            batch = [entries[i] for i in left]
            for i, settled in zip(left, self.look_up(batch, self.enter(batch)), strict=True):
                answers[i] = settled
            left = [i for i in left if answers[i] is None]
            if not left:
                break
        return [a if a is not None else Settled(False, Busy()) for a in answers]

    def enter(self, entries: Sequence[Entry]) -> Entered:
        """Inserts what may enter, in one transaction: by seq, so that n stands before n + 1 is looked at, then by
        key, so that two doors never wait for each other and arrival leaves no trace."""
        hindered: list[Refusal | None] = [None] * len(entries)
        standing: dict[Key, bytes] = {}
        order = sorted(range(len(entries)), key=lambda i: (entries[i].seq, entries[i].poll, entries[i].credential))
        with self.slot.database.transaction() as tx:
            # Only those that may pass: late ones must not keep the row shared while the sealer waits to close it.
            opened = self.slot.open_gates(tx, [e for e in entries if e.in_time])
            for seq, group in groupby(order, key=lambda i: entries[i].seq):
                members = list(group)
                before = self._before(tx, [entries[i].before for i in members]) if seq else {}
                for i in members:
                    e = entries[i]
                    hindered[i] = hindrance(
                        gate_open=(e.poll, e.station) in opened,
                        in_time=e.in_time,
                        seq=e.seq,
                        prev=e.prev,
                        before=before.get((e.before, e.station)),
                    )
                standing |= self.slot.insert(tx, [entries[i] for i in members if hindered[i] is None])
            standing |= find(tx, "slot", [e.key for e in entries if e.key not in standing])
        return Entered(hindered, standing)

    def look_up(self, entries: Sequence[Entry], entered: Entered) -> list[Settled | None]:
        """After the commit: the log decides when it has the key."""
        logged = self._logged([e.key for e in entries])
        settled = [
            settle(e.leaf_hash, hindered, entered.standing.get(e.key), logged.get(e.key))
            for e, hindered in zip(entries, entered.hindered, strict=True)
        ]
        gone = [e for e, s in zip(entries, settled, strict=True) if s is not None and s.remove]
        if gone:
            self.slot.remove(gone)
        return settled

    def last_of(self, poll: str, credential: bytes) -> tuple[int, bytes] | None:
        """(seq, leaf hash) of the newest ballot of a credential, waiting or logged."""
        newest: tuple[int, bytes] | None = None
        for database, table in ((self.slot.database, "slot"), (self.log, "ballot")):
            with database.transaction(write=False) as tx:
                sql = f"SELECT seq, leaf_hash FROM {table} WHERE poll = ? AND credential = ? ORDER BY seq DESC LIMIT 1"
                for seq, leaf_hash in tx.execute(sql, (poll, credential)):
                    if newest is None or int(seq) >= newest[0]:
                        newest = (int(seq), bytes(leaf_hash))
        return newest

    def _before(self, tx: Tx, keys: Sequence[Key]) -> dict[tuple[Key, str], bytes]:
        """What stands at each key, by the station where it does: a credential that two strata's issuers signed must
        not go on in the second one what it began in the first."""
        places = find_places(tx, "slot", keys)
        with self.log.transaction(write=False) as log:
            places |= find_places(log, "ballot", keys)
        return {(key, station): leaf_hash for key, (leaf_hash, station) in places.items()}

    def _logged(self, keys: Sequence[Key]) -> dict[Key, bytes]:
        with self.log.transaction(write=False) as tx:
            return find(tx, "ballot", keys)
