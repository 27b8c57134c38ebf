"""The real platform as `make run` starts it, with its demo town, until its first poll is counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from deploy.processes import ROOT
from tests.deploy.processes import alive, free_port, wait_for


@pytest.mark.timeout(300)
def test_the_demo_town_votes_and_its_poll_can_be_recounted(tmp_path: Path) -> None:
    data, port, output = tmp_path / "data", free_port(), tmp_path / "output"
    words = [sys.executable, "-m", "deploy.one_machine", "run", "--data", str(data), "--port", str(port)]
    with output.open("wb") as out:
        process = subprocess.Popen(words, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
    try:
        assert wait_for(lambda: "Démonstration prête" in output.read_text(), 200), output.read_text()
        said = output.read_text()
        assert "responsable de scrutin" in said
        assert "s'est arrêté" not in said
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
            assert "Éteindre l’éclairage public la nuit" in page.read().decode().replace("'", "’").replace("&#39;", "’")
        assert codes_in_files(data, said) == []
        assert "252 ballots checked of 252 expected" in recount(data)
    finally:
        process.terminate()
        assert process.wait(10) == 0
    assert alive(f"PARVIS_DATA={data}") == []


def codes_in_files(data: Path, said: str) -> list[str]:
    """Log files that hold one of the codes that the terminal showed."""
    codes = [line.split()[0] for line in said.splitlines() if line.startswith("  ") and "Vère-le-Château)" in line]
    assert len(codes) == 3
    return [path.name for path in (data / "logs").iterdir() if any(code in path.read_text() for code in codes)]


def recount(data: Path) -> str:
    known = json.loads((data / "demo.json").read_text())
    assert known["done"] is True
    bundle = data.parent / "bundle.ndjson"
    environment = {**os.environ, "PARVIS_DATA": str(data)}
    export = [sys.executable, "-m", "services.ballot", "export", known["polls"]["counted"], "--to", str(bundle)]
    subprocess.run(export, cwd=ROOT, env=environment, check=True, capture_output=True)
    audit = [sys.executable, "-m", "services.ballot.audit", str(bundle), "--unanchored", "--quiet", "--no-resume"]
    done = subprocess.run(audit, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
