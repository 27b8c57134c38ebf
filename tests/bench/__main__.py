"""`make bench`: speeds as ratios to baselines of the same run, into docs/performance.md. ARGS=--short for a try."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import casts, fold, pages, reaction, rolls

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
HEAD = """# Performance

Written by `make bench`, a section a measure; `make bench ARGS="--only casts"` writes one anew. Every figure stands
beside a baseline of the same run, on the same machine, in turn: trust the ratios. The load generator shares the
machine's processors with the server. Memory and other numbers that are no speed are in [drills.md](drills.md).
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="small numbers, printed and not kept")
    parser.add_argument("--only", choices=tuple(MEASURES))
    given = parser.parse_args()
    for name, measure in MEASURES.items():
        if given.only in (None, name):
            found = measure(given.short)
            print(json.dumps({name: found}, indent=2, ensure_ascii=False), flush=True)
            if not given.short:
                keep(name, found)
    return 0


def keep(name: str, found: dict[str, Any]) -> None:
    """The measure's section of the page, written anew; the others stay."""
    page = PAGE.read_text() if PAGE.exists() else ""
    sections = dict(part.split("\n", 1) for part in page.split("\n## ")[1:])
    sections[name] = section(name, found)
    known = [f"\n## {one}\n{sections[one].rstrip()}\n" for one in MEASURES if one in sections]
    PAGE.write_text(HEAD + "".join(known))


def _casts(short: bool) -> dict[str, Any]:
    sizes = (1000,) if short else (10_000, 1_000_000)
    number, rounds = (2000, 1) if short else (10_000, 5)
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


def _rolls(short: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for engine in ("embedded", "region"):
        found[engine] = rolls.measure(engine, (2000,) if short else (10_000, 1_000_000))
        if not short:
            few, many = (of_size["µs a resident"] for of_size in found[engine].values())
            found[engine]["growth of a resident from 10⁴ to 10⁶"] = round(many / few, 2)
    return found


def _counting(short: bool) -> dict[str, Any]:
    from tests.bench import counting  # here, since it needs the libraries that it is compared with

    return counting.measure(short)


MEASURES = {
    "casts": _casts,
    "fold": _fold,
    "reaction": _reaction,
    "counting": _counting,
    "pages": pages.measure,
    "rolls": _rolls,
}
GOALS = {
    "casts": "Goals: ours / no storage ≥ 0.6; ours / Flask ≥ 3 (SQLite), ≥ 4 (PostgreSQL); growth ≤ 1.15.",
    "fold": "Goal: ours / library ≥ 6.",
    "reaction": "Goals: p99 ≤ 100 ms on embedded stores, ≤ 250 ms through Kafka.",
    "counting": "Goals: the fastest library / ours ≥ 3 for STV, ≥ 1 for the others; cost linear in distinct ballots.",
    "pages": "Goals: from the cache / hello ≥ 0.5; cold ≤ 15 times hello; signed in ≤ 20 times, p99 ≤ 150 ms; "
    "growth ≤ 1.2.",
    "rolls": "Goals: a million residents in 131 strata within a minute; ours / rows alone ≤ 3.",
}


def section(name: str, found: dict[str, Any]) -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    machine = f"{os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}"
    head = f"\n{GOALS[name]}\n\n{datetime.now(UTC):%Y-%m-%d}, commit {commit}, {machine}.\n\n"
    rows = [(label, str(value)) for label, value in _flat(found)]
    return head + (_casts_table(found) if name == "casts" else _table(("Figure", "Value"), rows))


def _casts_table(found: dict[str, Any]) -> str:
    head = ("Stores", "Kind", "casts/s [min–max]", "p99 ms", "p99 while an epoch is sealed", "p99 between epochs")
    rows, ratios = [], []
    for engine, sizes in found.items():
        for size, of_size in sizes.items():
            if not isinstance(of_size, dict):
                ratios.append((engine, size, str(of_size)))
                continue
            for kind, figures in of_size.items():
                if isinstance(figures, dict):
                    rate, least, most, *spans = figures.values()
                    rows.append((f"{engine}, {size}", kind, f"{rate:,} [{least:,}–{most:,}]", *map(str, spans)))
                else:
                    ratios.append((f"{engine}, {size}", kind, str(figures)))
    return _table(head, rows) + "\n" + _table(("Stores", "Ratio", "Value"), ratios)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["-"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _flat(figures: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for label, value in figures.items():
        name = f"{prefix}{label}"
        rows += _flat(value, f"{name}, ") if isinstance(value, dict) else [(name, value)]
    return rows


if __name__ == "__main__":
    sys.exit(main())
