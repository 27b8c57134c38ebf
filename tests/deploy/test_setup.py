from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import setup
from deploy.processes import ROOT


def test_a_second_setup_does_nothing_and_says_nothing() -> None:
    words = [sys.executable, "deploy/setup.py"]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    again = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True)
    assert again.stdout == ""


def test_without_a_supported_python_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\necho 3 9\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(setup.Stop, match=r"Python 3\.11, 3\.12 ou 3\.13 \(trouvé seulement : 3\.9\)"):
        setup.find_python()


def test_a_name_on_the_path_that_does_not_run_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, answer in (("python3.13", "exit 127"), ("python3.12", "echo 3 12")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}")
    assert setup.find_python() == str(tmp_path / "python3.12")


def test_setup_needs_nothing_but_the_standard_library() -> None:
    words = [sys.executable, "-I", "-S", "-c", "import runpy; runpy.run_path('deploy/setup.py', run_name='x')"]
    assert subprocess.run(words, cwd=ROOT).returncode == 0
