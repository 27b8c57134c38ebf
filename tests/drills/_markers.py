"""Looks for what a person wrote in every file of a folder, in whatever form it may stand there."""

from __future__ import annotations

import base64
import gzip
import re
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

_PACKED: Final = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_MOST: Final = 4 * 1024 * 1024  # of what one packed piece gives
_SQLITE: Final = b"SQLite format 3\x00"
Needles = dict[str, bytes]


def needles(marker: str) -> Needles:
    """How the bytes of a marker look in each form. Base64 has three: by where its first byte falls."""
    plain = marker.encode()
    found = {"utf-8": plain.lower(), "utf-16-le": marker.encode("utf-16-le"), "utf-16-be": marker.encode("utf-16-be")}
    found |= {"hex": plain.hex().encode(), "escaped": _escaped(marker)}
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + plain)
        inner = whole[-(-before * 8 // 6) : (before + len(plain)) * 8 // 6]
        found[f"base64-{before}"] = inner
        found[f"base64url-{before}"] = inner.replace(b"+", b"-").replace(b"/", b"_")
    return found


def search(folder: Path, markers: Sequence[str]) -> list[str]:
    """Each place that holds one of them: "file: marker (form)". Files as they lie, rows of their tables, and packed
    pieces unpacked."""
    wanted = {marker: needles(marker) for marker in markers}
    found = set()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        for content in _contents(path):
            found |= {f"{path.relative_to(folder)}: {said}" for said in _in(content, wanted)}
    return sorted(found)


def told(text: str, markers: Sequence[str]) -> list[str]:
    """Those that a text says."""
    return [marker for marker in markers if any(_in(text.encode(), {marker: needles(marker)}))]


def _in(content: bytes, wanted: dict[str, Needles]) -> Iterator[str]:
    lower = content.lower()
    for marker, forms in wanted.items():
        for form, needle in forms.items():
            if needle in (content if form.startswith(("base64", "utf-16")) else lower):
                yield f"{marker} ({form})"


def _contents(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    yield from _unpacked(content)
    if content.startswith(_SQLITE):
        for cell in _cells(path):
            yield cell
            yield from _unpacked(cell)


def _unpacked(content: bytes) -> Iterator[bytes]:
    for at in _PACKED.finditer(content):
        kind = zlib.MAX_WBITS | 16 if content[at.start()] == 0x1F else zlib.MAX_WBITS
        try:
            yield zlib.decompressobj(kind).decompress(content[at.start() :], _MOST)
        except zlib.error:
            continue


def _cells(path: Path) -> Iterator[bytes]:
    """Whole values: in the file itself a long one is torn over pages. What waits in a write-ahead log is in a file of
    its own."""
    with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as file:
        file.text_factory = bytes
        tables = [name.decode() for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in file.execute(f'SELECT * FROM "{table}"'):
                yield b"\x00".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in row)


def _escaped(marker: str) -> bytes:
    """As JSON writes what is not ASCII."""
    return marker.encode("ascii", "backslashreplace").lower()


def plant(folder: Path, marker: str) -> list[str]:
    """Writes the marker in every form into files of `folder`; what `search` must name."""
    folder.mkdir()
    plain = b"x" * 7 + marker.encode() + b"y" * 5
    forms = {
        "plain": plain,
        "utf16": b"z" + marker.encode("utf-16-le"),
        "hex": plain.hex().upper().encode(),
        "base64": base64.b64encode(plain),
        "gzip": b"head" + gzip.compress(plain),
        "zlib": b"head" + zlib.compress(plain),
    }
    for name, content in forms.items():
        (folder / name).write_bytes(content)
    with closing(sqlite3.connect(folder / "torn.db")) as file:
        file.execute("PRAGMA page_size = 512")
        file.execute("CREATE TABLE t (v BLOB)")
        file.execute("INSERT INTO t VALUES (?)", (b"".join(b"%05d%s" % (n, marker.encode()) for n in range(60)),))
        file.commit()
    return [*forms, "torn.db"]
