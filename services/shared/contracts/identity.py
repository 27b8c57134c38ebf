"""What the identity service tells the others. Each class is a version for ever: change nothing here, add a new version.

Frozen examples of the exact bytes stand in tests/contracts/examples. Of a person they name the opaque subject at most,
and never beside a poll; no roll entry is in them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import ClassVar, Final

from services.shared.strict import MalformedJson, canonical, parse

TOPIC: Final = "parvis.identity"
"""Issuance, poll by poll, key: the poll; erasures, key: the subject."""


@dataclass(frozen=True, slots=True)
class IssuanceClosed:
    """The last credential of this stratum is given out.

    `issued`: people of the stratum who took one. `reissued`: how many times an officer pair let someone take another;
    at most issued + reissued credentials can be in use.
    """

    version: ClassVar[int] = 1
    poll: str
    stratum: str
    issued: int
    reissued: int


@dataclass(frozen=True, slots=True)
class IssuanceReady:
    """The manifest with this hash carries the roll and the key that were prepared here, so its credentials will be
    given out. Told for each manifest that is accepted; one that is refused becomes a dead letter and is not told."""

    version: ClassVar[int] = 1
    poll: str
    manifest_hash: str


@dataclass(frozen=True, slots=True)
class PersonErased:
    """What was known of this opaque subject is destroyed; whoever keeps messages or sessions of it deletes them."""

    version: ClassVar[int] = 1
    subject: str


Event = IssuanceReady | IssuanceClosed | PersonErased
_KINDS: Final[dict[tuple[str, int], type[Event]]] = {
    (kind.__name__, kind.version): kind for kind in (IssuanceReady, IssuanceClosed, PersonErased)
}


def encode(event: Event) -> bytes:
    return canonical(asdict(event))


def decode(type: str, version: int, value: bytes) -> Event | None:
    """The event, or None for a kind that this release does not know. Raises MalformedJson."""
    kind = _KINDS.get((type, version))
    if kind is None:
        return None
    found = parse(value)
    if not isinstance(found, dict) or set(found) != {field.name for field in fields(kind)}:
        raise MalformedJson(f"not the fields of {type} {version}", field="value")
    return kind(**found)
