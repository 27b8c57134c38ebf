from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy import one_machine
from tests.deploy.processes import alive, free_port, gone, wait_for

ROOT = Path(__file__).resolve().parents[2]
STANDIN = Path(__file__).parent / "standin" / "processes.toml"


class Platform:
    """A supervisor over stand-in doors, started as an operator starts it."""

    def __init__(self, data: Path, port: int, **environment: str) -> None:
        self.data, self.port = data, port
        self.marker = f"PARVIS_DATA={data.resolve()}"
        self.output = data.parent / f"output-{time.monotonic_ns()}"
        words = ["run", "--data", str(data), "--port", str(port), "--no-demo"]
        words += ["--processes", str(STANDIN), "--package", "tests.deploy.standin"]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.one_machine", *words],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def is_ready(self) -> bool:
        return "Parvis est prêt" in self.said

    def pid_of(self, label: str) -> int:
        return max(int(path.name.rsplit(".", 1)[1]) for path in (self.data / "pids").glob(f"{label}.*"))


@contextmanager
def platform(data: Path, port: int = 0, **environment: str) -> Iterator[Platform]:
    running = Platform(data, port or free_port(), **environment)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.terminate()
        try:
            running.process.wait(40)
        except subprocess.TimeoutExpired:
            running.process.kill()
            running.process.wait()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_stops_cleanly_within_five_seconds(data: Path, how: signal.Signals) -> None:
    with platform(data) as running:
        assert wait_for(running.is_ready), running.said
        assert f"http://127.0.0.1:{running.port}" in running.said
        assert str(data) in running.said
        with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/readyz", timeout=2) as answer:
            assert answer.status == 200
        assert len(alive(running.marker)) >= 5
        began = time.monotonic()
        running.process.send_signal(how)
        assert running.process.wait(40) == 0
        assert gone(running.marker)
        assert time.monotonic() - began <= 5
        assert "Parvis est arrêté" in running.said


def test_kill_9_of_the_supervisor_ends_its_children_even_a_stubborn_one(data: Path) -> None:
    with platform(data, STANDIN_STUBBORN="alpha-worker") as running:
        assert wait_for(running.is_ready), running.said
        running.process.kill()
        running.process.wait()
        assert wait_for(lambda: alive(running.marker) == [], 8), "children outlived their supervisor"


def test_a_folder_can_be_taken_up_at_once_after_a_kill_9(data: Path) -> None:
    with platform(data) as first:
        assert wait_for(first.is_ready), first.said
        first.process.kill()  # and nobody waits for it: what is left of it still has its number
        with platform(data) as second:
            assert wait_for(second.is_ready, 15), second.said


def test_two_supervisors_on_one_data_folder_are_refused(data: Path) -> None:
    with platform(data) as first:
        assert wait_for(first.is_ready), first.said
        with platform(data) as second:
            assert second.process.wait(40) == 1
            assert "tourne déjà" in second.said
            assert str(first.process.pid) in second.said


def test_a_door_that_is_killed_is_started_again(data: Path) -> None:
    with platform(data) as running:
        assert wait_for(running.is_ready), running.said
        before = running.pid_of("alpha-worker")
        os.kill(before, signal.SIGKILL)
        assert wait_for(lambda: running.pid_of("alpha-worker") != before)
        assert wait_for(lambda: "alpha-worker s'est arrêté (signal 9)" in running.said)


def test_an_error_of_a_door_is_one_line_on_the_terminal_and_whole_in_its_log(data: Path) -> None:
    with platform(data) as running:
        assert wait_for(running.is_ready), running.said
        assert "alpha-api : alpha-api says that something went wrong\n" in running.said
        log = (data / "logs" / "alpha-api.log").read_text()
        assert json.loads(log.splitlines()[0])["level"] == "error"


def test_a_port_in_use_is_told_with_another_one_that_is_free(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with platform(data, taken.getsockname()[1]) as running:
            assert running.process.wait(40) == 1
            assert "est déjà pris" in running.said
            assert "make run PORT=" in running.said
            assert "Traceback" not in running.said


def test_a_folder_of_a_newer_release_is_refused_and_left_as_it_is(data: Path) -> None:
    data.mkdir()
    (data / "format.json").write_text('{"format": 99}')
    with platform(data) as running:
        assert running.process.wait(40) == 1
        assert "version plus récente" in running.said
    assert (data / "format.json").read_text() == '{"format": 99}'


def test_a_store_of_a_newer_release_is_refused(data: Path) -> None:
    data.mkdir()
    (data / "alpha.db").write_text("newer")
    with platform(data) as running:
        assert running.process.wait(40) == 1
        assert "version plus récente" in running.said
        assert "Traceback" not in running.said


def test_an_older_folder_is_brought_forward(data: Path) -> None:
    data.mkdir()
    (data / "alpha.db").write_text("0")
    with platform(data) as running:
        assert wait_for(running.is_ready), running.said
        assert (data / "alpha.db").read_text() == "1"
        assert json.loads((data / "format.json").read_text()) == {"format": 1}


@pytest.mark.parametrize("code, seconds", [("1", "0"), ("2", "1.5")])  # the other doors are ready by then
def test_a_door_that_cannot_start_is_told_with_its_last_words(data: Path, code: str, seconds: str) -> None:
    with platform(data, STANDIN_DIES="alpha-worker", STANDIN_CODE=code, STANDIN_SECONDS=seconds) as running:
        assert running.process.wait(40) == 1
        assert f"alpha-worker ne démarre pas (code {code})" in running.said
        assert "the setting is of no use" in running.said
        assert gone(running.marker)


def test_keys_and_stores_are_kept_from_other_accounts(data: Path) -> None:
    with platform(data) as running:
        assert wait_for(running.is_ready), running.said
        assert (data / "keys").stat().st_mode & 0o077 == 0


def test_memory_of_the_running_platform_is_the_sum_of_its_processes(data: Path) -> None:
    with platform(data) as running:
        assert wait_for(running.is_ready), running.said
        words = [sys.executable, "-m", "deploy.one_machine", "memory", "--data", str(data)]
        shown = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
        lines = [float(line.split()[0]) for line in shown]
        assert len(lines) > 5
        assert abs(sum(lines[:-1]) - lines[-1]) < 1


@pytest.mark.parametrize(
    "there, engine, shown",
    [
        ((), "", True),
        (("identity-people.db", "demo.json"), "", True),
        (("identity-people.db",), "", False),  # people of an installation: nobody reads what is sent to them
        ((), "region", False),
    ],
)
def test_messages_are_shown_only_where_the_people_are_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], engine: str, shown: bool
) -> None:
    monkeypatch.setenv("PARVIS_ENGINE", engine)
    for name in there:
        (tmp_path / name).touch()
    assert one_machine._only_made_up(tmp_path) is shown
