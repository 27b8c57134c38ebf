"""How often the public API may be asked: by the hour with a key, by the minute without one.

Uses are counted in memory, and those of keys are added to the store's numbers every ten seconds by whichever request
comes then: an fsync a request would cost more than the answer. So several processes together can let a key have what
they hand out in ten seconds beyond its quota, and a process that is killed forgets as much; both are small beside an
hour. Without a key nothing is written at all.
"""

from __future__ import annotations

import hmac
import ipaddress
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.gateway.store.api_keys import HOUR, ApiKey, ApiKeys
from services.shared.store import StoreFailed

MINUTE: Final = 60
SHARE_SECONDS: Final = 10
MOST_SOURCES: Final = 10_000
"""Sources that are told apart within a minute. More of them are counted as one, which may ask as often as a hundred."""
_CROWD: Final = b"crowd"
_CROWD_TIMES: Final = 100


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a quota: `limit` a window of `window` seconds, `remaining` of it, for `reset` more seconds."""

    name: str
    limit: int
    window: int
    remaining: int
    reset: int
    allowed: bool

    def headers(self) -> dict[str, str]:
        """As in the draft standard of RateLimit header fields."""
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.limit};w={self.window}',
            "RateLimit": f'"{self.name}";r={self.remaining};t={self.reset}',
        }


class KeyQuotas:
    """Uses by key. Safe to share between threads; its memory is bounded by the number of keys."""

    def __init__(self, keys: ApiKeys, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._clock = clock
        self._lock = threading.Lock()
        self._hour = 0
        self._shared: dict[str, int] = {}  # as the store had it when it was last asked
        self._own: dict[str, int] = {}  # counted since
        self._share_at = 0.0

    def take(self, key: ApiKey) -> Left:
        """Counts one use, unless the quota is used up. Raises StoreFailed when a key's first use of an hour cannot be
        looked up."""
        now = self._clock()
        with self._lock:
            self._begin(int(now) // HOUR)
            if key.id not in self._shared:
                self._shared[key.id] = self._keys.used(key.id, self._hour)
            used = self._shared[key.id] + self._own.get(key.id, 0)
            allowed = used < key.quota
            if allowed:
                self._own[key.id] = self._own.get(key.id, 0) + 1
            due = self._taken_over(now)
        self._share(*due)
        remaining = max(0, key.quota - used - allowed)
        return Left("key", key.quota, HOUR, remaining, HOUR - int(now) % HOUR, allowed)

    def share(self) -> None:
        """Adds to the store what was counted since the last time."""
        with self._lock:
            self._share_at = 0.0
            due = self._taken_over(self._clock())
        self._share(*due)

    def _begin(self, hour: int) -> None:
        """A new hour begins at nothing. What the old one still held is not worth a write."""
        if hour != self._hour:
            self._hour, self._shared, self._own = hour, {}, {}

    def _taken_over(self, now: float) -> tuple[int, dict[str, int]]:
        """What this request is to add to the store: nothing, most of the time."""
        if now < self._share_at or not self._own:
            return self._hour, {}
        self._share_at = now + SHARE_SECONDS
        due = self._own
        for key_id, uses in due.items():
            self._shared[key_id] = self._shared.get(key_id, 0) + uses
        self._own = {}
        return self._hour, due

    def _share(self, hour: int, due: dict[str, int]) -> None:
        """Outside the lock: others are counted meanwhile. A store that cannot be written costs no answer."""
        if not due:
            return
        try:
            totals = self._keys.add_uses(hour, due)
        except StoreFailed:
            totals = {}
        with self._lock:
            if hour == self._hour:
                for key_id, total in totals.items():
                    self._shared[key_id] = max(self._shared.get(key_id, 0), total)


class SourceQuotas:
    """Uses by address, for those who have no key: hashed under the gateway's key, in memory, for one minute."""

    def __init__(self, limit: int, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._limit = limit
        self._key = key
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        self._used: dict[bytes, int] = {}

    def take(self, address: str) -> Left:
        now = self._clock()
        source = hmac.digest(self._key, b"parvis/gateway/api-source/v1\n" + _network(address).encode(), "sha256")[:16]
        limit = self._limit
        with self._lock:
            if int(now) // MINUTE != self._minute:
                self._minute, self._used = int(now) // MINUTE, {}
            if source not in self._used and len(self._used) >= MOST_SOURCES:
                source, limit = _CROWD, self._limit * _CROWD_TIMES
            used = self._used.get(source, 0)
            allowed = used < limit
            if allowed:
                self._used[source] = used + 1
        remaining = max(0, min(self._limit, limit - used - allowed))
        return Left("address", self._limit, MINUTE, remaining, MINUTE - int(now) % MINUTE, allowed)


def _network(address: str) -> str:
    """Whose address this is: of IPv6, one customer has at least a /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
