"""The log file of one door: begun anew at each start, never larger than its bound, the one before kept beside it."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import BinaryIO, Final

BOUND: Final = 10 * 1024 * 1024
_LONGEST_LINE: Final = 64 * 1024


class LogFile:
    """Takes raw bytes of a door's output. A full disk loses log lines, never stops the door.

    `kept=False`: nothing is written; what is shown to the operator once, sign-in codes, stays out of files.
    """

    def __init__(self, path: Path, bound: int = BOUND, *, kept: bool = True) -> None:
        self.path = path
        self._kept = kept
        self.last: deque[str] = deque(maxlen=8)
        self.failed: OSError | None = None
        self._bound = bound
        self._size = 0
        self._rest = b""
        self._file: BinaryIO | None = None
        self._turn()

    def write(self, chunk: bytes) -> list[str]:
        """Keeps the chunk; the complete lines in it, for who wants to show some."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        if self._size > self._bound:
            self._turn()
        try:
            if self._file:
                self._file.write(chunk)
                self._file.flush()
            self._size += len(chunk)
            self.failed = None
        except OSError as e:
            self.failed = e
        texts = [line.decode("utf-8", "replace") for line in lines]
        self.last.extend(texts)
        return texts

    def _turn(self) -> None:
        if not self._kept:
            return
        try:
            if self._file:
                self._file.close()
            if self.path.exists() and self.path.stat().st_size:
                self.path.replace(self.path.with_suffix(".log.1"))
            self._file = self.path.open("wb")
            self._size = 0
        except OSError as e:
            self._file, self.failed = None, e

    def close(self) -> None:
        if self._file:
            self._file.close()


def error_in(line: str) -> str | None:
    """The message of a JSON log line of level error or worse; None for any other line."""
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if str(entry.get("level", "")).lower() not in ("error", "critical", "fatal"):
        return None
    return str(entry.get("message", ""))[:300]
