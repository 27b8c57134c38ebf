"""Runs the whole platform on one machine: every door of processes.toml, as children of this process.

    python -m deploy.one_machine run --data DATA --port PORT     (what `make run` does)
    python -m deploy.one_machine memory --data DATA              (what a running platform keeps in memory)

What it prints is for the operator, in French; each sentence that stops it says what to do.
"""

from __future__ import annotations

import argparse
import errno
import os
import random
import socket
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy import memory, prepare, region
from deploy.child import Command
from deploy.data_folder import DataFolder, Unusable, full_disk
from deploy.processes import PROCESSES, PUBLIC, ROOT, Door, read_doors, services_of
from deploy.supervisor import StartFailed, Supervisor

_READY_WITHIN: Final = 60.0
_SETTLED: Final = 1.0
_DISK_EVERY: Final = 5.0
_INTERNAL_PORTS: Final = range(20000, 32000)  # below what the kernel hands to outgoing connections


@dataclass(frozen=True, slots=True)
class Options:
    data: Path
    port: int
    demo: bool
    processes: Path
    package: str


def say(text: str) -> None:
    print(text, flush=True)


def main(arguments: list[str] | None = None) -> int:
    options, action = _parse(arguments)
    if action == "memory":
        sys.argv = ["memory", str(options.data)]
        return memory.main()
    try:
        return run(options)
    except (Unusable, StartFailed) as e:
        say(f"\n{e}")
    except OSError as e:
        if e.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        say(f"\n{full_disk(options.data)}")
    return 1


def _parse(arguments: list[str] | None) -> tuple[Options, str]:
    parser = argparse.ArgumentParser(prog="python -m deploy.one_machine", description="Parvis sur une seule machine.")
    parser.add_argument("action", nargs="?", choices=("run", "memory"), default="run")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("PARVIS_DATA") or "data"))
    parser.add_argument("--port", type=int, default=8080, help="port de la passerelle, sur 127.0.0.1 (8080)")
    parser.add_argument("--no-demo", action="store_true", help="sans la région de démonstration")
    parser.add_argument("--processes", type=Path, default=PROCESSES, help="autre liste de portes (pour les tests)")
    parser.add_argument("--package", default="services", help="paquet des services (pour les tests)")
    given = parser.parse_args(arguments)
    options = Options(given.data, given.port, not given.no_demo, given.processes, given.package)
    return options, str(given.action)


def run(options: Options) -> int:
    """Runs until SIGINT or SIGTERM; 0 after a clean stop. Raises Unusable or StartFailed."""
    began = time.monotonic()
    _check_port(options.port)
    doors = read_doors(options.processes)
    with ExitStack() as stack:
        data = stack.enter_context(DataFolder(options.data))
        say(f"Parvis démarre. Données : {data.path}")
        supervisor = stack.enter_context(Supervisor(ROOT, data.logs, say, data.lock))
        ports = _ports(doors, options.port)
        environment = _environment(data, doors, ports, shown_spool=options.demo and _only_made_up(data.path))
        if environment.get("PARVIS_ENGINE") == "region":
            environment |= region.start(supervisor, data.path, environment)
        prepare.prepare(supervisor, data, services_of(doors), options.package, environment)
        for door in doors:
            supervisor.start(_command(door, options.package, ports, environment))
        _wait_until_ready(supervisor, doors, ports)
        if supervisor.stopping:
            return 0
        say(f"\nParvis est prêt : http://127.0.0.1:{options.port}   ({time.monotonic() - began:.1f} s)")
        say(f"Données : {data.path}   Journaux : {data.logs}   Arrêt : Ctrl-C\n")
        if options.demo:
            supervisor.start(_demo(environment))
        _watch(supervisor, data)
        say("\nArrêt…")
    say("Parvis est arrêté. Les données restent dans " + str(data.path))
    return 0


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as e:
            if e.errno == errno.EADDRINUSE:
                why = f"Le port {port} est déjà pris par un autre programme."
            else:
                why = f"Le port {port} ne peut pas être ouvert ({e.strerror})."
            raise Unusable(f"{why} Choisissez-en un autre : make run PORT={_free_port()}") from None
        except OverflowError:
            raise Unusable(f"{port} n'est pas un port. Choisissez-en un : make run PORT=8080") from None


def _free_port() -> int:
    for port in random.sample(_INTERNAL_PORTS, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Unusable("Aucun port libre entre 20000 et 32000 : arrêtez des programmes, puis relancez.")


def _ports(doors: list[Door], public: int) -> dict[str, int]:
    """Door label to port, for those that serve HTTP; all different."""
    ports: dict[str, int] = {}
    for door in doors:
        if not door.url:
            continue
        port = public if door.url == PUBLIC else _free_port()
        while port in ports.values():
            port = _free_port()
        ports[door.label] = port
    return ports


def _only_made_up(folder: Path) -> bool:
    """Nobody is in the folder yet, or the demonstration's people alone: then their messages may be shown."""
    region = os.environ.get("PARVIS_ENGINE") == "region"
    return not region and ((folder / "demo.json").exists() or not (folder / "identity-people.db").exists())


def _environment(data: DataFolder, doors: list[Door], ports: dict[str, int], *, shown_spool: bool) -> dict[str, str]:
    urls = {door.url: f"http://127.0.0.1:{ports[door.label]}" for door in doors if door.url}
    ours = {
        "PARVIS_DATA": str(data.path),
        "PARVIS_KEYS": os.environ.get("PARVIS_KEYS") or str(data.keys),
        "PYTHONUNBUFFERED": "1",
        "PARVIS_SPOOL_PAGE": os.environ.get("PARVIS_SPOOL_PAGE") or ("yes" if shown_spool else "no"),
        "MALLOC_ARENA_MAX": os.environ.get("MALLOC_ARENA_MAX", "2"),  # threads share arenas: less memory each
    }
    return {**os.environ, **ours, **urls}


def _command(door: Door, package: str, ports: dict[str, int], environment: dict[str, str]) -> Command:
    words = [sys.executable, "-m", f"{package}.{door.service}", door.name]
    if door.url:
        words += ["--port", str(ports[door.label])]
    return Command(door.label, words, environment)


def _demo(environment: dict[str, str]) -> Command:
    return Command("demo", [sys.executable, "-m", "deploy.demo"], environment, task=True, shown=True)


def _wait_until_ready(supervisor: Supervisor, doors: list[Door], ports: dict[str, int]) -> None:
    """Until /readyz of every HTTP door says 200 and no door has ended for a second. Raises StartFailed.

    A door without HTTP cannot say that it is ready: on a slow machine it may still end. The supervisor counts on."""
    until = time.monotonic() + _READY_WITHIN
    waiting = {door.label for door in doors if door.url}
    while not supervisor.stopping:
        supervisor.step(0.05)
        for label in list(waiting):
            post = supervisor.posts[label]
            if post.child and _answers(ports[label]):
                post.ready = True
                waiting.discard(label)
        if not waiting and all(post.lived() > _SETTLED for post in supervisor.posts.values()):
            return
        if time.monotonic() > until:
            late = ", ".join(sorted(waiting)) or "une porte"
            raise StartFailed(f"{late} ne répond pas après {_READY_WITHIN:.0f} s : voir les journaux.")


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=0.5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


def _watch(supervisor: Supervisor, data: DataFolder) -> None:
    """The life of the platform: doors are started again, a full disk is told."""
    next_look, told = 0.0, False
    while not supervisor.stopping:
        supervisor.step(0.5)
        if time.monotonic() < next_look:
            continue
        next_look = time.monotonic() + _DISK_EVERY
        low = data.low()
        if low and not told:
            say(low)
        told = low is not None


if __name__ == "__main__":
    sys.exit(main())
