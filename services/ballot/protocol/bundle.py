"""The export of a poll: lines of canonical JSON, each ended by one newline. Written and read line by line.

Order: bundle, manifest; per station its header, its leaves as they are, its newest checkpoint; the poll's events; end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from services.ballot.protocol.ballots import NotCanonical
from services.ballot.protocol.fields import Fields, WrongShape
from services.ballot.protocol.manifest import MAX_MANIFEST, Manifest
from services.shared import strict
from services.shared.errors import BadInput

VERSION: Final = 1
MAX_LINE: Final = 2 * MAX_MANIFEST
# How a line of the bundle's own starts, its keys sorted; no leaf starts like this.
_OWN: Final = (b'{"line":', b'{"leaves":', b'{"event":')
_NAMES: Final = {
    "bundle": ("line", "version", "poll"),
    "manifest": ("line", "manifest"),
    "station": ("line", "station", "leaves"),
    "checkpoint": ("line", "station", "note"),
    "event": ("line", "event"),
    "end": ("line", "lines"),
}
_FOLLOWS: Final = {
    "": ("bundle",),
    "bundle": ("manifest",),
    "manifest": ("station", "end"),
    "station": ("checkpoint",),
    "checkpoint": ("station", "event", "end"),
    "event": ("event", "end"),
    "end": (),
}


class BundleTruncated(BadInput):
    reason = "the bundle stops before its end"


class LineUnexpected(BadInput):
    """A line stands where another kind of line must."""


class LineTooLong(BadInput):
    reason = f"a line is longer than {MAX_LINE} bytes"


class Line(NamedTuple):
    """One line, numbered from 1. `value`: the poll (bundle), canonical bytes (manifest), station and leaf count
    (station), the leaf's bytes (leaf), station and note (checkpoint), the event (event), None (end)."""

    number: int
    kind: str
    value: Any


def opening(poll: str) -> bytes:
    return _line({"line": "bundle", "version": VERSION, "poll": poll})


def manifest(value: Manifest) -> bytes:
    return _line({"line": "manifest", "manifest": value.as_json()})


def station(name: str, leaves: int) -> bytes:
    """Announces exactly that many leaves on the next lines."""
    return _line({"line": "station", "station": name, "leaves": leaves})


def leaf(data: bytes) -> bytes:
    return data + b"\n"


def checkpoint(name: str, note: str) -> bytes:
    return _line({"line": "checkpoint", "station": name, "note": note})


def event(value: dict[str, Any]) -> bytes:
    return _line({"line": "event", "event": value})


def end(lines: int) -> bytes:
    """The last line; `lines` counts all before it, leaves included."""
    return _line({"line": "end", "lines": lines})


def read(lines: Iterable[bytes]) -> Iterator[Line]:
    """The lines of a bundle in order. Raises a refusal at the first line that breaks the format; holds one line.

    Leaves are handed on unparsed. A refusal leaves the number of the last good line with the caller.
    """
    number, kind, leaves = 0, "", 0
    for raw in lines:
        number += 1
        if not raw.endswith(b"\n"):
            raise LineTooLong(field="line") if len(raw) >= MAX_LINE else BundleTruncated(field="line")
        data = raw[:-1]
        if leaves and not data.startswith(_OWN):
            leaves -= 1
            yield Line(number, "leaf", data)
            continue
        if leaves:
            raise LineUnexpected(f"{leaves} of the announced leaves are missing", field="leaves")
        line = _parse(data, kind, number)
        kind = line.kind
        if kind == "station":
            leaves = line.value[1]
        yield line
    if kind != "end":
        raise BundleTruncated(field="line")


def _parse(data: bytes, before: str, number: int) -> Line:
    value = strict.parse(data, limit=MAX_LINE)
    kind = value.get("line") if isinstance(value, dict) else None
    allowed = _FOLLOWS[before]
    if not isinstance(kind, str) or kind not in allowed:
        raise LineUnexpected(
            f"must be a line {' or '.join(allowed)}" if allowed else "stands after the end", field="line"
        )
    fields = Fields(value, _NAMES[kind])
    if strict.canonical(value) != data:
        raise NotCanonical(field=kind)
    return Line(number, kind, _value(kind, fields, number))


def _value(kind: str, fields: Fields, number: int) -> Any:
    if kind == "bundle":
        fields.equal("version", VERSION)
        return fields.uuid("poll")
    if kind == "manifest":
        return strict.canonical(fields.raw("manifest"))
    if kind == "station":
        return fields.slug("station"), fields.integer("leaves")
    if kind == "checkpoint":
        note = fields.raw("note")
        if not isinstance(note, str):
            raise WrongShape("must be a text", field="note")
        return fields.slug("station"), note
    if kind == "event":
        if not isinstance(fields.raw("event"), dict):
            raise WrongShape("must be an object", field="event")
        return fields.raw("event")
    if fields.integer("lines") != number - 1:
        raise BundleTruncated(f"announces {fields.raw('lines')} lines, {number - 1} stand before it", field="lines")
    return None


def _line(value: dict[str, Any]) -> bytes:
    return strict.canonical(value) + b"\n"
