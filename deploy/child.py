"""One child of the supervisor: its process, its group, its output.

Each child has a process group of its own, so Ctrl-C in a terminal reaches the supervisor alone. On Linux the kernel
sends it SIGTERM when the supervisor dies, however it dies.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.log_file import LogFile

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. A door is started again when it ends, a task runs once.

    `shown`: its output is for the operator. `last`: stopped after all others, which need it to stop well.
    """

    label: str
    words: Sequence[str]
    environment: Mapping[str, str]
    task: bool = False
    shown: bool = False
    last: bool = False


class Child:
    """A running process. Made by starting it."""

    def __init__(self, command: Command, folder: Path, log: LogFile) -> None:
        self.log = log
        self.started_at = time.monotonic()
        self.output, writing = os.pipe()
        os.set_blocking(self.output, False)
        try:
            self._process = subprocess.Popen(
                command.words,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                cwd=folder,
                env=command.environment,
                process_group=0,
                umask=0o022 if command.last else 0o077,  # stores and keys are for one account; PostgreSQL has its own
                preexec_fn=_dies_with(os.getpid()),  # noqa: PLW1509 - the supervisor has one thread
            )
        finally:
            os.close(writing)
        self.group = self._process.pid

    def read(self) -> list[str] | None:
        """The lines that it has written since; None once it, and whoever shares its output, has closed it."""
        try:
            chunk = os.read(self.output, 65536)
        except BlockingIOError:
            return []
        return self.log.write(chunk) if chunk else None

    def rest(self) -> list[str]:
        """What is left to read of a child that has ended. A grandchild that still holds the pipe is not waited for."""
        lines: list[str] = []
        while select.select([self.output], [], [], 0)[0]:
            more = self.read()
            if more is None:
                break
            lines += more
        return lines

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    def signal(self, number: int) -> None:
        """To its whole group."""
        try:
            os.killpg(self.group, number)
        except (ProcessLookupError, PermissionError):
            pass  # the group has ended (macOS says "permission" of a group of zombies)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self._process.wait(5)


def _dies_with(parent: int) -> Callable[[], None] | None:
    """Run in the child between fork and exec."""
    libc = _LIBC
    if libc is None:
        return None

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died between the fork and the line above
            os._exit(1)

    return ask
