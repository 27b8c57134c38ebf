"""What the ballot service tells the others. Each class is a version for ever: change nothing here, add a new version.

Frozen examples of the exact bytes stand in tests/contracts/examples.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Final

from services.shared.strict import MalformedJson, canonical, parse

TOPIC: Final = "parvis.ballot"
"""The polls' own events; key: the poll."""
LOG_TOPIC: Final = "parvis.ballot.log"
"""The leaves of every polling station's log, exact bytes, never upcast; key: "<poll>.<station>"."""


@dataclass(frozen=True, slots=True)
class PollPublished:
    """The manifest is frozen. Told again, with the new manifest, when it is replaced before the opening."""

    version: ClassVar[int] = 1
    poll: str
    manifest_hash: str
    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PollOpened:
    version: ClassVar[int] = 1
    poll: str


@dataclass(frozen=True, slots=True)
class PollClosed:
    """Every polling station wrote its last leaf."""

    version: ClassVar[int] = 1
    poll: str
    title: str
    closes_at: str


@dataclass(frozen=True, slots=True)
class TallyComputed:
    """The count, confirmed by two people; `tally` as docs/voting-protocol.md gives it."""

    version: ClassVar[int] = 1
    poll: str
    tally: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PollCancelled:
    version: ClassVar[int] = 1
    poll: str
    reason: str


Event = PollPublished | PollOpened | PollClosed | TallyComputed | PollCancelled
_KINDS: Final[dict[tuple[str, int], type[Event]]] = {
    (kind.__name__, kind.version): kind
    for kind in (PollPublished, PollOpened, PollClosed, TallyComputed, PollCancelled)
}
_MAX_BYTES: Final = 4 * 1024 * 1024


def encode(event: Event) -> bytes:
    return canonical(asdict(event))


def decode(type: str, version: int, value: bytes) -> Event | None:
    """The event, or None for a kind that this release does not know. Raises MalformedJson."""
    kind = _KINDS.get((type, version))
    if kind is None:
        return None
    found = parse(value, limit=_MAX_BYTES)
    if not isinstance(found, dict) or set(found) != {field.name for field in fields(kind)}:
        raise MalformedJson(f"not the fields of {type} {version}", field="value")
    return kind(**found)
