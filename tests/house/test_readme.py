"""What the README and the pages for operators tell people to type exists."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import source
from deploy.processes import ROOT

PAGES = [
    p for p in source.files() if p.suffix == ".md" and ("docs" in p.parts or "services" in p.parts or p.parent == ROOT)
]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z0-9%-]*):", MAKEFILE, re.MULTILINE))


def test_every_make_command_is_a_target() -> None:
    unknown = {}
    for page in PAGES:
        spans = re.findall(r"`([^`\n]+)`", page.read_text()) + re.findall(
            r"```sh\n(.*?)```", page.read_text(), re.DOTALL
        )
        named = {m for span in spans for m in re.findall(r"^(?:\w+=\S+ )*make ([a-z][a-z0-9-]*)", span, re.MULTILINE)}
        missing = {n for n in named if n not in TARGETS and not n.startswith("drill-")}
        if missing:
            unknown[str(page.relative_to(ROOT))] = missing
    assert unknown == {}


def test_every_service_command_is_known_to_its_service() -> None:
    commands = {
        found for page in PAGES for found in re.findall(r"python -m services\.(\w+) ([a-z][a-z-]*)", page.read_text())
    }
    for service in {service for service, _ in commands}:
        words = [sys.executable, "-m", f"services.{service}", "--help"]
        known = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for command in sorted(c for s, c in commands if s == service):
            assert re.search(rf"\b{command}\b", known), f"services.{service} has no {command}"


def test_every_recipe_runs_a_module_that_exists() -> None:
    for module in set(re.findall(r"-m ([a-z_.]+)", MAKEFILE)):
        assert importlib.util.find_spec(module), module
    for script in set(re.findall(r"(\w+/\w+\.py)", MAKEFILE)):
        assert (ROOT / script).exists(), script


def test_help_lists_every_target_that_the_readme_promises() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("run", "test", "check", "audit", "drills"):
        assert f"make {target} " in shown


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", prose)
    assert [link for link in links if not (page.parent / link).exists()] == []
