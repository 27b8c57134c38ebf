"""Copies of what is the same for everyone, kept for moments: bounded in number and bytes, each made once at a time.

A copy's age counts from before its making began, so that what it says is never older than it claims. Shortly before
its end one asker makes it anew while the others still get the old one; without any, all wait for the one that makes it.
"""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Generic, Protocol, TypeVar

from services.gateway.turns import given_away

_EARLY: Final = 0.75  # of its time; then one asker makes it anew
_WAIT: Final = 15.0  # longer than a page's calls may take together
_LEVEL: Final = 6

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Copy:
    """An answer that anyone may have, for so many seconds. `route` is its template, for metrics."""

    status: int
    headers: Headers
    plain: bytes
    route: str
    seconds: float
    small: bytes = b""
    tag: str = ""

    @classmethod
    def of(cls, status: int, headers: Headers, plain: bytes, route: str, seconds: float) -> Copy:
        """Compressed here, once for all who get it."""
        small = gzip.compress(plain, _LEVEL, mtime=0)
        return cls(status, headers, plain, route, seconds, small, sha256(plain).hexdigest()[:32])

    @property
    def size(self) -> int:
        return len(self.plain) + len(self.small)


class Keepable(Protocol):
    """What says itself how much room it takes, and for how many seconds it is good."""

    @property
    def size(self) -> int: ...

    @property
    def seconds(self) -> float: ...


C = TypeVar("C", bound=Keepable)


@dataclass(slots=True)
class _Flight(Generic[C]):
    """A making under way, and what came of it: None when it is for its asker alone."""

    over: threading.Event = field(default_factory=threading.Event)
    made: C | None = None


@dataclass(frozen=True, slots=True)
class _Kept(Generic[C]):
    copy: C
    early: float
    until: float


class Copies(Generic[C]):
    """Safe to share between threads. `most` copies and `size` bytes at most; the oldest go first."""

    def __init__(
        self, *, most: int = 512, size: int = 16 * 1024 * 1024, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._size, self._clock = most, size, clock
        self._kept: dict[Hashable, _Kept[C]] = {}
        self._bytes = 0
        self._flights: dict[Hashable, _Flight[C]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        return self._bytes

    def ready(self, key: Hashable) -> C | None:
        """A copy that needs nothing done to it. Takes no lock: this is the way that most requests go."""
        kept = self._kept.get(key)
        return kept.copy if kept is not None and self._clock() < kept.early else None

    def get(self, key: Hashable, make: Callable[[], C | None]) -> C | None:
        """The copy; made by `make` if need be, by one asker at a time. None when `make` gave none, to anyone who
        waited for it too: what it made then is for its asker alone. What `make` raises reaches its asker."""
        began = self._clock()
        with self._lock:
            kept = self._kept.get(key)
            flight = self._flights.get(key)
            if kept is not None and began < (kept.until if flight is not None else kept.early):
                return kept.copy
            if flight is None:
                ours = self._flights[key] = _Flight[C]()
        if flight is not None:
            with given_away():
                flight.over.wait(_WAIT)
            return flight.made
        try:
            ours.made = make()
        finally:
            with self._lock:
                del self._flights[key]
                if ours.made is not None:
                    self._keep(key, ours.made, began)
            ours.over.set()
        return ours.made

    def _keep(self, key: Hashable, copy: C, began: float) -> None:
        self._drop(key)
        if copy.size > self._size or copy.seconds <= 0:
            return
        self._kept[key] = _Kept(copy, began + _EARLY * copy.seconds, began + copy.seconds)
        self._bytes += copy.size
        while len(self._kept) > self._most or self._bytes > self._size:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._bytes -= gone.copy.size
