"""Looks at processes as an operator would: which ones of a session are alive."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path


def alive(marker: str) -> list[int]:
    """Processes whose environment holds `marker`, zombies left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if marker.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def gone(marker: str) -> bool:
    """None is alive, or none soon: the kernel may still be ending one that was killed."""
    return wait_for(lambda: alive(marker) == [], 1)


def wait_for(what: Callable[[], bool], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
