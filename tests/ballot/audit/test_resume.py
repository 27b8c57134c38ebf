"""A stopped audit goes on where it was, and nobody but the auditor can make it skip a check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.ballot.audit.auditor import Options, audit
from services.ballot.audit.findings import Report
from services.ballot.audit.resume import Progress, State, default_folder
from tests.ballot.audit.tampers import a_byte_of_a_signature_flipped
from tests.ballot.builder import Election, election, make_manifest

HASH = make_manifest().hash


class Stopped:
    """Ctrl-C after that many batches."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def __call__(self, size: int, ballots: int) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def made() -> Election:
    return election(900)


@pytest.fixture
def file(made: Election, tmp_path: Path) -> Path:
    path = tmp_path / "poll.jsonl"
    path.write_bytes(made.bundle())
    return path


def run(file: Path, stop_after: int = 0, manifest_hash: bytes = HASH) -> Report:
    folder = file.parent / "state"
    with file.open("rb") as stream:
        return audit(
            stream,
            Options(
                manifest_hash,
                state=lambda found: State(file, found, folder),
                tick=Stopped(stop_after) if stop_after else None,
            ),
        )


def stop(file: Path, after: int = 3) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(file, after)


def states(file: Path) -> list[Path]:
    return list((file.parent / "state").glob("*"))


def test_a_stopped_audit_goes_on_and_ends_with_the_same_report(file: Path, made: Election) -> None:
    stop(file)
    assert len(states(file)) == 1
    report = run(file)
    assert report.passed, report.findings
    assert report.checked == 900
    assert 400 < report.checked_before < 900
    assert states(file) == [], "a finished audit leaves nothing behind"


def test_an_audit_stopped_again_and_again_ends(file: Path) -> None:
    for after in (1, 2, 3, 4):
        stop(file, after)
    assert run(file).passed


def test_what_changed_after_the_stop_is_checked_from_the_start(file: Path, made: Election) -> None:
    stop(file)
    changed = election(900)
    a_byte_of_a_signature_flipped(changed)
    file.write_bytes(changed.bundle())
    report = run(file)
    assert report.checked_before == 0
    assert report.findings[0].finding == "WrongSignature"


def test_what_changed_behind_the_stop_is_found_too(file: Path) -> None:
    stop(file)
    data = file.read_bytes()
    file.write_bytes(data.replace(b'"superseded":', b'"superseded":1'))
    report = run(file)
    assert report.checked_before > 0
    assert not report.passed


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"progress": 3}', '{"progress": {"bytes": "x"}}', '{"progress": {"other": 1}}']
)
def test_a_state_that_we_did_not_write_is_ignored(file: Path, text: str) -> None:
    stop(file)
    (state,) = states(file)
    state.write_text(text)
    report = run(file)
    assert report.passed
    assert report.checked_before == 0


def test_a_state_of_other_code_or_of_another_manifest_is_ignored(file: Path) -> None:
    stop(file)
    (state,) = states(file)
    value = json.loads(state.read_text())
    for name in ("version", "manifest_hash", "code_hash"):
        state.write_text(json.dumps(value | {name: "other"}))
        assert State(file, HASH, state.parent).load() == Progress()
    state.write_text(json.dumps(value))
    assert State(file, HASH, state.parent).load() != Progress()


def test_a_finding_before_the_stop_leaves_no_state(file: Path, made: Election) -> None:
    changed = election(900)
    a_byte_of_a_signature_flipped(changed)
    file.write_bytes(changed.bundle())
    stop(file)
    assert states(file) == []


def test_a_state_folder_that_cannot_be_made_costs_the_resumption_only(file: Path) -> None:
    (file.parent / "state").write_text("a file, not a folder")
    stop(file)
    assert run(file).passed


def test_the_state_lies_in_the_users_own_folder_never_beside_the_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert default_folder() == Path("/somewhere/parvis-audit")
