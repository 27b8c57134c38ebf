"""What can be checked of a leaf by itself, in worker processes: form, place and signatures."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from multiprocessing import connection, parent_process
from typing import NamedTuple

from services.ballot.audit.voters import Vote
from services.ballot.methods import METHODS
from services.ballot.protocol import leaves, manifest
from services.ballot.protocol.ballots import Ballot
from services.ballot.protocol.leaves import EpochSealed, StationClosed, StationOpened, leaf_hash
from services.shared.errors import Refusal


class Refused(NamedTuple):
    """A leaf that is not one: the refusal's code, field and reason."""

    code: str
    field: str | None
    reason: str


Content = Vote | StationOpened | EpochSealed | StationClosed | Refused
Checked = tuple[bytes, Content]


class LeafChecker:
    """Checks leaves against one manifest."""

    def __init__(self, manifest_bytes: bytes) -> None:
        self._manifest = manifest.parse(manifest_bytes, METHODS)
        self._answers: dict[bytes, bytes] = {}

    def check(self, station: str, batch: Sequence[bytes], verify: bool) -> list[Checked]:
        return [(leaf_hash(data), self._content(data, station, verify)) for data in batch]

    def _content(self, data: bytes, station: str, verify: bool) -> Content:
        try:
            leaf = leaves.parse(data, self._manifest, station, verify=verify)
        except Refusal as refusal:
            return Refused(refusal.code, refusal.field, refusal.reason)
        if not isinstance(leaf, Ballot):
            return leaf
        # Equal answers as one object: the pickle that goes back to the main process then holds them once a batch.
        answers = self._answers.setdefault(leaf.answers, leaf.answers) if len(self._answers) < 4096 else leaf.answers
        return Vote(leaf.credential, leaf.stratum.index, leaf.seq, leaf.prev, answers)


_checkers: list[LeafChecker] = []


def start_worker(manifest_bytes: bytes) -> None:
    """Runs once in each worker process; a worker also ends when the audit itself was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the main process decides
    _checkers.append(LeafChecker(manifest_bytes))
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def check_in_worker(station: str, batch: Sequence[bytes], verify: bool) -> list[Checked]:
    return _checkers[0].check(station, batch, verify)


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
