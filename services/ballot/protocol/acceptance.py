"""The decisions of accepting a ballot, apart from where the facts come from. Design: docs/voting-protocol.md.

A key is (poll, credential, seq). Looking it up means the slot first, then the log's own permanent index; the log
decides when it has the key.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.errors import Conflict, Refusal


class PollNotOpen(Conflict):
    reason = "the poll takes no ballots now"


class SeqTaken(Conflict):
    reason = "another ballot of this credential stands at this seq"


class PreviousBallotUnknown(Conflict):
    reason = "prev must name the ballot that stands at seq - 1"


@dataclass(frozen=True, slots=True)
class Settled:
    """What the door answers. `remove`: our slot row must go, since the log has the key."""

    promised: bool
    refusal: Refusal | None = None
    remove: bool = False


def hindrance(*, gate_open: bool, in_time: bool, seq: int, prev: bytes | None, before: bytes | None) -> Refusal | None:
    """Why this ballot may not enter the slot; None when it may. `before`: the leaf hash that stands at seq - 1."""
    if not (gate_open and in_time):
        return PollNotOpen()
    if seq > 0 and (before is None or before != prev):
        return PreviousBallotUnknown(field="prev")
    return None


def settle(leaf_hash: bytes, hindered: Refusal | None, in_slot: bytes | None, in_log: bytes | None) -> Settled | None:
    """The answer, from what stands at the key after our commit. None: sealed or removed between, look once more."""
    standing = in_log if in_log is not None else in_slot
    remove = in_log is not None and in_slot is not None
    if standing == leaf_hash:
        return Settled(True, remove=remove)
    if isinstance(hindered, PollNotOpen):
        return Settled(False, hindered, remove)
    if standing is not None:
        return Settled(False, SeqTaken(field="seq"), remove)
    if hindered is not None:
        return Settled(False, hindered)
    return None
