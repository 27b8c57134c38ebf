"""Durable casts a second, as ratios to two baselines of the same minutes, at 10⁴ and at 10⁶ stored ballots."""

from __future__ import annotations

import asyncio
import secrets
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.servers import Postgres
from services.ballot.__main__ import Parts
from services.ballot.protocol.manifest import Manifest
from services.ballot.store.log import BallotRow
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
                rates[kind].append(asyncio.run(_load(door.port, manifest, leaves[fewer // 20 :])))
    ours = [rate.per_second for rate in rates["ours"]]
    return {
        **{
            kind: {
                "casts/s (median)": round(statistics.median(r.per_second for r in found)),
                "min": round(min(r.per_second for r in found)),
                "max": round(max(r.per_second for r in found)),
                "p99 ms (median)": round(statistics.median(r.p99_ms for r in found), 1),
            }
            for kind, found in rates.items()
        },
        "ours / no storage": _ratio(ours, rates["no-storage"]),
        "ours / Flask, a commit a request": _ratio(ours, rates["flask"]),
    }


def _ratio(ours: Sequence[float], others: Sequence[Rate]) -> float:
    """The median of the ratios round by round: the machine's speed drifts."""
    return round(statistics.median(a / b.per_second for a, b in zip(ours, others, strict=True)), 2)


async def _load(port: int, manifest: Manifest, leaves: Sequence[bytes]) -> Rate:
    left, seconds = iter(leaves), []
    path = f"/polls/{manifest.poll}/ballots"

    async def worker() -> None:
        connection = Connection(port)
        for leaf in left:
            began = time.perf_counter()
            answer = await connection.post(path, leaf)
            seconds.append(time.perf_counter() - began)
            if answer.status != 201:
                raise AssertionError(answer)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    took = time.perf_counter() - began
    seconds.sort()
    return Rate(len(seconds) / took, 1000 * seconds[int(0.99 * (len(seconds) - 1))])


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
