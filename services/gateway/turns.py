"""Pages are begun in turn, first come, first served: the next one when no other is being drawn (ADR 0016).

Python runs one thread at a time. Sixteen that all draw are switched about, each waits for all others again and again:
the longest wait is twice the usual one. In turns it is little longer, and less time goes into switching.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

_LONG: Final = 0.05  # seconds; a page takes 2 ms


class Turns:
    """Safe to share between threads. Only who has not begun waits for long: what a thread has begun it may finish,
    since it may hold a lock for which the one that is drawn waits."""

    def __init__(self) -> None:
        self._drawing = 0
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    @property
    def drawing(self) -> int:
        return self._drawing

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def begin(self) -> None:
        """Returns when it is this thread's turn."""
        self._in_line(self._waiting.append).acquire()

    def go_on(self) -> None:
        """After a turn that was ended for a while: next, or beside the one that is drawn once that takes long."""
        mine = self._in_line(self._waiting.appendleft)
        if mine.acquire(timeout=_LONG):
            return
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
                self._drawing += 1

    def _in_line(self, join: Callable[[threading.Lock], None]) -> threading.Lock:
        """A lock that is open once it is this thread's turn."""
        mine = threading.Lock()
        with self._lock:
            if self._drawing:
                mine.acquire()
                join(mine)
            else:
                self._drawing = 1
        return mine

    def end(self) -> None:
        with self._lock:
            self._drawing -= 1
            if not self._drawing and self._waiting:
                self._drawing = 1
                self._waiting.popleft().release()


_own = threading.local()


@contextmanager
def given_away() -> Iterator[None]:
    """While this thread waits for something that is not Python, as another service, the next one begins."""
    turns: Turns | None = getattr(_own, "turns", None)
    if turns is None:
        yield
        return
    _own.turns = None
    turns.end()
    try:
        yield
    finally:
        turns.go_on()
        _own.turns = turns


class InTurn:
    """WSGI middleware. Only requests without a body have turns: the body of a slow visitor would hold one as it comes.
    An answer in pieces is sent after the turn."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app, self.turns = app, Turns()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._app(environ, start)
        self.turns.begin()
        _own.turns = self.turns
        try:
            return self._app(environ, start)
        finally:
            _own.turns = None
            self.turns.end()
