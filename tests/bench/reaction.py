"""From an event's commit in one service's store to its effect's commit in another's, through relay, log and worker."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from services.ballot.__main__ import Parts
from services.shared.store import Database, open_database
from tests import doors
from tests.ballot.kit import Town, draft
from tests.drills import _platform, _servers

WARMING: Final = 10  # events before those that are measured: a broker of a few seconds compiles itself
RECORD: Final = os.urandom(186)


def measure(engine: str, events: int) -> dict[str, Any]:
    """Polls are closed one by one in the ballot's store; notifications' worker writes a message for each.

    Between two events one record is appended to a file on the same disk: a reaction waits for two such writes or more,
    and for whatever else is written meanwhile, so a long tail beside a slow disk is the disk's.
    """
    with tempfile.TemporaryDirectory(prefix="parvis-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        common = stack.enter_context(_servers.settings(engine, folder))
        env = _platform.as_environment(common)
        for words in (["services.ballot", "relay"], ["services.notifications", "worker"]):
            stack.enter_context(doors.running(words, env, folder, port=False))
        with _platform.environment(env):
            parts = Parts.from_env()
        town = Town(parts.polls, parts.slot.database, parts.log.database)
        inbox = open_database(common, "notifications")
        time.sleep(5)  # the worker's first start: it reads from now on
        millis, disk = [], []
        for number in range(events + WARMING):
            poll = _closing_poll(town)
            began = time.perf_counter()
            town.application.close_station(poll, "bureau-1", "the note")
            committed = time.perf_counter()
            _wait(inbox, poll, 20)
            if number >= WARMING:
                millis.append(1000 * (time.perf_counter() - committed))
                disk.append(_append(folder / "disk"))
            time.sleep(max(0.0, 0.03 - (committed - began)))
    figures = {"events": events, **_spread(millis)}
    return figures | {f"append to the same disk, {name}": value for name, value in _spread(disk).items()}


def _spread(millis: Sequence[float]) -> dict[str, float]:
    ordered = sorted(millis)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return {
        "p50 ms": round(statistics.median(ordered), 1), "p99 ms": round(p99, 1), "slowest ms": round(ordered[-1], 1),
    }  # fmt: skip


def _append(file: Path) -> float:
    """Milliseconds until one record is on disk."""
    with file.open("ab", buffering=0) as out:
        began = time.perf_counter()
        out.write(RECORD)
        os.fdatasync(out.fileno())
        return 1000 * (time.perf_counter() - began)


def _closing_poll(town: Town) -> str:
    manifest = town.publish(draft())
    town.application.open(manifest.poll, manifest.hash.hex())
    town.application.begin_closing(manifest.poll)
    return manifest.poll


def _wait(inbox: Database, poll: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    while True:
        with inbox.transaction(write=False) as tx:
            if tx.execute("SELECT 1 FROM inbox WHERE poll = ?", (poll,)):
                return
        if time.monotonic() > until:
            raise TimeoutError("no reaction")
        time.sleep(0.001)
