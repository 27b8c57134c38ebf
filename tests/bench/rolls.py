"""Freezing a poll's roll: every resident of its strata read, named by the poll's key, hashed to a root, written.

The baseline writes as many rows of the same shape, in one transaction of the same store, and does nothing else.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from services.identity.__main__ import Parts
from services.identity.store.rolls import RollStore
from tests.drills import _platform, _servers

ROUNDS: Final = 3
STATIONS: Final = 131  # as many as Minneapolis has
OPENS, CLOSES = "2030-01-01T08:00:00Z", "2030-01-02T18:00:00Z"
_AT_A_TIME: Final = 50_000


def measure(engine: str, sizes: tuple[int, ...]) -> dict[str, Any]:
    """`sizes`: how many residents there are, in growing order."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="parvis-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with _servers.settings(engine, folder) as common, _platform.environment(_platform.as_environment(common)):
            parts, there = Parts.from_env(), 0
            for size in sizes:
                _settle(parts, there, size)
                there = size
                found[f"{size:,} residents"] = _figures(parts, size)
    return found


def _settle(parts: Parts, first: int, last: int) -> None:
    """Residents numbered so, one after the other on the stations' strata."""
    for start in range(first, last, _AT_A_TIME):
        rows = (
            f"Martin{n};Camille;12/03/1980;bureau-{n % STATIONS}" for n in range(start, min(last, start + _AT_A_TIME))
        )
        report = parts.importing().run(("nom;prénom;date de naissance;strate\n" + "\n".join(rows)).encode(), by="bench")
        assert not report.faults, report.faults[:3]


def _figures(parts: Parts, size: int) -> dict[str, Any]:
    stations = [f"bureau-{n}" for n in range(STATIONS)]
    ours, plain = list[float](), list[float]()
    for _ in range(ROUNDS):
        ours.append(_timed(lambda: _freeze(parts, stations, size)))
        plain.append(_timed(lambda: _write(parts.rolls, size)))
    each = statistics.median(ours) / size
    return {
        "seconds": round(statistics.median(ours), 2),
        "µs a resident": round(each * 1e6, 1),
        "ours / rows alone": round(statistics.median(a / b for a, b in zip(ours, plain, strict=True)), 2),
    }


def _freeze(parts: Parts, stations: list[str], size: int) -> None:
    made = parts.issuance().prepare(str(uuid4()), stations, OPENS, CLOSES, "bench")
    assert sum(stratum["roll_size"] for stratum in made.strata) == size


def _write(rolls: RollStore, size: int) -> None:
    rolls.replace(str(uuid4()), [(os.urandom(32), "bureau-1") for _ in range(size)])


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
