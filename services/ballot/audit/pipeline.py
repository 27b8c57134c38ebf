"""The bundle as a stream of tasks: leaves in batches, checked by worker processes, handed back in the log's order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

from services.ballot.audit.leafcheck import Checked, LeafChecker, check_in_worker, start_worker
from services.ballot.protocol.bundle import Line
from services.shared.errors import Refusal

BATCH: Final = 256
_BATCHES_AHEAD: Final = 3  # per worker: enough to keep it busy, few enough to bound memory


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive leaves of one station; the first has that index and stands on that line of the bundle."""

    station: str
    index: int
    line: int
    leaves: list[bytes]

    @property
    def size(self) -> int:
        """Bytes in the bundle, newlines included."""
        return sum(map(len, self.leaves)) + len(self.leaves)


@dataclass(frozen=True, slots=True)
class Broken:
    """The bundle's format ends here: what follows cannot be read."""

    refusal: Refusal
    line: int


Task = Line | Batch | Broken


def tasks(lines: Iterator[Line]) -> Iterator[Task]:
    """Groups leaves; a refusal of the format becomes the last task, after all that was read before it."""
    station, index, number = "", 0, 2
    batch: list[bytes] = []
    try:
        for line in lines:
            number = line.number
            if line.kind == "leaf":
                batch.append(line.value)
                if len(batch) == BATCH:
                    yield Batch(station, index, number - len(batch) + 1, batch)
                    index, batch = index + len(batch), []
                continue
            if batch:
                yield Batch(station, index, number - len(batch), batch)
                batch = []
            if line.kind == "station":
                station, index = line.value[0], 0
            yield line
    except Refusal as refusal:
        if batch:
            yield Batch(station, index, number - len(batch) + 1, batch)
        yield Broken(refusal, number + 1)


def in_order(
    stream: Iterable[tuple[Task, bool]], manifest_bytes: bytes, jobs: int
) -> Iterator[tuple[Task, list[Checked]]]:
    """Each task with its checked leaves, in order. The flag says whether signatures are to be checked.

    With one job all happens here; else in `jobs` processes, a bounded number of batches ahead.
    """
    if jobs == 1:
        checker = LeafChecker(manifest_bytes)
        for task, verify in stream:
            yield task, checker.check(task.station, task.leaves, verify) if isinstance(task, Batch) else []
        return
    # "spawn": the same on every system, and no locks of ours copied into a child
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=start_worker, initargs=(manifest_bytes,))
    ahead: deque[tuple[Task, Future[list[Checked]] | None]] = deque()
    try:
        for task, verify in stream:
            future = None
            if isinstance(task, Batch):
                future = pool.submit(check_in_worker, task.station, task.leaves, verify)
            ahead.append((task, future))
            if len(ahead) > jobs * _BATCHES_AHEAD:
                yield _first(ahead)
        while ahead:
            yield _first(ahead)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _first(ahead: deque[tuple[Task, Future[list[Checked]] | None]]) -> tuple[Task, list[Checked]]:
    task, future = ahead.popleft()
    return task, future.result() if future is not None else []
