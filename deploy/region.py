"""The real PostgreSQL and Kafka of PARVIS_ENGINE=region, each behind a child of the supervisor.

python -m deploy.region postgres|kafka FOLDER      runs one until SIGTERM or SIGINT, and stops it in order
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from deploy import servers
from deploy.child import Command
from deploy.supervisor import StartFailed, Supervisor

_SETTINGS: Final = {"postgres": "PARVIS_POSTGRES", "kafka": "PARVIS_KAFKA"}
_READY_WITHIN: Final = 180.0  # the first time, Kafka's jars are fetched


def start(supervisor: Supervisor, data: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Starts those that the environment does not name; the variables under which they are found, topics made."""
    wanted = [name for name, variable in _SETTINGS.items() if not environment.get(variable)]
    posts = {name: supervisor.start(_command(name, data, environment)) for name in wanted}
    found: dict[str, str] = {}
    until = time.monotonic() + _READY_WITHIN
    while posts.keys() - found.keys() and not supervisor.stopping:
        supervisor.step(0.1)
        for name, post in posts.items():
            for line in post.log.last:
                if line.startswith(f"{_SETTINGS[name]}="):
                    found[name] = line.partition("=")[2]
                    post.ready = True
        if time.monotonic() > until:
            late = ", ".join(sorted(posts.keys() - found.keys()))
            raise StartFailed(f"{late} ne démarre pas en {_READY_WITHIN:.0f} s : voir les journaux.")
    settings = {_SETTINGS[name]: value for name, value in found.items()}
    if "kafka" in wanted and not supervisor.stopping:
        words = [sys.executable, "-m", "services.shared.eventlog", "topics", "--replication", "1"]
        supervisor.run_to_end([Command("topics", words, {**environment, **settings}, task=True)])
    return settings


def _command(name: str, data: Path, environment: Mapping[str, str]) -> Command:
    return Command(name, [sys.executable, "-m", "deploy.region", name, str(data / name)], environment, last=True)


def _stop(*_: object) -> NoReturn:
    sys.exit(0)


def main() -> int:
    name, folder = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)  # raised wherever we are, so that the `with` below always ends the server
    server = servers.Kafka(Path(folder)) if name == "kafka" else servers.Postgres(Path(folder))
    try:
        server.stop()  # one that a kill -9 of everything above it left behind
        with server:
            print(server.setting, flush=True)
            while True:
                signal.pause()
    except servers.Unavailable as e:
        print(e, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
