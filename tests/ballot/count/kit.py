"""Runs the counter as a person would: a file, a method, what it prints."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

from services.ballot.count.__main__ import main


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, out.getvalue(), err.getvalue()


def counted(folder: Path, name: str, content: str, method: str, *more: str) -> dict[str, Any]:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    code, out, err = run(method, str(path), *more)
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def refused(folder: Path, name: str, content: str | bytes, method: str, *more: str) -> str:
    """What it says, without the folder."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    code, out, err = run(method, str(path), *more)
    assert (code, out) == (2, ""), (code, out)
    assert "Traceback" not in err
    return err.strip().replace(f"{folder}/", "")
