"""Messages to one person: taken once by key, written to the spool once by name, forgotten with the person."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from services.notifications.domain.rendering import Outgoing
from services.shared import outbox

_AT_ONCE: Final = 100


class Store(Protocol):
    def add(self, outgoing: Outgoing) -> bool:
        """On disk when it returns. False: this id is known already. What is for an erased person is not kept."""

    def waiting(self, limit: int) -> list[str]:
        """Ids, the oldest first."""

    def hand_over(self, id: str, write: Callable[[Outgoing], None]) -> bool:
        """Calls `write` under the row's lock, then deletes what the row held. False: it was done by another."""

    def forget(self, subject: str, delete: Callable[[str, str], None]) -> int:
        """Calls `delete(kind, file)` for each message of this subject, deletes their rows, and takes none for them
        from now on. How many there were."""

    def forget_older(self, than: datetime, delete: Callable[[str, str], None]) -> int: ...


class Spool(Protocol):
    def write(self, kind: str, name: str, data: bytes) -> None:
        """Whole or not at all, on disk when it returns; a file of that name is replaced by the same bytes."""

    def delete(self, kind: str, name: str) -> None:
        """Harmless when there is none."""


class Outbox:
    def __init__(
        self,
        store: Store,
        spool: Spool,
        sender: str,
        keep_days: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._spool = spool
        self._sender = sender
        self._keep_days = keep_days
        self._clock = clock

    def accept(self, message: outbox.Message) -> str:
        """ "accepted", or "known" when the key was sent before. Raises AddressRefused, TemplateUnknown or
        ValuesDiffer."""
        m, now = message, self._clock().replace(microsecond=0)
        outgoing = Outgoing(_id(m.key), m.kind, m.subject, now, m.address, m.template, m.values)
        outgoing.rendered(self._sender)  # what cannot be written is refused now, not found later
        return "accepted" if self._store.add(outgoing) else "known"

    def spool(self) -> int:
        """Writes what waits; how many files. A death between file and row writes the same file again."""
        return sum(self._store.hand_over(id, self._write) for id in self._store.waiting(_AT_ONCE))

    def forget(self, subject: str) -> int:
        return self._store.forget(subject, self._spool.delete)

    def forget_old(self) -> int:
        """Messages and their files, once nobody will repeat their keys."""
        return self._store.forget_older(self._clock() - timedelta(days=self._keep_days), self._spool.delete)

    def _write(self, outgoing: Outgoing) -> None:
        self._spool.write(outgoing.kind, outgoing.file, outgoing.rendered(self._sender))


def _id(key: str) -> str:
    """What stands in rows and file names lets nobody repeat the key."""
    return hashlib.sha256(b"parvis/outbox/v1\n" + key.encode()).hexdigest()[:32]
