"""A ballot file as numbered lines of text, and the refusal that names a line of it. One line is held at a time."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from services.shared.errors import BadInput

MAX_LINE: Final = 1 << 20
MAX_CANDIDATES: Final = 1_000
MAX_BALLOTS: Final = 10**12
"""With 1,000 candidates at most, no sum of any method leaves 64 bits."""
_DIGITS: Final = 15
_BOM: Final = b"\xef\xbb\xbf"
_TICK_EVERY: Final = 4096

Tick = Callable[[int], None]
"""Told how many more bytes were read."""


class FileRefused(BadInput):
    """The file cannot be counted. `line`, from 1: where; None until it is known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


class Lines:
    """The lines without their ends. Refuses what is not UTF-8 text (with or without a byte order mark)."""

    def __init__(self, stream: BinaryIO, tick: Tick) -> None:
        self.number = 0
        """Of the line that was read last."""
        self._stream, self._tick = stream, tick

    def __iter__(self) -> Iterator[str]:
        unseen = 0
        while raw := self._stream.readline(MAX_LINE + 1):
            self.number += 1
            unseen += len(raw)
            if self.number % _TICK_EVERY == 0:
                self._tick(unseen)
                unseen = 0
            if self.number == 1 and raw.startswith(_BOM):
                raw = raw[len(_BOM) :]
            yield self._text(raw)
        self._tick(unseen)

    def _text(self, raw: bytes) -> str:
        if len(raw) > MAX_LINE:
            raise FileRefused(f"the line is longer than {MAX_LINE} bytes", self.number)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as e:
            raise FileRefused(f"not UTF-8 at byte {e.start} of the line", self.number) from None
        if "\0" in text:
            raise FileRefused("holds a NUL character: this is no text file", self.number)
        return text.rstrip("\r\n")


def rows(lines: Lines, delimiter: str, *, strict: bool) -> Iterator[list[str]]:
    """The fields of each line that is not empty; `lines.number` is the row's last line. Quotes as RFC 4180 has them;
    `strict` refuses an open quote and text after a closed one. A field with a new line in it was quoted, or its quote
    is still open."""
    found = csv.reader((f"{text}\n" for text in lines), delimiter=delimiter, strict=strict)
    while True:
        try:
            row = next(found)
        except StopIteration:
            return
        except csv.Error as e:
            raise FileRefused(f"cannot be read as fields: {e}") from None
        if any(field.strip() for field in row):
            yield row


def whole(text: str, what: str, *, least: int = 0, most: int = 10**_DIGITS - 1) -> int:
    """A whole number written in plain digits, or a refusal that says what it should have been."""
    if not (text.isascii() and text.isdecimal()) or len(text.lstrip("0")) > _DIGITS:
        raise FileRefused(f"{what} must be a whole number, not {short(text)}")
    value = int(text.lstrip("0") or "0")
    if not least <= value <= most:
        raise FileRefused(f"{what} must be from {least} to {most}, not {short(text)}")
    return value


def short(text: str) -> str:
    """What stands in a file, as a refusal may quote it."""
    shown = ascii(text) if not text.isprintable() else f"“{text}”"
    return shown if len(shown) <= 60 else shown[:57] + "…”"
