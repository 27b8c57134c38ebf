"""The command as anyone types it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from services.ballot.count import names
from services.ballot.methods import METHODS
from tests.ballot.count.runner import run

ROOT = Path(__file__).resolve().parents[3]
BALLOTS = "3 1\n4 1 2 0\n3 2 1 0\n2 3 2 0\n1 0\n0\nAnne\nBob\nChloé\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "vote.blt"
    path.write_text(BALLOTS)
    return path


def test_the_list_needs_no_file_and_names_every_method_and_alias() -> None:
    done = run("--list")
    assert done.code == 0
    for name in (*METHODS, *names.ALIASES):
        assert name in done.out


def test_methods_are_known_by_any_usual_spelling(file: Path) -> None:
    for name in ("STV", "stv-scottish", "Scottish_STV", "stv scottish"):
        assert run(name, file).result["method"] == "stv_scottish"
    assert run("Tideman", file).result["method"] == "ranked_pairs"
    assert run("nothing", file).code == 2


def test_every_alias_names_a_method() -> None:
    assert set(names.ALIASES.values()) <= set(METHODS)


def test_the_json_holds_what_is_promised(file: Path) -> None:
    result = run("irv", file).result
    assert {"method", "candidates", "winners", "blank", "invalid", "steps"} <= result.keys()
    assert (result["winners"], result["blank"]) == ([2], 1)


def test_the_text_names_candidates(file: Path) -> None:
    done = run("irv", file, "--text")
    assert "votes: Anne 4, Bob 3, Chloé 2" in done.out
    assert "transfers: from Chloé, to Bob 2, exhausted 0" in done.out
    assert done.out.endswith("elected:\n  1. Bob (2)\n")


def test_a_file_can_come_on_standard_input_with_its_format() -> None:
    command = [sys.executable, "-m", "services.ballot.count", "irv", "-", "--format", "blt"]
    done = subprocess.run(command, cwd=ROOT, input=BALLOTS.encode(), capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    command[-1] = "pabulib"
    done = subprocess.run(command, cwd=ROOT, input=BALLOTS.encode(), capture_output=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith(b"-:1: ")


def test_what_cannot_be_asked_is_refused_in_words(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "vote.txt"
    other.write_text(BALLOTS)
    for words, reason in (
        (("irv", other), "--format"),
        (("irv", tmp_path / "none.blt"), "No such file"),
        (("irv", file, "--seats", "2"), "irv elects one"),
        (("irv", file, "--seats", "0"), "--seats"),
        (("stv", file, "--tie-break", "coin"), "--tie-break must be"),
        (("approval", file), "approval cannot be counted from this file: it holds rankings"),
        (("greedy", file), "scoring_fn"),
        (("survey", file), "survey cannot be counted"),
        (("poll", file), "export of a poll"),
        (("irv",), "METHOD and FILE"),
    ):
        done = run(*words)
        assert (done.code, done.out) == (2, ""), words
        assert reason in done.err, words
        assert "Traceback" not in done.err


def test_the_order_of_ballots_changes_nothing(file: Path, tmp_path: Path) -> None:
    lines = BALLOTS.splitlines(keepends=True)
    other = tmp_path / "other.blt"
    other.write_text("".join([lines[0], *reversed(lines[1:5]), *lines[5:]]))
    for method in ("stv", "wigm", "irv", "schulze", "tideman", "borda", "fptp"):
        assert run(method, file).result == run(method, other).result
