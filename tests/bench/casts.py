"""Durable casts a second, as ratios to two baselines of the same minutes, at 10⁴ and at 10⁶ stored ballots."""

from __future__ import annotations

import asyncio
import bisect
import secrets
import statistics
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.servers import Postgres
from services.ballot.__main__ import Parts
from services.ballot.protocol.manifest import Manifest
from services.ballot.store.log import BallotRow
from services.ballot.store.slot import Slot
from tests import doors
from tests.ballot.kit import Town, draft
from tests.ballot.simulation import ballot_bytes
from tests.drills import _platform
from tests.http_client import Connection

AT_ONCE = 64
KINDS = ("ours", "no-storage", "flask")


@dataclass(frozen=True, slots=True)
class Rate:
    per_second: float
    p99_ms: float
    sealing_p99_ms: float | None
    """Of casts that overlap the sealing of an epoch; None where fewer than a hundred do."""
    between_p99_ms: float | None
    """Of the others."""


class Watch:
    """When epochs were being sealed: the slot is asked a hundred times a second whether it holds marked rows."""

    def __init__(self, slot: Slot, poll: str) -> None:
        self._slot, self._poll = slot, poll
        self._over = threading.Event()
        self._seen: list[tuple[float, float]] = []  # spans between two answers, the later of which was yes
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        before = time.perf_counter()
        while not self._over.wait(0.01):
            with self._slot.database.transaction(write=False) as tx:
                marked = tx.execute("SELECT 1 FROM slot WHERE poll = ? AND marked = 1 LIMIT 1", (self._poll,))
            now = time.perf_counter()
            if marked:
                self._seen.append((before, now))
            before = now

    def sealing(self, began: float, ended: float) -> bool:
        at = bisect.bisect_right(self._seen, (began, 0.0))
        near = self._seen[max(0, at - 1) : at + 1]
        return any(first <= ended and last >= began for first, last in near)


def measure(engine: str, *, casts: int, rounds: int, stored: Sequence[int]) -> dict[str, Any]:
    """Rounds of ours, no-storage and flask in turn on one set of stores, the sealer running; then growth."""
    with tempfile.TemporaryDirectory(prefix="parvis-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        env = {"PARVIS_DATA": str(folder / "data"), "PARVIS_ENGINE": engine}
        if engine == "region":
            env["PARVIS_POSTGRES"] = stack.enter_context(Postgres(folder / "postgres")).url
        doors.run(["services.ballot", "migrate"], env)
        doors.run(["services.ballot", "keys"], env)
        with _platform.environment(env):
            parts = Parts.from_env()
        town = Town(parts.polls, parts.slot.database, parts.log.database)
        town.use_keys(parts.keys)
        now = datetime.now(UTC)
        town.clock.now = now
        says = draft(opens=now - timedelta(minutes=1), closes=now + timedelta(hours=5), epoch_seconds=2)
        manifest = town.open(says, size=5_000_000)
        found: dict[str, Any] = {}
        with doors.running(["services.ballot", "seal"], env, folder, port=False):
            for size in stored:
                _fill(town, says, size)
                found[f"{size:,} stored"] = _rounds(town, manifest, env, folder, casts, rounds)
        return found


def _rounds(
    town: Town, manifest: Manifest, env: dict[str, str], folder: Path, casts: int, rounds: int
) -> dict[str, Any]:
    rates: dict[str, list[Rate]] = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind in KINDS:
            fewer = casts if kind != "flask" else casts // 4
            leaves = [town.voter(manifest).ballot() for _ in range(fewer)]
            with doors.running(["tests.bench.doors", kind], env, folder) as door:
                asyncio.run(_load(door.port, manifest, leaves[: fewer // 20]))
                with Watch(town.slot, manifest.poll) as watch:
                    timed = asyncio.run(_load(door.port, manifest, leaves[fewer // 20 :]))
                rates[kind].append(_rate(timed, watch))
    ours = [rate.per_second for rate in rates["ours"]]
    return {
        **{
            kind: {
                "casts/s (median)": round(statistics.median(r.per_second for r in found)),
                "min": round(min(r.per_second for r in found)),
                "max": round(max(r.per_second for r in found)),
                "p99 ms (median)": _median(r.p99_ms for r in found),
                "p99 ms while an epoch is sealed": _median(r.sealing_p99_ms for r in found),
                "p99 ms between epochs": _median(r.between_p99_ms for r in found),
            }
            for kind, found in rates.items()
        },
        "ours / no storage": _ratio(ours, rates["no-storage"]),
        "ours / Flask, a commit a request": _ratio(ours, rates["flask"]),
    }


def _ratio(ours: Sequence[float], others: Sequence[Rate]) -> float:
    """The median of the ratios round by round: the machine's speed drifts."""
    return round(statistics.median(a / b.per_second for a, b in zip(ours, others, strict=True)), 2)


Span = tuple[float, float]
"""Of one cast, from its sending to its promise, by this process's clock."""


async def _load(port: int, manifest: Manifest, leaves: Sequence[bytes]) -> list[Span]:
    left: Iterator[bytes] = iter(leaves)
    spans: list[Span] = []
    path = f"/polls/{manifest.poll}/ballots"

    async def worker() -> None:
        connection = Connection(port)
        for leaf in left:
            began = time.perf_counter()
            answer = await connection.post(path, leaf)
            spans.append((began, time.perf_counter()))
            if answer.status != 201:
                raise AssertionError(answer)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return spans


def _rate(spans: Sequence[Span], watch: Watch) -> Rate:
    took = max(ended for _, ended in spans) - min(began for began, _ in spans)
    sealing = [span for span in spans if watch.sealing(*span)]
    others = [span for span in spans if not watch.sealing(*span)]
    whole = _p99(spans)
    assert whole is not None
    return Rate(len(spans) / took, whole, _p99(sealing), _p99(others))


def _p99(spans: Sequence[Span]) -> float | None:
    ordered = sorted(ended - began for began, ended in spans)
    return 1000 * ordered[int(0.99 * (len(ordered) - 1))] if len(ordered) >= 100 else None


def _median(found: Iterable[float | None]) -> float | str:
    known = [value for value in found if value is not None]
    return round(statistics.median(known), 1) if known else "-"


def _fill(town: Town, says: dict[str, Any], size: int) -> None:
    """Another poll's log in the same store, until it holds `size` ballots. Signatures play no part in what is kept."""
    with town.log.database.transaction(write=False) as tx:
        missing = size - int(tx.execute("SELECT count(*) FROM ballot")[0][0])
    if missing <= 0:
        return
    manifest = town.publish({**says, "opens_at": "2026-01-01T00:00:00Z"}, size=5_000_000)
    [station] = town.sealer._stations(manifest)
    station.open()
    at = station.at()
    for first in range(0, missing, 5000):
        at = station.log.append(at, list(_rows(min(5000, missing - first))), station.recount)


def _rows(number: int) -> list[BallotRow]:
    rows = []
    for _ in range(number):
        credential = secrets.token_bytes(32)
        leaf = ballot_bytes(credential, 0, secrets.choice(("oui", "non")), None)
        rows.append(BallotRow(secrets.token_bytes(32), credential, 0, leaf))
    return rows
