"""A clean stop for doors that are a loop: a flag on SIGTERM or SIGINT, and an end by deadline when a step hangs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Final

SECONDS: Final = 4.5  # a supervisor waits 5


def on_signals() -> Callable[[], bool]:
    """True once this process was asked to stop. What is still running after 4.5 seconds is cut off (exit code 1)."""
    asked: list[int] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        # A timer of the kernel and not a thread: it fires even while a hub is blocked by a query.
        signal.setitimer(signal.ITIMER_REAL, SECONDS)

    def cut(_number: int, _frame: FrameType | None) -> None:
        os._exit(1)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    signal.signal(signal.SIGALRM, cut)
    return lambda: bool(asked)
