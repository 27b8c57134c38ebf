"""From the log to the profile: our fold of raw leaves against the eventsourcing library's own replay of as many events.

The library's side keeps one ballot an event in its SQLite recorder, reads notifications, maps them to objects and
folds those: what an application written the usual way does.
"""

from __future__ import annotations

import os
import secrets
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from services.ballot.protocol.profile import fold
from services.ballot.store.log import BallotRow
from tests.ballot.kit import Town, draft
from tests.ballot.simulation import ballot_bytes

CHUNK = 5000
ROUNDS = 3


class Box(Aggregate):
    @event("Cast")
    def __init__(self, credential: str, seq: int, answers: list[dict[str, str]]) -> None:
        self.credential, self.seq, self.answers = credential, seq, answers


class Boxes(Application):
    """The library's application, one stored event a ballot."""


def measure(ballots: int) -> dict[str, Any]:
    """Both stores are filled, then each is folded three times, in turn: the machine's speed drifts within minutes."""
    with tempfile.TemporaryDirectory(prefix="parvis-bench-") as name:
        ours, library = _ours(Path(name), ballots), _library(Path(name), ballots)
        rounds = [(_timed(ours, ballots), _timed(library, ballots)) for _ in range(ROUNDS)]
    ratios = sorted(theirs / mine for mine, theirs in rounds)
    mine, theirs = (statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    return {
        "ballots": ballots, "ours /s (median)": round(ballots / mine),
        "library's replay /s (median)": round(ballots / theirs),
        "ours / library": round(statistics.median(ratios), 1),
        "min": round(ratios[0], 1), "max": round(ratios[-1], 1),
    }  # fmt: skip


def _timed(fold_all: Callable[[], int], ballots: int) -> float:
    began = time.perf_counter()
    turnout = fold_all()
    took = time.perf_counter() - began
    assert turnout == ballots
    return took


def _ours(folder: Path, ballots: int) -> Callable[[], int]:
    """A log of that many ballots; what folds it and returns the turnout."""
    town = Town.embedded(folder)
    manifest = town.open(draft(), size=ballots + 50)
    [station] = town.sealer._stations(manifest)
    at = station.at()
    for first in range(0, ballots, CHUNK):
        rows = [_row() for _ in range(min(CHUNK, ballots - first))]
        at = town.log.append(at, rows, station.recount)

    def fold_all() -> int:
        winners = fold(town.log.all_leaves(manifest.poll, "bureau-1", below=at.size))
        winners.profile()
        return len(winners)

    return fold_all


def _row() -> BallotRow:
    credential = secrets.token_bytes(32)
    leaf = ballot_bytes(credential, 0, secrets.choice(("oui", "non")), None)
    return BallotRow(secrets.token_bytes(32), credential, 0, leaf)


def _library(folder: Path, ballots: int) -> Callable[[], int]:
    """The same in the library's own store."""
    os.environ["SQLITE_DBNAME"] = str(folder / "library.db")
    os.environ["PERSISTENCE_MODULE"] = "eventsourcing.sqlite"
    app: Boxes = Boxes()
    for first in range(0, ballots, CHUNK):
        app.save(*(_box() for _ in range(min(CHUNK, ballots - first))))

    def fold_all() -> int:
        winning: dict[str, tuple[int, str]] = {}
        for told in _notifications(app, ballots):
            cast: Any = app.mapper.to_domain_event(told)
            before = winning.get(cast.credential)
            if before is None or cast.seq > before[0]:
                winning[cast.credential] = (cast.seq, str(cast.answers))
        Counter(answers for _, answers in winning.values())
        return len(winning)

    return fold_all


def _box() -> Box:
    choice = secrets.choice(("oui", "non"))
    return Box(credential=secrets.token_hex(32), seq=0, answers=[{"choice": choice}])


def _notifications(app: Boxes, ballots: int) -> Iterator[Any]:
    start = 1
    while start <= ballots:
        found = app.recorder.select_notifications(start, 1000)
        yield from found
        start = found[-1].id + 1
