"""The poll's own events against what the logs come to, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.ballot.audit.findings import Report
from services.ballot.audit.station import StationAudit
from services.ballot.protocol import tally
from services.ballot.protocol.manifest import Manifest
from services.ballot.protocol.tally import StationCount


class EventsAudit:
    """The events of a bundle: PollClosed, then TallyComputed, each once."""

    def __init__(self, manifest: Manifest, report: Report, *, same_code: bool) -> None:
        self._manifest, self._report, self._same_code = manifest, report, same_code
        self._events: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}

    def take(self, value: dict[str, Any], line: int) -> None:
        kind = value.get("type")
        event = {"line": line, "type": kind}
        if kind not in (tally.POLL_CLOSED, tally.TALLY_COMPUTED):
            self._report.add("UnknownEvent", event, "type", "an export holds PollClosed and TallyComputed alone")
        elif kind in self._events:
            self._report.add("EventTwice", event, "type", "the event stands before")
        elif kind == tally.POLL_CLOSED and self._events:
            self._report.add("EventOrder", event, "type", "PollClosed must stand before TallyComputed")
        else:
            self._events[kind] = (value, event)

    @property
    def expected_ballots(self) -> int | None:
        """Ballots in the logs, by the published tally."""
        published, _ = self._events.get(tally.TALLY_COMPUTED, ({}, {}))
        counted, superseded = published.get("counted"), published.get("superseded")
        if type(counted) is int and type(superseded) is int:
            return counted + superseded
        return None

    def finish(
        self, stations: Mapping[str, StationAudit], counts: list[StationCount], *, may_be_open: bool
    ) -> dict[str, Any] | None:
        """Compares; returns the recomputed tally, or None where a station is missing or not closed."""
        recomputed = tally.build(self._manifest, counts) if len(counts) == len(self._manifest.stations) else None
        wanted = {tally.POLL_CLOSED: tally.poll_closed(self._manifest), tally.TALLY_COMPUTED: recomputed}
        for kind, expected in wanted.items():
            if kind in self._events:
                self._compare(kind, expected)
            elif not may_be_open:
                self._report.add("EventMissing", {"type": kind}, "type", "the export does not hold it")
        self._checkpoints(stations)
        return recomputed

    def _compare(self, kind: str, recomputed: dict[str, Any] | None) -> None:
        published, event = self._events[kind]
        if recomputed is None:
            self._report.add("TallyTooEarly", event, "stations", "a tally needs every station of the manifest, closed")
            return
        finding = "WrongTally" if kind == tally.TALLY_COMPUTED else "WrongEvent"
        for field, cause in differences(published, recomputed):
            if field == "code_hash" and self._other_code(published.get("code_hash"), event):
                continue
            if not (field.startswith("stations[") and field.endswith("].checkpoint")):  # notes are verified, not equal
                self._report.add(finding, event, field, cause)

    def _other_code(self, published: Any, event: dict[str, Any]) -> bool:
        """Later releases still recount old polls: equal results by other code are worth a note, not a failure."""
        if self._same_code or not isinstance(published, str) or len(published) != 64:
            return False
        note = "the published tally was computed by another version of the code; this one finds the same result"
        self._report.notes.append({"note": note, "event": event, "published": published, "here": tally.code_hash()})
        return True

    def _checkpoints(self, stations: Mapping[str, StationAudit]) -> None:
        published, event = self._events.get(tally.TALLY_COMPUTED, ({}, {}))
        entries = published.get("stations")
        for entry in entries if isinstance(entries, list) else []:
            name = entry.get("station") if isinstance(entry, dict) else None
            note = entry.get("checkpoint") if isinstance(entry, dict) else None
            if isinstance(name, str) and isinstance(note, str) and name in stations:
                stations[name].check_note(note, {**event, "station": name})
            else:
                cause = "must name stations of the export, each with its checkpoint"
                self._report.add("WrongTally", event, "stations", cause)


def differences(published: Any, recomputed: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each field that differs, as `questions[0].result.counts.oui`, with what stands and what should."""
    if isinstance(published, dict) and isinstance(recomputed, dict):
        for name in sorted(published.keys() | recomputed.keys()):
            at = f"{path}.{name}" if path else name
            if name not in published:
                yield at, "is missing"
            elif name not in recomputed:
                yield at, "is not a known field"
            else:
                yield from differences(published[name], recomputed[name], at)
    elif isinstance(published, list) and isinstance(recomputed, list) and len(published) == len(recomputed):
        for i, (one, other) in enumerate(zip(published, recomputed, strict=True)):
            yield from differences(one, other, f"{path}[{i}]")
    elif type(published) is not type(recomputed) or published != recomputed:
        yield path, f"says {_short(published)}, the logs come to {_short(recomputed)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
