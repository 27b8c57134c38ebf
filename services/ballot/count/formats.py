"""Which format a file has, by its name or by what the command says, and the reader of each."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from services.ballot.count import blt, csv_files, pabulib, preflib
from services.ballot.count.answers import Unfit
from services.ballot.count.csv_files import Cells
from services.ballot.count.files import Lines
from services.ballot.count.source import Source

FORMATS: Final = ("blt", *preflib.FORMATS, "preflib", "pabulib", "csv", "bundle")
_ENDINGS: Final = {
    **{f".{name}": name for name in ("blt", *preflib.FORMATS, "csv")},
    ".pb": "pabulib",
    ".tsv": "csv",
    ".ndjson": "bundle",
    ".jsonl": "bundle",
}
_APPROVED: Final = ("approval", "multiple_choice", "supports", "single_choice", "yes_no")


def format_of(name: str, asked: str | None) -> str:
    if asked:
        return {"pb": "pabulib"}.get(asked, asked)
    found = _ENDINGS.get(PurePath(name).suffix.lower())
    if found is None:
        raise Unfit(f"the name does not tell the format: say --format with one of {', '.join(FORMATS)}")
    return found


def read(kind: str, lines: Lines, method: str, cells: Cells | None) -> Source:
    """`cells`: what a wide CSV holds; by default what the method needs. Not for bundles."""
    if kind == "blt":
        return blt.read(lines)
    if kind == "pabulib":
        return pabulib.read(lines)
    if kind == "csv":
        return csv_files.read(lines, cells or ("approvals" if method in _APPROVED else "numbers"))
    return preflib.read(lines, kind)
