"""Group commit: many waiting callers, one durable write.

One writer thread a process. While a commit's fsync runs, new items gather in the queue; the next commit takes them
all. There is no timer: the running fsync is the batching window. The queue is bounded, and full means Busy.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from services.shared.errors import Busy
from services.shared.store import Overtaken

T = TypeVar("T")
MAX_BATCH: Final = 1024
MAX_WAITING: Final = 8192
ATTEMPTS: Final = 5
_STOP: Final = object()


class GroupCommit(Generic[T]):
    """`write(items)` makes a batch durable and returns one answer an item, in their order; a raised Overtaken is
    repeated up to 5 times; any other failure answers every waiting caller Busy and calls `died` once."""

    def __init__(
        self,
        write: Callable[[Sequence[T]], Sequence[object]],
        died: Callable[[BaseException], None],
        *,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._write = write
        self._died = died
        self._queue: queue.Queue[Any] = queue.Queue(max_waiting)
        self._failed = False
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def submit(self, item: T, answer: Callable[[list[tuple[Callable[..., Any], object]]], None], key: Any) -> None:
        """Queues the item. Its answer reaches `answer` as (key, outcome) pairs, a batch at a time, from the writer's
        thread; an outcome that is an exception is to be raised. Raises Busy when the queue is full."""
        if self._failed:
            raise Busy
        try:
            self._queue.put_nowait((item, answer, key))
        except queue.Full:
            raise Busy from None

    def close(self) -> None:
        """Writes what waits, then stops; whoever comes later is told Busy."""
        self._failed = True
        self._queue.put(_STOP)
        self._thread.join()
        self._refuse([])

    def _run(self) -> None:
        while True:
            entries = [self._queue.get()]
            try:
                while len(entries) < MAX_BATCH:
                    entries.append(self._queue.get_nowait())
            except queue.Empty:
                pass
            stopping = _STOP in entries
            entries = [e for e in entries if e is not _STOP]
            if entries and not self._commit(entries):
                return
            if stopping:
                return

    def _commit(self, entries: list[Any]) -> bool:
        try:
            _deliver(entries, self._written([item for item, _, _ in entries]))
        except BaseException as e:  # noqa: BLE001 every caller waiting must be answered, whatever it is
            self._failed = True
            self._refuse(entries)
            self._died(e)
            return False
        return True

    def _refuse(self, entries: list[Any]) -> None:
        """Answers these and everything that still waits with Busy."""
        while not self._queue.empty():
            entry = self._queue.get_nowait()
            entries += [entry] if entry is not _STOP else []
        _deliver(entries, [Busy()] * len(entries))

    def _written(self, items: Sequence[T]) -> Sequence[object]:
        for attempt in range(ATTEMPTS):
            try:
                return self._write(items)
            except Overtaken:
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")


def _deliver(entries: list[Any], outcomes: Sequence[object]) -> None:
    """One call per receiver, so that an event loop is woken once a batch and not once an item."""
    by_receiver: dict[Any, list[Any]] = {}
    for (_, answer, key), outcome in zip(entries, outcomes, strict=True):
        by_receiver.setdefault(answer, []).append((key, outcome))
    for answer, pairs in by_receiver.items():
        answer(pairs)
