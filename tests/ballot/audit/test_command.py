"""The command as an auditor types it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.ballot.protocol.checkpoints import checkpoints_hash
from tests.ballot.builder import Election, election

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def made() -> Election:
    return election(120)


@pytest.fixture(scope="module")
def file(made: Election, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audit") / "poll.jsonl"
    path.write_bytes(made.bundle())
    return path


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "services.ballot.audit", *map(str, arguments)]


def run(*arguments: str | Path, given: bytes | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command(*arguments), cwd=ROOT, input=given, capture_output=True, timeout=60)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def anchor(made: Election) -> str:
    return made.manifest.hash.hex()


def test_a_sound_bundle_exits_0_and_prints_the_counts(file: Path, made: Election) -> None:
    done = run(file, "--manifest-hash", anchor(made))
    assert done.returncode == 0, done.stdout
    assert "120 ballots checked of 120 expected\nPASSED\n" in done.stdout
    assert "cannot exclude, without --checkpoint" in done.stdout
    assert f"\ncheckpoints {checkpoints_hash(made.notes).hex()}\n" in done.stdout
    assert "audit:" in done.stderr, "the progress bar"


def test_a_bundle_can_come_on_standard_input_to_several_processes(file: Path, made: Election) -> None:
    done = run("-", "--manifest-hash", anchor(made), "--jobs", "2", "--quiet", given=file.read_bytes())
    assert done.returncode == 0, done.stdout
    assert "120 ballots checked of 120 expected" in done.stdout
    assert done.stderr == ""


def test_a_difference_exits_1_with_a_finding_as_one_json_line(file: Path, made: Election, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(file.read_bytes().replace(b'"turnout":', b'"turnout":1'))
    done = run(bad, "--manifest-hash", anchor(made), "--quiet")
    assert done.returncode == 1
    finding = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert finding.keys() == {"finding", "event", "field", "cause"}
    assert (finding["finding"], finding["field"]) == ("WrongTally", "turnout")
    assert finding["event"]["type"] == "TallyComputed"


def test_several_processes_find_the_same_in_the_same_order(made: Election, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(made.bundle().replace(b'"answers":[{"choice":"oui"}', b'"answers":[{"choice":"non"}'))
    one, two = (run(bad, "--manifest-hash", anchor(made), "--json", "--jobs", jobs) for jobs in ("1", "2"))
    assert one.returncode == two.returncode == 1
    assert one.stdout == two.stdout
    assert json.loads(one.stdout)["verdict"] == "failed"


def test_checkpoints_and_promises_come_from_files(file: Path, made: Election, tmp_path: Path) -> None:
    note, promise = tmp_path / "seen.txt", tmp_path / "p.json"
    note.write_text(made.logs["bureau-2"].note(12))
    promise.write_bytes(made.promise(made.voters[0].ballots[0]))
    anchors: list[str | Path] = ["--manifest-hash", anchor(made), "--checkpoint", note, "--promise", promise]
    done = run(file, *anchors, "--json")
    assert done.returncode == 0, done.stdout
    assert len(json.loads(done.stdout)["cannot_exclude"]) == 1


def test_without_an_anchor_the_command_wants_to_hear_it_said(file: Path) -> None:
    assert run(file).returncode == 2
    done = run(file, "--unanchored")
    assert done.returncode == 0
    assert "cannot exclude, without --manifest-hash" in done.stdout


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["no-such-file", "--unanchored"], "cannot read no-such-file"),
        (["-", "--unanchored", "--checkpoint", "no-such-file"], "cannot read no-such-file"),
        (["-", "--manifest-hash", "xyz"], "64 hexadecimal digits"),
        (["-", "--unanchored", "--jobs", "0"], "a number from 1"),
    ],
)
def test_a_command_that_cannot_start_exits_2_with_a_sentence(arguments: list[str], said: str) -> None:
    done = run(*arguments, given=b"")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_killed_audit_leaves_no_process_behind(made: Election) -> None:
    """Workers end with the audit, even when it could not say goodbye."""
    arguments = command("-", "--unanchored", "--jobs", "2", "--quiet")
    audit = subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert audit.stdin is not None
    audit.stdin.write(b"".join(list(made.lines())[:-2]))
    audit.stdin.flush()
    children = wait_for_children(audit.pid)
    audit.send_signal(signal.SIGKILL)
    audit.wait()
    deadline = time.monotonic() + 10
    while any(map(running, children)):
        assert time.monotonic() < deadline, "a worker outlived the audit"
        time.sleep(0.05)


def wait_for_children(pid: int) -> list[int]:
    """The tracker of the standard library and at least one worker; none on a system without /proc."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    if not path.exists():
        return []
    deadline = time.monotonic() + 20
    while len(children := [int(child) for child in path.read_text().split()]) < 2:
        assert time.monotonic() < deadline, "no worker was started"
        time.sleep(0.02)
    return children


def running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
