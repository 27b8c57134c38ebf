"""A ballot file as numbered lines of text; whatever is wrong with it is told by line and reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

MAX_LINE: Final = 1 << 20


class FileRefused(Exception):
    """The file cannot be read as what it should be. `line` counts from 1; 0: the file as a whole."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line, self.reason = line, reason


class Lines:
    """The lines without their ends, UTF-8, one at a time; `number` is that of the line read last."""

    def __init__(self, stream: BinaryIO, tick: Callable[[int], None] = lambda _: None) -> None:
        self._stream, self._tick = stream, tick
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        while raw := self._stream.readline(MAX_LINE + 1):
            self.number += 1
            self._tick(len(raw))
            if len(raw) > MAX_LINE:
                raise self.refuse(f"is longer than {MAX_LINE} bytes")
            try:
                text = raw.decode("utf-8-sig" if self.number == 1 else "utf-8")
            except UnicodeDecodeError:
                raise self.refuse("is not UTF-8 text") from None
            if "\0" in text:
                raise self.refuse("holds a NUL: this is no text file")
            yield text.rstrip("\r\n")

    def refuse(self, reason: str) -> FileRefused:
        return FileRefused(self.number, reason)

    def number_in(self, text: str, what: str, *, least: int, most: int) -> int:
        """A decimal integer within its bounds; refuses the line otherwise."""
        digits = text.strip()
        if not digits.removeprefix("-").isdecimal() or not digits.isascii() or len(digits) > 16:
            raise self.refuse(f"{what} must be an integer, not {digits[:40]!r}")
        if not least <= int(digits) <= most:
            raise self.refuse(f"{what} must be from {least} to {most}, not {digits}")
        return int(digits)


def open_lines(path: Path, tick: Callable[[int], None]) -> tuple[BinaryIO, Lines]:
    stream = path.open("rb")
    return stream, Lines(stream, tick)
