"""The audit of 1,000,000 signed ballots, killed with -9 half-way and started again: what it keeps in memory.

Checks: main process and helpers together stay within 400 MB; a killed audit leaves no process behind; the same command
goes on, does not check the same signatures again, and comes to the published result.

Memory is the sum of PSS over /proc, looked at four times a second; beside it stands the sum of the most that each
process ever held (VmHWM), which counts shared pages once a process and misses no peak.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.memory import memory_of
from services.ballot.protocol.manifest import Manifest
from tests.drills import _bundle

LIMIT_MB: Final = 400
_SMOKE_LIMIT_MB: Final = 200  # a tenth of the voters, and what the processes need for none: some 120
_LOOK_SECONDS: Final = 0.25


@dataclass
class Audit:
    """One run of the command, and the most memory that it was seen to hold."""

    process: subprocess.Popen[str]
    pss_mb: float = 0.0
    highest_mb: dict[int, float] = field(default_factory=dict)

    def look(self) -> list[int]:
        """Its processes now."""
        uses = memory_of(self.process.pid)
        self.pss_mb = max(self.pss_mb, sum(use.pss_kb for use in uses) / 1024)
        for use in uses:
            self.highest_mb[use.pid] = max(self.highest_mb.get(use.pid, 0), _highest_mb(use.pid))
        return [use.pid for use in uses]


def main(smoke: bool, seed: int) -> dict[str, object]:
    ballots = 100_000 if smoke else 1_000_000
    with tempfile.TemporaryDirectory(prefix="parvis-audit-") as name:
        folder = Path(name)
        began = time.perf_counter()
        manifest = _bundle.write(folder / "bundle", ballots, seed)
        made = time.perf_counter()
        killed, helpers, saved = _killed(folder, manifest, part=0.25 if smoke else 0.5)
        again = time.perf_counter()
        second, said = _to_its_end(folder, manifest)
        size = (folder / "bundle").stat().st_size
    found = re.search(r"signatures of (\d+) ballots were checked by an earlier run", said)
    counts = re.search(r"counted (\d+), superseded (\d+)", said)
    assert f"{ballots} ballots checked of {ballots} expected" in said, said
    assert "PASSED" in said.splitlines(), said
    assert counts and sum(map(int, counts.groups())) == ballots, said
    assert found and int(found[1]) == saved["ballots"] > 0, (said, saved)
    pss, highest = max(killed.pss_mb, second.pss_mb), max(sum(a.highest_mb.values()) for a in (killed, second))
    limit = _SMOKE_LIMIT_MB if smoke else LIMIT_MB
    assert highest <= limit, (pss, highest)
    return {
        "ballots": ballots, "voters": int(counts[1]), "bundle MB": round(size / 1e6),
        "making it s": round(made - began),
        "processes of the audit": len(second.highest_mb), "peak MB (sum of PSS)": round(pss),
        "peak MB (sum of each process's own peak)": round(highest), "goal MB": limit,
        "killed at s": round(again - made, 1), "helpers left 5 s after the kill": helpers,
        "signatures not checked again, of ballots": saved["ballots"],
        "second run s": round(time.perf_counter() - again, 1), "result": "PASSED",
    }  # fmt: skip


def _killed(folder: Path, manifest: Manifest, part: float) -> tuple[Audit, int, dict[str, Any]]:
    """Runs until its saved progress covers that part of the bundle, then -9. Returns what was seen, how many helpers
    were left, and the progress."""
    audit, wanted = _start(folder, manifest), part * (folder / "bundle").stat().st_size
    progress = _progress(folder)
    while progress["bytes"] < wanted:
        assert audit.process.poll() is None, f"ended before it was killed: {audit.process.communicate()}"
        pids = audit.look()
        time.sleep(_LOOK_SECONDS)
        progress = _progress(folder)
    audit.process.kill()
    audit.process.communicate()
    until = time.monotonic() + 5
    while (left := sum(map(_lives, pids))) and time.monotonic() < until:
        time.sleep(0.05)
    assert left == 0, f"{left} processes outlive the audit"
    return audit, left, _progress(folder)


def _to_its_end(folder: Path, manifest: Manifest) -> tuple[Audit, str]:
    audit = _start(folder, manifest)
    while audit.process.poll() is None:
        audit.look()
        time.sleep(_LOOK_SECONDS)
    said, errors = audit.process.communicate()
    assert audit.process.returncode == 0, said + errors
    return audit, said


def _start(folder: Path, manifest: Manifest) -> Audit:
    words = [str(folder / "bundle"), "--manifest-hash", manifest.hash.hex(), "--quiet"]
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    command = [sys.executable, "-m", "services.ballot.audit", *words]
    return Audit(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))


def _progress(folder: Path) -> dict[str, Any]:
    """What the audit would go on from."""
    for path in (folder / "state").glob("*/*.json"):
        found: dict[str, Any] = json.loads(path.read_bytes())["progress"]
        return found
    return {"bytes": 0, "ballots": 0}


def _highest_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0  # it ended
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.M)
    return int(found[1]) / 1024 if found else 0.0


def _lives(pid: int) -> bool:
    try:
        return (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]) != "Z"
    except OSError:
        return False
