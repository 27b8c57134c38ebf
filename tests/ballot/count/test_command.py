"""The command itself: a poll's export, texts for people, any bytes at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ballot.methods import METHODS
from services.ballot.store.export import export_store
from tests.ballot.count.kit import counted, run
from tests.ballot.count.test_files import BLT, CAT, PB, RANKED, SOI, WIDE
from tests.ballot.kit import Town, draft

RANKINGS = (["tilleul"], ["saule", "tilleul"], ["cerisier"], ["cerisier", "saule"], ["saule"], ["tilleul"])
FILES = {"blt": BLT, "soi": SOI, "cat": CAT, "pb": PB, "csv": RANKED}
TOULOUSE = Path(__file__).resolve().parents[4] / "shared" / "data" / "pabulib"


def exported(folder: Path) -> tuple[Path, dict[str, Any]]:
    """A poll by instant run-off, counted by the platform: its export, and the published result."""
    town = Town.embedded(folder)
    says = draft()
    options = [{"id": name, "label": name.title()} for name in ("cerisier", "tilleul", "saule")]
    says["questions"] = [
        {**says["questions"][0], "method": "irv", "options": options, "tie_break": "lot:2026"},
    ]
    manifest = town.open(says, size=60)
    answers = [{"ranking": [[one] for one in ranking]} for ranking in RANKINGS]
    for answer in [*answers, {"blank": True}]:
        town.cast(manifest, town.voter(manifest).ballot(answer))
    town.close(manifest)
    tally = town.count(manifest)
    path = folder / "poll.ndjson"
    path.write_bytes(b"".join(export_store(town.log, town.application.poll(manifest.poll), manifest)))
    result: dict[str, Any] = tally["questions"][0]["result"]
    return path, result


def test_the_count_of_a_polls_export_is_its_published_tally(tmp_path: Path) -> None:
    path, published = exported(tmp_path)
    for method in ("poll", "irv"):
        code, out, err = run(method, str(path))
        assert code == 0, err
        found = json.loads(out)
        assert found["steps"] == published["steps"]
        assert (found["blank"], found["expressed"]) == (published["blank"], published["expressed"]) == (1, 6)
        assert [found["candidates"][number - 1].lower() for number in found["winners"]] == published["winners"]
        assert found["tie_break"] == "lot:2026"


def test_the_same_ballots_of_a_poll_can_be_counted_by_another_method(tmp_path: Path) -> None:
    path, _ = exported(tmp_path)
    code, out, _ = run("schulze", str(path))
    assert (code, json.loads(out)["method"]) == (0, "schulze")
    code, _, err = run("approval", str(path))
    assert code == 2
    assert "approval cannot be counted from these answers" in err


def test_an_export_that_was_cut_is_refused_with_its_line(tmp_path: Path) -> None:
    path, _ = exported(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:5]))
    code, _, err = run("poll", str(path))
    assert code == 2
    assert "poll.ndjson:5:" in err


def test_every_method_is_listed_with_its_files() -> None:
    code, out, _ = run("--list")
    assert code == 0
    assert all(f"\n{name}" in f"\n{out}" for name in METHODS)
    assert out.count("files:") == len(METHODS)


def test_without_a_method_and_a_file_the_usage_is_told() -> None:
    code, _, err = run("irv")
    assert (code, "METHOD and FILE are needed" in err) == (2, True)


@pytest.mark.parametrize(
    "form, method", [("blt", "stv"), ("soi", "ranked-pairs"), ("cat", "mj"), ("pb", "mes"), ("csv", "irv")]
)
def test_a_text_for_people_names_who_is_elected_and_each_step(tmp_path: Path, form: str, method: str) -> None:
    path = tmp_path / f"file.{form}"
    path.write_text(FILES[form], encoding="utf-8")
    code, out, _ = run(method, str(path), "--text")
    found = counted(tmp_path, f"file.{form}", FILES[form], method)
    assert code == 0
    assert out.splitlines()[0].startswith(found["method"])
    assert all(found["candidates"][number - 1] in out.splitlines()[0] for number in found["winners"])
    assert len(out.split("\n\n")) == len(found["steps"]) + 1


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=200),
    form=st.sampled_from(["blt", "soi", "toc", "cat", "pb", "csv", "ndjson"]),
    cut=st.integers(0, 400),
)
def test_no_bytes_at_all_end_in_a_traceback(tmp_path: Path, data: bytes, form: str, cut: int) -> None:
    good = {**FILES, "toc": SOI.replace("soi", "toc"), "ndjson": '{"line":"bundle"}\n'}[form].encode()
    path = tmp_path / f"any.{form}"
    path.write_bytes(good[:cut] + data + good[cut + len(data) :])
    for method in ("irv", "schulze", "score", "budget_equal_shares"):
        code, _, err = run(method, str(path))
        assert code in (0, 2), err


def test_wide_tables_survive_too(tmp_path: Path) -> None:
    assert counted(tmp_path, "w.csv", WIDE, "mj")["winners"] == [3]


@pytest.mark.skipif(not TOULOUSE.is_dir(), reason="the participatory budgets of Toulouse are not beside the checkout")
def test_every_budget_of_toulouse_is_read() -> None:
    for path in sorted(TOULOUSE.glob("*.pb")):
        code, out, err = run("budget-greedy", str(path), "--compact")
        assert code == 0, err
        found = json.loads(out)
        assert found["invalid"] == 0
        assert 0 <= found["left"] < found["budget"]
