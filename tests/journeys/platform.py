"""The whole platform, every door started as `make run` does, and what people do on it in a browser."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from tests.doors import free_port
from tests.journeys.leading import leads

_PATIENCE = 100


@dataclass
class Platform:
    url: str
    data: Path
    process: subprocess.Popen[bytes]
    output: Path

    def until(self, ready: Callable[[], bool], patience: float = _PATIENCE, every: float = 0.2) -> None:
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if ready():
                return
            assert self.process.poll() is None, self.output.read_text()
            time.sleep(every)
        raise AssertionError(self.output.read_text())


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Platform]:
    port = free_port()
    data = folder / "data"
    command = [sys.executable, "-m", "deploy.one_machine", "run", "--data", str(data), "--port", str(port), *options]
    output = folder / "output.txt"
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with output.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    try:
        yield Platform(f"http://127.0.0.1:{port}", data, process, output)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, output.read_text()


def sign_in(page: Page, code: str) -> None:
    page.get_by_label("Code de connexion").fill(code)
    leads(page.get_by_role("button", name="Se connecter", exact=True))


def vote(page: Page, answer: str) -> str:
    """From the ballot paper to the receipt; gives the tracker."""
    page.get_by_label(answer, exact=True).check()
    leads(page.get_by_role("button", name="Vérifier mon bulletin"))
    leads(page.get_by_role("button", name="Déposer mon bulletin"))
    assert page.get_by_role("heading", level=1).inner_text() == "Votre bulletin est déposé"
    return "".join(page.locator(".sheet__key").inner_text().split())


def downloaded(page: Page, link: str, path: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("link", name=link).click()
    download.value.save_as(path)
    return path


def audited(bundle: Path, manifest_hash: str, cast: int) -> None:
    """The published audit finds every ballot, and nothing to say."""
    audit = [sys.executable, "-m", "services.ballot.audit", str(bundle), "--manifest-hash", manifest_hash]
    done = subprocess.run(audit, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{cast} ballots checked of {cast} expected" in done.stdout + done.stderr
