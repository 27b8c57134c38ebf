"""Runs drills and keeps their figures: `make drills`, `make drill-NAME`.

A drill is tests/drills/NAME.py with `main(smoke: bool, seed: int) -> dict[str, object]`: it breaks something on
purpose, checks that nothing promised was lost, and returns what it counted or measured. It fails by raising or by
exiting with a code. Each runs in a process of its own. Figures go to docs/drills.md with command, seed and commit;
those of a smoke run do not. A full run takes a new seed; a smoke run always the same one, so that what it finds is the
doing of the change it runs on. Three drills run at a time, since most of them wait more than they work; those whose
times count come after, one by one. A drill that is asked for by its name runs alone.
"""

from __future__ import annotations

import argparse
import ast
import datetime
import importlib
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from deploy.processes import ROOT

FOLDER: Final = ROOT / "tests" / "drills"
SMOKE_SEED: Final = 20_261_126
PAGE: Final = ROOT / "docs" / "drills.md"
_ALONE: Final = frozenset({"brokers", "guesses", "journeys", "scale"})
"""What they measure another drill would disturb."""
_AT_ONCE: Final = 3
_LONG: Final = (
    "toulouse", "minneapolis", "office", "pages", "contracts", "xss", "kills", "closing", "histories", "erasure",
)  # fmt: skip
"""They take longest, full or short, and begin first: what is waited for at the end is short."""
_PAGE_LOCK: Final = threading.Lock()
_HEAD: Final = (
    "# Drills\n\nWhat was broken on purpose, and what was counted. Each section is written by the command it names; "
    "a run with `SMOKE=1` checks the same things on less and writes nothing here.\n"
)


def names() -> list[str]:
    return sorted(p.stem for p in FOLDER.glob("*.py") if not p.stem.startswith("_"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.drills", description="Run drills.")
    parser.add_argument("names", nargs="*", help="which ones (all)")
    parser.add_argument("--smoke", action="store_true", help="short runs, figures not kept")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--figures", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    anew = SMOKE_SEED if given.smoke else random.SystemRandom().randrange(2**31)
    seed = anew if given.seed is None else given.seed
    if given.figures:
        given.figures.write_text(json.dumps(_module(given.names[0]).main(smoke=given.smoke, seed=seed), default=str))
        return 0
    unknown = sorted(set(given.names) - set(names()))
    if unknown:
        print(f"no such drill: {', '.join(unknown)}; there are {', '.join(names()) or 'none'}", file=sys.stderr)
        return 2
    passed = dict(_all(given.names or names(), given.smoke, seed))
    failed = [name for name, well in passed.items() if not well]
    print(f"\ndrills: {len(passed) - len(failed)} passed, {len(failed)} failed")
    for name in failed:
        print(f"  again: make drill-{name} SEED={seed}{' SMOKE=1' if given.smoke else ''}")
    return 1 if failed else 0


def _all(names: Sequence[str], smoke: bool, seed: int) -> Iterator[tuple[str, bool]]:
    together = [name for name in names if len(names) > 1 and name not in _ALONE]
    together.sort(key=lambda name: _LONG.index(name) if name in _LONG else len(_LONG))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from zip(together, pool.map(lambda name: _run(name, smoke, seed, shown=False), together), strict=True)
    yield from ((name, _run(name, smoke, seed, shown=True)) for name in names if name not in together)


def _run(name: str, smoke: bool, seed: int, *, shown: bool) -> bool:
    """`shown`: what it says is shown as it comes; else with its figures, in one piece."""
    said = [f"── {name} (seed {seed}{', smoke' if smoke else ''})"]
    if shown:
        print(said.pop(), flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.json"
        words = [sys.executable, "-m", "deploy.drills", name, "--seed", str(seed), "--figures", str(figures)]
        pipes: dict[str, Any] = {} if shown else {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        ended = subprocess.run([*words, *(["--smoke"] if smoke else [])], cwd=ROOT, **pipes)
        found = json.loads(figures.read_text()) if ended.returncode == 0 and figures.exists() else None
    seconds = time.monotonic() - began
    said += [] if shown else ended.stdout.splitlines()
    if found is None:
        said.append(f"   FAILED (code {ended.returncode}) in {seconds:.0f} s")
    else:
        said += [f"   {figure}: {value}" for figure, value in found.items()] + [f"   passed in {seconds:.0f} s"]
    print("\n".join(said), flush=True)
    if found is not None and not smoke:
        with _PAGE_LOCK:
            keep(PAGE, name, _section(name, found, seed, seconds, alone=shown))
    return found is not None


def _module(name: str) -> Any:
    return importlib.import_module(f"tests.drills.{name}")


def _section(name: str, figures: dict[str, Any], seed: int, seconds: float, *, alone: bool) -> str:
    about = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text("utf-8"))) or ""
    rows = "".join(f"| {figure} | {value} |\n" for figure, value in figures.items())
    ran = f"`make drill-{name} SEED={seed}` at {_commit()}, {datetime.date.today().isoformat()}, {seconds:.0f} s"
    ran += "" if alone else ", beside two others"
    return f"## {name}\n\n{about}\n\n{ran}\n\n| Figure | Value |\n|-|-|\n{rows}"


def keep(page: Path, name: str, section: str) -> None:
    """Puts the section in its place, the others left as they are."""
    old = page.read_text(encoding="utf-8").split("\n## ")[1:] if page.exists() else []
    sections = {text.split("\n", 1)[0]: f"## {text.rstrip()}\n" for text in old}
    sections[name] = section.rstrip() + "\n"
    page.parent.mkdir(exist_ok=True)
    page.write_text(_HEAD + "".join(f"\n{sections[key]}" for key in sorted(sections)), encoding="utf-8")


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()

    changed = " with changes" if git("status", "--porcelain", "--", "services", "deploy", "tests") else ""
    return f"commit {git('rev-parse', '--short', 'HEAD') or 'none'}{changed}"


if __name__ == "__main__":
    sys.exit(main())
