"""A server process in a session of its own, known by a pid file and stopped by that pid."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from deploy import server_programs as programs
from deploy.server_programs import Unavailable

START_SECONDS: Final = 150.0  # a broker starts in 4 s, and in more than 60 beside four tests on a busy machine
STOP_SECONDS: Final = 20.0


class Process:
    """One server process, known by a pid file, so that another run can stop it."""

    def __init__(self, folder: Path, name: str, *, stop_signal: signal.Signals) -> None:
        self.log = folder / f"{name}.log"
        self._pid_file = folder / f"{name}.pid"
        self._stop_signal = stop_signal
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str], ready: Callable[[], bool], *, user: str | None = None) -> None:
        """Returns once `ready` says so. Raises Unavailable when the process dies or takes more than a minute."""
        if self.pid is not None:
            raise Unavailable(f"{self._pid_file.stem} already runs with pid {self.pid}: stop it first")
        who: dict[str, Any] = programs.as_user(user)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, **who
            )
        self._pid_file.write_text(f"{self._child.pid} {programs.birth(self._child.pid)}")
        until = time.monotonic() + START_SECONDS
        while not ready():
            if self._child.poll() is not None or time.monotonic() > until:
                self.stop()
                raise Unavailable(f"{self._pid_file.stem} did not start; its last words: {self._last_words()}")
            time.sleep(0.05)

    @property
    def pid(self) -> int | None:
        """None when it does not run. A pid that the system gave to another process since is not ours."""
        try:
            pid, birth = self._pid_file.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        if self._child is not None and self._child.poll() is not None:
            return None
        return int(pid) if programs.birth(int(pid)) == birth else None

    def kill(self) -> None:
        """As a power cut would: SIGKILL, and gone when this returns."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """In order, by force after 20 seconds. Does nothing when it does not run."""
        if not self._end(self._stop_signal):
            self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> bool:
        pid = self.pid
        if pid is not None:
            os.kill(pid, number)
        until = time.monotonic() + STOP_SECONDS
        while self.pid is not None:
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        self._pid_file.unlink(missing_ok=True)
        return True

    def _last_words(self) -> str:
        return " | ".join(self.log.read_text(errors="replace").strip().splitlines()[-3:])
