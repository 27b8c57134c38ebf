"""Tables as files, CSV and OpenDocument: a spreadsheet opens them without running anything that people typed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import odswriter  # type: ignore[import-untyped]
from flask import Response

from services.gateway.pages.front import attachment

Cell = str | int | datetime
FORMATS: Final = ("csv", "ods")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def table_file(format: str, name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    return (ods_file if format == "ods" else csv_file)(name, head, rows)


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """UTF-8 with its mark and semicolons, as French spreadsheets expect."""
    out = io.StringIO()
    out.write("\N{ZERO WIDTH NO-BREAK SPACE}")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([[written(value) for value in row] for row in rows])
    return attachment(out.getvalue(), f"{name}.csv", "text/csv; charset=utf-8")


def ods_file(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """Numbers are numbers and dates are dates. A text is a text whatever it begins with: nothing in it is a formula."""
    out = io.BytesIO()
    with odswriter.writer(out) as file:
        sheet = file.new_sheet(name)
        sheet.writerow(head)
        for row in rows:
            sheet.writerow([_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", c) if isinstance(c, str) else c for c in row])
    return attachment(out.getvalue(), f"{name}.ods", _ODS)


def written(value: Cell) -> str:
    """A cell of a CSV file. Moments as 2027-05-24 18:30:00, which every spreadsheet takes for one."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return harmless(value) if isinstance(value, str) else str(value)


def harmless(value: str) -> str:
    """A value that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection)."""
    return f"'{value}" if value.startswith(_FORMULA) and not _is_number(value) else value


def _is_number(value: str) -> bool:
    return value[1:].replace(",", "", 1).isdigit()
