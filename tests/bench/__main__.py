"""`make bench`: speeds as ratios to baselines of the same run, into docs/performance.md. ARGS=--short for a try."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import casts, counting, fold, reaction

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
HEAD = """# Performance

Written by `make bench`. Every figure stands beside a baseline of the same run, on the same machine, in turn: trust the
ratios. The load generator shares the machine's processors with the server.
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="small numbers, printed and not kept")
    parser.add_argument("--only", choices=tuple(MEASURES))
    given = parser.parse_args()
    found = {name: measure(given.short) for name, measure in MEASURES.items() if given.only in (None, name)}
    print(json.dumps(found, indent=2, ensure_ascii=False))
    if not given.short and given.only is None:
        PAGE.write_text(page(found))
    return 0


def _casts(short: bool) -> dict[str, Any]:
    sizes = (1000,) if short else (10_000, 1_000_000)
    number, rounds = (2000, 1) if short else (10_000, 3)
    found: dict[str, Any] = {}
    for engine in ("embedded", "region"):
        found[engine] = casts.measure(engine, casts=number, rounds=rounds, stored=sizes)
        if not short:
            few, many = (found[engine][f"{size:,} stored"]["ours"]["casts/s (median)"] for size in sizes)
            found[engine]["growth from 10⁴ to 10⁶ stored"] = round(few / many, 2)
    return found


def _fold(short: bool) -> dict[str, Any]:
    return fold.measure(20_000 if short else 1_000_000)


def _reaction(short: bool) -> dict[str, Any]:
    return {engine: reaction.measure(engine, 30 if short else 300) for engine in ("embedded", "region")}


MEASURES = {"casts": _casts, "fold": _fold, "reaction": _reaction, "counting": counting.measure}
GOALS = {
    "casts": "Goals: ours / no storage ≥ 0.6; ours / Flask ≥ 3 (SQLite), ≥ 4 (PostgreSQL); growth ≤ 1.15.",
    "fold": "Goal: ours / library ≥ 6.",
    "reaction": "Goals: p99 ≤ 100 ms on embedded stores, ≤ 250 ms through Kafka.",
    "counting": "Goals: the fastest library / ours ≥ 3 for STV, ≥ 1 for the others; cost linear in distinct ballots.",
}


def page(found: dict[str, Any]) -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    machine = f"{os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}"
    parts = [HEAD, f"\n{datetime.now(UTC):%Y-%m-%d}, commit {commit}, {machine}.\n"]
    for name, figures in found.items():
        parts.append(f"\n## {name}\n\n{GOALS[name]}\n\n| | |\n|-|-|\n")
        parts += [f"| {label} | {value} |\n" for label, value in _flat(figures)]
    return "".join(parts)


def _flat(figures: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for label, value in figures.items():
        name = f"{prefix}{label}"
        rows += _flat(value, f"{name}, ") if isinstance(value, dict) else [(name, value)]
    return rows


if __name__ == "__main__":
    sys.exit(main())
