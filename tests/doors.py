"""Starts doors of services as the processes they are, on free ports, and ends them by their ids."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Door:
    """One process, its port if it has one, and the file that holds what it said."""

    process: subprocess.Popen[bytes]
    port: int
    said: Path
    arguments: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """-9, the whole session: gunicorn's worker too."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.process.wait()

    def stop(self, seconds: float = 8) -> int:
        """SIGTERM; its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.arguments} did not stop within {seconds} s") from None


def launch(arguments: list[str], env: Mapping[str, str], said: Path, port: int = 0) -> Door:
    """Starts `python -m …` in a session of its own; waits for /readyz when it has a port."""
    command = [sys.executable, "-m", *arguments, *(["--port", str(port)] if port else [])]
    with said.open("ab") as out:
        process = subprocess.Popen(
            command, env={**os.environ, **env}, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    door = Door(process, port, said, arguments)
    if port:
        wait_ready(door)
    return door


def wait_ready(door: Door, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if door.process.poll() is not None:
            raise AssertionError(f"{door.arguments} ended:\n{door.said.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"{door.url}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    door.kill()
    raise AssertionError(f"{door.arguments} was not ready in {seconds} s:\n{door.said.read_text()[-3000:]}")


@contextmanager
def running(arguments: list[str], env: Mapping[str, str], folder: Path, *, port: bool = True) -> Iterator[Door]:
    name = "-".join(part.rpartition(".")[2] for part in arguments)
    door = launch(arguments, env, folder / f"{name}.log", free_port() if port else 0)
    try:
        yield door
    finally:
        door.kill()


def run(arguments: list[str], env: Mapping[str, str]) -> str:
    """Runs `python -m …` to its end; what it printed. Raises AssertionError on a non-zero exit."""
    done = subprocess.run([sys.executable, "-m", *arguments], env={**os.environ, **env}, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{arguments} exited {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout
