"""Rules of the house that a reader could check by eye, checked at every change."""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from pathlib import Path

import pytest

from deploy import source
from deploy.processes import ROOT

LONGEST_MODULE = 300
LONGEST_FUNCTION = 40
CODE = source.modules("services", "deploy")
TEXTS = [
    p
    for p in source.files()
    if p.suffix
    in {".py", ".md", ".toml", ".txt", ".in", ".yaml", ".yml", ".html", ".json", ".scss", ".mjs", ".js", ".xml"}
    or p.name in {"Makefile", "run", ".importlinter", ".gitignore"}
]


def test_modules_stay_under_300_lines() -> None:
    long = {str(p.relative_to(ROOT)): n for p in CODE if (n := len(p.read_text().splitlines())) >= LONGEST_MODULE}
    assert long == {}


def parsed(path: Path) -> ast.Module:
    """Again where Python 3.11 says that its depth is wrong: it counts for all threads together, and one that an earlier
    test left behind may be compiling too."""
    for _ in range(5):
        with suppress(SystemError):
            return ast.parse(path.read_text())
    return ast.parse(path.read_text())


def test_functions_stay_within_40_lines() -> None:
    long = {}
    for path in CODE:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long[f"{path.relative_to(ROOT)}:{node.name}"] = lines
    assert long == {}


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(p.relative_to(ROOT))
        for p in CODE
        if p.stem not in ("__init__", "__main__") and not ast.get_docstring(parsed(p))
    ]
    assert silent == []


def test_nothing_looks_like_a_site_of_the_state() -> None:
    """The State's design system and its Marianne are for the State's own sites."""
    word = re.compile(r"\bdsfr\b|marianne|gouv\.fr/dsfr", re.IGNORECASE)
    found = [str(p.relative_to(ROOT)) for p in TEXTS if "services" in p.parts and word.search(p.read_text("utf-8"))]
    assert found == []


def test_nothing_names_a_path_of_one_machine() -> None:
    path = re.compile(r"(?<![\w.])/(?:root|home|work|opt)/[\w.]|(?<![\w.])/tmp/[\w.]")
    found = {}
    for text in TEXTS:
        if text == ROOT / "tests" / "house" / "test_sources.py":
            continue
        lines = [line.strip()[:100] for line in text.read_text("utf-8").splitlines() if path.search(line)]
        if lines:
            found[str(text.relative_to(ROOT))] = lines
    assert found == {}


def test_no_work_is_left_for_later_in_a_comment() -> None:
    mark = re.compile(r"#\s*(?:TODO|FIXME|XXX|HACK)\b")
    assert [str(p.relative_to(ROOT)) for p in CODE if mark.search(p.read_text())] == []


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda p: p.name)
def test_locks_carry_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    for entry in re.split(r"\n(?=[a-zA-Z0-9])", text.split("\n", 2)[2]):
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert "://" not in text
    assert "--index" not in text and "--find-links" not in text.replace("--no-emit-find-links", "")
    assert lock.with_suffix(".in").exists()


def test_the_npm_lock_names_no_registry() -> None:
    lock = ROOT / "services" / "gateway" / "assets" / "package-lock.json"
    assert '"resolved"' not in lock.read_text()
    assert '"integrity"' in lock.read_text()


def test_nothing_of_shared_folders_or_of_a_registry_is_named() -> None:
    host = re.compile(
        "|".join(("registry" + r"\.npmjs", "pypi" + r"\.org", "files" + r"\.pythonhosted", "repo1" + r"\.maven"))
    )
    assert [str(p.relative_to(ROOT)) for p in TEXTS if host.search(p.read_text("utf-8"))] == []
