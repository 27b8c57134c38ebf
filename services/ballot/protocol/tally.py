"""The tally: the published result of a poll, computed from the stations' profiles by integer code alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from services.ballot.protocol.manifest import Manifest
from services.ballot.protocol.profile import Profile, per_question

TALLY_COMPUTED: Final = "TallyComputed"
POLL_CLOSED: Final = "PollClosed"


@dataclass(frozen=True, slots=True)
class StationCount:
    """What one closed station's log comes to. `checkpoint` is the note over the whole log."""

    station: str
    checkpoint: str
    profile: Profile
    ballots: int
    issued: int
    reissued: int

    @property
    def turnout(self) -> int:
        return self.profile.total()


def build(manifest: Manifest, counts: Sequence[StationCount]) -> dict[str, Any]:
    """The value of the event TallyComputed. `counts` in any order, one per station of the manifest."""
    by_station = {count.station: count for count in counts}
    ordered = [by_station[station.id] for station in manifest.stations]
    profile: Profile = Counter()
    for count in ordered:
        profile.update(count.profile)
    turnout = profile.total()
    return {
        "type": TALLY_COMPUTED,
        "version": 1,
        "poll": manifest.poll,
        "manifest_hash": manifest.hash.hex(),
        "questions": [
            {"id": question.id, "method": question.method, "result": question.rule.count(question, answers)}
            for question, answers in zip(manifest.questions, per_question(manifest, profile), strict=True)
        ],
        "counted": turnout,
        "superseded": sum(count.ballots for count in ordered) - turnout,
        # Accepted means valid in this mode: what is not valid is refused at the door. Sealed modes will count here.
        "invalid": {},
        "turnout": turnout,
        "roll": manifest.roll,
        "issued": sum(count.issued for count in ordered),
        "reissued": sum(count.reissued for count in ordered),
        "stations": [{"station": count.station, "checkpoint": count.checkpoint} for count in ordered],
        "code_hash": code_hash(),
    }


def poll_closed(manifest: Manifest) -> dict[str, Any]:
    """The value of the event PollClosed: all stations are closed, no ballot can follow."""
    return {
        "type": POLL_CLOSED,
        "version": 1,
        "poll": manifest.poll,
        "title": manifest.title,
        "closes_at": manifest.closes_at,
    }


@cache
def code_hash() -> str:
    """SHA-256 over the sources that decide a result: protocol and methods.

    Over one line a file, `<SHA-256 of the file> <path from services/ballot>`, sorted by path.
    """
    here = Path(__file__).resolve().parent.parent
    files = sorted(path for room in ("protocol", "methods") for path in (here / room).glob("*.py"))
    lines = [f"{sha256(path.read_bytes()).hexdigest()} {path.relative_to(here).as_posix()}\n" for path in files]
    return sha256("".join(lines).encode()).hexdigest()
