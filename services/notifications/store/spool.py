"""The spool: one file a message, DATA/spool/{email,sms,letters}, for whoever carries it on. In no backup."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import SMTP
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

_FOLDERS: Final = {"email": "email", "sms": "sms", "letter": "letters"}


@dataclass(frozen=True, slots=True)
class Spooled:
    """A message as the development page shows it; `at`: seconds since 1970."""

    kind: str
    name: str
    at: int
    to: str
    subject: str
    text: str


class Spool:
    def __init__(self, folder: Path, step: Callable[[str], None] = lambda _: None) -> None:
        """`folder`: DATA/spool. `step` is told each step, for tests that die there."""
        self._folder = folder
        self._step = step

    def write(self, kind: str, name: str, data: bytes) -> None:
        folder = self._made(kind)
        draft = folder / f".{name}.new"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._step("written")
        draft.replace(folder / name)
        _sync(folder)
        self._step("named")

    def delete(self, kind: str, name: str) -> None:
        """The bytes are overwritten first, since a file system may keep a deleted file's blocks for long; and under
        the name of a draft, since a carrier would take a file of zeros for a message."""
        folder = self._folder / _FOLDERS[kind]
        draft = folder / f".{name}.new"
        self._wipe(draft)
        with suppress(FileNotFoundError):
            (folder / name).replace(draft)
            self._wipe(draft)
        if folder.exists():
            _sync(folder)

    def _wipe(self, path: Path) -> None:
        with suppress(FileNotFoundError):
            with path.open("r+b") as file:
                file.write(bytes(path.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
            self._step("zeroed")
            path.unlink()

    def newest(self, limit: int) -> list[Spooled]:
        found = []
        for kind, folder in _FOLDERS.items():
            for path in (self._folder / folder).glob("[!.]*"):
                with suppress(FileNotFoundError):
                    found.append((path.stat().st_mtime_ns, kind, path))
        found.sort(key=lambda one: (-one[0], one[2].name))
        spooled = []
        for at, kind, path in found[:limit]:
            with suppress(FileNotFoundError):  # carried or deleted while this looked
                spooled.append(_read(kind, path, at // 10**9))
        return spooled

    def _made(self, kind: str) -> Path:
        folder = self._folder / _FOLDERS[kind]
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sync(folder.parent)
        return folder


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(kind: str, path: Path, at: int) -> Spooled:
    data = path.read_bytes()
    if kind == "email":
        mail = message_from_bytes(data, policy=SMTP)
        return Spooled(kind, path.name, at, str(mail["To"]), str(mail["Subject"]), str(mail.get_content()))
    if kind == "sms":
        head, _, text = data.decode().partition("\n\n")
        to, _, counted = head.partition("\n")
        return Spooled(kind, path.name, at, to.removeprefix("To: "), counted.replace("\n", ", "), text)
    sheet = _Sheet(data.decode())
    return Spooled(kind, path.name, at, sheet.of("address"), sheet.of("h1"), sheet.of("p"))


class _Sheet(HTMLParser):
    """The words of a letter, by element."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self._words: dict[str, list[str]] = {}
        self._in = ""
        self.feed(source)

    def of(self, element: str) -> str:
        return "\n\n".join(self._words.get(element, []))

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._in = tag

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self._words.setdefault(self._in, []).append(data)
