"""The command, run in this process on files that are really written."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

from services.ballot.count.__main__ import main


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, Any]:
        assert self.code == 0, self.err
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def winners(self) -> list[int]:
        found: list[int] = self.result["winners"]
        return found


def run(*arguments: str | Path) -> Done:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:  # argparse, for a wrong option
            code = int(ended.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


Count = Callable[..., Done]
"""count(method, content, *options): writes the content to a file of the format that the test names, and counts it."""


def counter(folder: Path, name: str) -> Count:
    def count(method: str, content: str | bytes, *options: str) -> Done:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return run(method, path, *options)

    return count


def refusal(done: Done) -> tuple[int, str]:
    """The line and the reason of a refused file."""
    assert done.code == 2, done
    assert done.out == ""
    _, _, said = done.err.rstrip("\n").rpartition("/")
    _, line, reason = said.split(":", 2)
    return int(line), reason.strip()
