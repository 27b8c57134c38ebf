"""The whole platform as an operator starts it, for drills: real processes, found and killed by their ids."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from deploy.demo_client import Client
from deploy.memory import memory_of
from services.ballot.protocol.manifest import Manifest
from services.shared.settings import Common
from tests import doors
from tests.ballot import kit

READY_WITHIN: Final = 240
_DOOR: Final = re.compile(r"services\.\w+ \w+")
OFFICERS: Final = ("officer-a", "officer-b")


@dataclass(frozen=True, slots=True)
class Running:
    """One process of the platform: its id, its door as "services.ballot cast", and its environment."""

    pid: int
    name: str


class Platform:
    """`make run` without its demo, on a data folder of the drill's own."""

    def __init__(self, data: Path, engine: str) -> None:
        self.data = data
        self.engine = engine
        self._process: subprocess.Popen[bytes] | None = None
        self._said = data.with_name(data.name + ".said")

    def __enter__(self) -> Platform:
        environment = {**os.environ, "PARVIS_ENGINE": self.engine}
        words = ["-m", "deploy.one_machine", "run", "--data", str(self.data), "--no-demo"]
        with self._said.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, *words, "--port", str(doors.free_port())],
                env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + READY_WITHIN
        while "Parvis est prêt" not in self.said():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the platform did not start:\n{self.said()}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def said(self) -> str:
        return self._said.read_text(errors="replace")

    def running(self) -> list[Running]:
        assert self._process is not None
        found = ((u.pid, _DOOR.search(u.name)) for u in memory_of(self._process.pid))
        return [Running(pid, door[0]) for pid, door in found if door]

    def memory_mb(self) -> dict[str, float]:
        """PSS by process name; those of one name (a gunicorn and its worker) together."""
        assert self._process is not None
        used: dict[str, float] = {}
        for use in memory_of(self._process.pid):
            door = _DOOR.search(use.name)
            name = door[0] if door else use.name.split()[-1].rpartition("/")[2]
            used[name] = used.get(name, 0) + use.pss_kb / 1024
        return {name: round(mb, 1) for name, mb in sorted(used.items())}

    def kill_one(self, chance: random.Random) -> str:
        """Ends one process at random, with -9; its name."""
        victim = chance.choice(self.running())
        try:
            os.kill(victim.pid, signal.SIGKILL)
        except ProcessLookupError:
            return "(gone)"
        return victim.name

    def settings(self) -> Common:
        """As the platform's own processes see them: ports and servers were chosen at the start."""
        found = next(r for r in self.running() if r.name == "services.ballot seal")  # gunicorn rewrites its own
        pairs = Path(f"/proc/{found.pid}/environ").read_bytes().decode().split("\0")
        ours = dict(pair.split("=", 1) for pair in pairs if pair.startswith("PARVIS_"))
        with environment(ours):
            return Common.from_env()


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def as_environment(settings: Common) -> dict[str, str]:
    names = {"host_name": "PARVIS_HOST_NAME"}
    return {names.get(f, f"PARVIS_{f.upper()}"): str(getattr(settings, f)) for f in settings.__slots__}


def residents(settings: Common, people: int) -> list[str]:
    """Subjects of a made-up region of that many people."""
    told = doors.run(["services.identity", "demo", "--people", str(people)], as_environment(settings))
    return [one["subject"] for one in json.loads(told.strip().splitlines()[-1])["residents"]]


def publish(
    client: Client,
    *,
    lasts: float,
    opens_in: float = 2,
    epoch_seconds: int = 1,
    epoch_min: int = 5,
    other: dict[str, Any] | None = None,
) -> str:
    """A poll of the roll's people, confirmed by two; it opens `opens_in` seconds from now. `other`: fields of the
    draft in place of the usual ones."""
    opens = datetime.now(UTC) + timedelta(seconds=opens_in)
    says = kit.draft(
        opens=opens, closes=opens + timedelta(seconds=lasts), epoch_seconds=epoch_seconds, epoch_min=epoch_min
    )
    says["strata"] = [{"id": "habitants", "label": "Habitantes et habitants", "station": "bureau-1"}]
    says |= other or {}
    poll = str(client.officer(OFFICERS[0], "ballot", "/polls", says)["poll"])
    dates = {"opens_at": says["opens_at"], "closes_at": says["closes_at"]}
    strata = [stratum["id"] for stratum in says["strata"]]
    roll = client.officer(OFFICERS[0], "identity", f"/polls/{poll}/issuance", {"strata": strata, **dates})
    seen = client.officer(OFFICERS[0], "ballot", f"/polls/{poll}/publication", roll)
    for officer in OFFICERS:
        client.officer(officer, "ballot", f"/polls/{poll}/opening-confirmations", seen)
    return poll


def wait_for(client: Client, poll: str, *states: str, seconds: float = 120) -> dict[str, Any]:
    until = time.monotonic() + seconds
    while True:
        try:
            found = client.poll(poll)
            if found["state"] in states:
                return found
            last = found["state"]
        except Exception as e:  # noqa: BLE001 the door may just have been killed
            last = repr(e)
        if time.monotonic() > until:
            raise TimeoutError(f"{poll} is not {states} after {seconds} s: {last}")
        time.sleep(0.1)


def count(client: Client, poll: str, seconds: float = 300) -> dict[str, Any]:
    """Two officers confirm; the tally."""
    seen = {"checkpoints_hash": client.poll(poll)["checkpoints_hash"]}
    for officer in OFFICERS:
        client.officer(officer, "ballot", f"/polls/{poll}/count-confirmations", seen)
    tally: dict[str, Any] = wait_for(client, poll, "tallied", seconds=seconds)["tally"]
    return tally


def export(settings: Common, poll: str, to: Path, origin: str = "store") -> Path:
    doors.run(["services.ballot", "export", poll, "--from", origin, "--to", str(to)], as_environment(settings))
    return to


def audit(bundle: Path, manifest: Manifest, *more: str) -> str:
    """What the audit printed. Raises AssertionError when it found something."""
    return doors.run(["services.ballot.audit", str(bundle), "--manifest-hash", manifest.hash.hex(), *more], {})


BALLOT_COPIES: Final = ("ballot-slot.db", "ballot-log.db", "eventlog.db")
"""Where ballots may stand: the slot, the log, and the log's copy. Exports are made elsewhere."""


def traces(data: Path, secrets: Sequence[bytes]) -> list[str]:
    """Files of a platform's folder, logs included, that hold one of these 32-byte values, raw or as hex."""
    needles = [form for secret in secrets for form in (secret, secret.hex().encode())]
    found = []
    for path in sorted(data.rglob("*")):
        if path.is_file() and not path.name.startswith(BALLOT_COPIES) and "kafka" not in path.parts:
            held = path.read_bytes()
            if any(needle in held for needle in needles):
                found.append(str(path.relative_to(data)))
    return found


def leaf_hashes(bundle: Path) -> list[str]:
    """Trackers of the ballots in a bundle, in the order of the log."""
    from services.ballot.protocol.leaves import is_ballot, leaf_hash

    with bundle.open("rb") as lines:
        return [leaf_hash(line[:-1]).hex() for line in lines if is_ballot(line[:-1])]
