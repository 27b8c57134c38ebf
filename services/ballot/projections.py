"""What the ballot service tells of its own events: private ones stay here, published ones are contracts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from services.ballot.domain import Poll
from services.shared.contracts import ballot


def tell(event: Any, poll: Callable[[], Poll]) -> ballot.Event | None:
    """The published form of one event of a Poll; None for what stays private. `poll` loads the poll as it is now."""
    teller = _TELLERS.get(type(event).__name__)
    return teller(event, poll) if teller else None


def _published(event: Any, _: Callable[[], Poll]) -> ballot.Event:
    return ballot.PollPublished(str(event.originator_id), event.manifest_hash, event.manifest)


def _opened(event: Any, _: Callable[[], Poll]) -> ballot.Event:
    return ballot.PollOpened(str(event.originator_id))


def _closed(event: Any, poll: Callable[[], Poll]) -> ballot.Event:
    manifest = poll().manifest or {}
    return ballot.PollClosed(str(event.originator_id), manifest["title"], manifest["closes_at"])


def _tallied(event: Any, _: Callable[[], Poll]) -> ballot.Event:
    return ballot.TallyComputed(str(event.originator_id), event.tally)


def _cancelled(event: Any, poll: Callable[[], Poll]) -> ballot.Event | None:
    """A draft that was given up was never told of: its end is not told either."""
    if poll().manifest is None:
        return None
    return ballot.PollCancelled(str(event.originator_id), poll().reason or "")


_TELLERS: Final[Mapping[str, Callable[[Any, Callable[[], Poll]], ballot.Event | None]]] = {
    "Published": _published,
    "Replaced": _published,
    "Opened": _opened,
    "Closed": _closed,
    "Tallied": _tallied,
    "Cancelled": _cancelled,
}
