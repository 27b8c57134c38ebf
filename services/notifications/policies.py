"""What notifications does when other services tell something."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from services.notifications.domain import Message, poll_closed
from services.shared.contracts import ballot, identity


class Inbox(Protocol):
    def add(self, message: Message) -> None:
        """A message of the same id is added once."""


class NotificationPolicies:
    def __init__(self, inbox: Inbox, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._inbox = inbox
        self._clock = clock

    def process(self, id: str, type: str, version: int, value: bytes) -> None:
        """Kinds that this release does not know are passed over. Within the transaction that tracks the message."""
        event = ballot.decode(type, version, value)
        if isinstance(event, ballot.PollClosed):
            at = self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")
            self._inbox.add(poll_closed(id, at, event.poll, event.title))


class Messages(Protocol):
    def forget(self, subject: str) -> int:
        """Deletes every message to this person and takes none from now on; harmless when repeated."""


class ErasurePolicies:
    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def process(self, type: str, version: int, value: bytes) -> None:
        """The messages stand in a store of their own, and go before the event counts as heard: a death between makes
        it heard again, and finds nothing more to delete."""
        event = identity.decode(type, version, value)
        if isinstance(event, identity.PersonErased):
            self._messages.forget(event.subject)
