"""From an event's commit in one service's store to its effect's commit in another's, through relay, log and worker."""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from services.ballot.__main__ import Parts
from services.shared.store import Database, open_database
from tests import doors
from tests.ballot.kit import Town, draft
from tests.drills import _platform, _servers


def measure(engine: str, events: int) -> dict[str, Any]:
    """Polls are closed one by one in the ballot's store; notifications' worker writes a message for each."""
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
        millis = []
        for number in range(events + 5):
            poll = _closing_poll(town)
            began = time.perf_counter()
            town.application.close_station(poll, "bureau-1", "the note")
            committed = time.perf_counter()
            _wait(inbox, poll, 20)
            if number >= 5:
                millis.append(1000 * (time.perf_counter() - committed))
            time.sleep(max(0.0, 0.03 - (committed - began)))
    millis.sort()
    return {
        "events": events, "p50 ms": round(statistics.median(millis), 1),
        "p99 ms": round(millis[min(events - 1, int(0.99 * events))], 1),
    }  # fmt: skip


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
