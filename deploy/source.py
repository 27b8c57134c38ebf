"""Reads our own sources as text: what the generated pages and the house guards look at."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.processes import ROOT

_SKIPPED = {".git", ".venv", "node_modules", "__pycache__", "data", "build", "static"}


def files(root: Path = ROOT) -> list[Path]:
    """What is committed or would be: all files but ignored ones."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0:
        return sorted(p for name in listed.stdout.split("\0") if name and (p := root / name).is_file())
    found = (p for p in root.rglob("*") if p.is_file() and not _SKIPPED & set(p.relative_to(root).parts))
    return sorted(found)


def modules(*folders: str) -> list[Path]:
    """The Python modules of these folders of the repository."""
    return [p for p in files() if p.suffix == ".py" and p.relative_to(ROOT).parts[0] in folders]


def dotted(path: Path) -> str:
    """services/ballot/api.py → services.ballot.api"""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def calls(path: Path, *names: str) -> Iterator[ast.Call]:
    """The calls of functions of these names, however they were imported."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if called in names:
                yield node


def text_of(node: ast.expr) -> str | None:
    """The value of a literal string, also when written in several pieces; None for anything else."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if isinstance(value, str) else None
