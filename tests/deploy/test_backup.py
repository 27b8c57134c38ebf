from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.backup import LEFT_OUT
from deploy.processes import ROOT
from services.ballot.protocol.manifest import Manifest
from services.ballot.store.export import export_store
from tests import doors
from tests.ballot.kit import draft, town_in
from tests.http_client import Connection

SERVICES = ("ballot", "identity", "notifications", "gateway")


def run(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PARVIS_DATA": str(data)}
    return subprocess.run([sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, text=True)


def prepared(data: Path) -> Path:
    """A folder with the stores and keys of every service."""
    for service in SERVICES:
        for step in ("keys", "migrate"):
            assert run(f"services.{service}", step, data=data).returncode == 0
    return data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the stores and keys of every service, and people in it."""
    folder = prepared(tmp_path_factory.mktemp("platform") / "data")
    assert run("services.identity", "demo", "--people", "60", data=folder).returncode == 0
    return folder


@pytest.fixture(scope="module")
def copy(data: Path) -> Path:
    to = data.parent / "copy"
    done = run(
        "deploy.backup",
        "backup",
        "--data",
        str(data),
        "--to",
        str(to),
        "--keys-to",
        str(data.parent / "keys"),
        data=data,
    )
    assert done.returncode == 0, done.stderr
    return to


def test_a_backup_holds_every_store_but_the_slot_and_the_event_log_and_no_key(data: Path, copy: Path) -> None:
    stores = {path.name for path in data.glob("*.db")} - set(LEFT_OUT)
    assert {path.name for path in copy.iterdir()} == stores | {"backup.json"}
    assert "ballot-slot.db" not in stores
    assert all(path.stat().st_mode & 0o077 == 0 for path in copy.iterdir())


def test_a_restored_folder_has_its_people_and_tells_under_a_new_incarnation(
    data: Path, copy: Path, tmp_path: Path
) -> None:
    back = tmp_path / "back"
    keys = str(data.parent / "keys")
    done = run("deploy.backup", "restore", "--data", str(back), "--from", str(copy), "--keys-from", keys, data=back)
    assert done.returncode == 0, done.stderr
    assert names(back) == names(data) != set()
    assert not list((back / "keys").glob("*.db")), "the vault stands among the stores again"
    again = json.loads(run("services.identity", "demo", "--people", "60", data=back).stdout.splitlines()[-1])
    assert again["made"] is False
    assert incarnation(back) != incarnation(data)
    assert "accept-restore" in done.stdout


def test_a_restore_never_overwrites_stores(data: Path, copy: Path) -> None:
    done = run("deploy.backup", "restore", "--data", str(data), "--from", str(copy), data=data)
    assert done.returncode == 1
    assert "contient déjà des bases" in done.stderr


def test_a_damaged_backup_is_refused_whole(data: Path, copy: Path, tmp_path: Path) -> None:
    damaged, back = tmp_path / "damaged", tmp_path / "back"
    damaged.mkdir()
    for path in copy.iterdir():
        (damaged / path.name).write_bytes(path.read_bytes())
    store = bytearray((damaged / "identity.db").read_bytes())
    store[-1] ^= 1
    (damaged / "identity.db").write_bytes(store)
    done = run("deploy.backup", "restore", "--data", str(back), "--from", str(damaged), data=back)
    assert done.returncode == 1
    assert "identity.db" in done.stderr
    assert not back.exists()


def test_a_backup_broken_off_is_no_backup(copy: Path, tmp_path: Path) -> None:
    partial = tmp_path / "partial"
    partial.mkdir()
    (partial / "ballot.db").write_bytes((copy / "ballot.db").read_bytes())
    done = run("deploy.backup", "restore", "--data", str(tmp_path / "back"), "--from", str(partial), data=tmp_path)
    assert done.returncode == 1
    assert "backup.json" in done.stderr


def test_missing_keys_are_noticed_before_anything_is_put_back(data: Path, copy: Path, tmp_path: Path) -> None:
    back, some = tmp_path / "back", tmp_path / "keys"
    shutil.copytree(data.parent / "keys", some)
    (some / "ballot" / "log.key").unlink()
    done = run(
        "deploy.backup", "restore", "--data", str(back), "--from", str(copy), "--keys-from", str(some), data=back
    )
    assert done.returncode == 1
    assert "ballot/log.key" in done.stderr
    assert not back.exists()


def test_a_restore_that_fails_leaves_a_folder_for_the_next_try(data: Path, copy: Path, tmp_path: Path) -> None:
    back, some = tmp_path / "back", tmp_path / "keys"
    shutil.copytree(data.parent / "keys", some)
    (some / "ballot" / "log.key").write_text("no key")
    words = ("deploy.backup", "restore", "--data", str(back), "--from", str(copy), "--keys-from")
    assert run(*words, str(some), data=back).returncode == 1
    assert not list(back.glob("*.db*"))
    (back / "keys" / "ballot" / "log.key").unlink()
    again = run(*words, str(data.parent / "keys"), data=back)
    assert again.returncode == 0, again.stderr


def test_keys_are_never_copied_into_the_backup(data: Path, tmp_path: Path) -> None:
    to = tmp_path / "copy"
    keys_to = ("--keys-to", str(to / "keys"))
    done = run("deploy.backup", "backup", "--data", str(data), "--to", str(to), *keys_to, data=data)
    assert done.returncode == 1
    assert "autre lieu" in done.stderr
    assert not to.exists()


@dataclass
class Polls:
    """A restored folder. In its copy one poll was counted, and another one was caught between an epoch's leaves and its
    end, 10 of 30 ballots in the log."""

    data: Path
    counted: Manifest
    over: bytes
    """A ballot of the counted poll."""
    open: Manifest
    logged: bytes
    lost: bytes
    """A promised ballot of the open poll that no copy has."""
    later: list[bytes]


@pytest.fixture(scope="module")
def polls(tmp_path_factory: pytest.TempPathFactory) -> Polls:
    data = prepared(tmp_path_factory.mktemp("polls") / "data")
    now = datetime.now(UTC)
    town = town_in(data)
    town.clock.now = now - timedelta(hours=1)
    counted = town.open(draft(opens=now - timedelta(hours=2), closes=now - timedelta(minutes=1)))
    over = town.voter(counted).ballot()
    town.cast(counted, over)
    town.close(counted)
    town.count(counted)
    town.clock.now = now
    running = town.open(draft(opens=now - timedelta(hours=2), closes=now + timedelta(hours=2)))
    ballots = [town.voter(running).ballot() for _ in range(30)]
    later = [town.voter(running).ballot() for _ in range(10)]
    for ballot in ballots:
        town.cast(running, ballot)
    [station] = town.sealer._stations(running)
    station.chunk = 10
    town.slot.mark(running.poll, "bureau-1")
    steps = station.steps()
    next(steps)
    leaves = set(town.log.read(running.poll, "bureau-1", 0, 100))
    copy, keys = data.parent / "copy", data.parent / "keys"
    done = run("deploy.backup", "backup", "--data", str(data), "--to", str(copy), "--keys-to", str(keys), data=data)
    assert done.returncode == 0, done.stderr
    town.shut()
    back = data.parent / "back"
    done = run(
        "deploy.backup", "restore", "--data", str(back), "--from", str(copy), "--keys-from", str(keys), data=back
    )
    assert done.returncode == 0, done.stderr
    return Polls(
        data=back, counted=counted, over=over, open=running,
        logged=next(ballot for ballot in ballots if ballot in leaves),
        lost=next(ballot for ballot in ballots if ballot not in leaves), later=later,
    )  # fmt: skip


def test_after_a_restore_polls_that_are_over_still_answer_a_repeat(polls: Polls) -> None:
    assert cast(polls, polls.counted, polls.over) == [201]


def test_a_log_copied_within_an_epoch_is_mended_and_its_poll_goes_on_to_a_sound_audit(polls: Polls) -> None:
    town = town_in(polls.data)
    assert cast(polls, polls.open, polls.logged, polls.lost, *polls.later) == [201] * 12
    town.seal_now(polls.open)
    town.close(polls.open)
    tally = town.count(polls.open)
    assert tally["counted"] == 21
    bundle = polls.data.parent / "bundle"
    lines = export_store(town.log, town.application.poll(polls.open.poll), polls.open)
    bundle.write_bytes(b"".join(lines))
    town.shut()
    words = ("services.ballot.audit", str(bundle), "--manifest-hash", polls.open.hash.hex())
    done = run(*words, data=polls.data)
    assert "21 ballots checked of 21 expected" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def cast(polls: Polls, manifest: Manifest, *ballots: bytes) -> list[int]:
    """The statuses that the real door answers."""

    async def post(port: int) -> list[int]:
        connection = Connection(port)
        return [(await connection.post(f"/polls/{manifest.poll}/ballots", ballot)).status for ballot in ballots]

    with doors.running(["services.ballot", "cast"], {"PARVIS_DATA": str(polls.data)}, polls.data.parent) as door:
        return asyncio.run(post(door.port))


def names(data: Path) -> set[str]:
    """Of everybody that identity can read."""
    code = """
from services.identity.__main__ import Parts
people = Parts.from_env().people
print(*(people.person(subject).display_name for subject in people.subjects(["habitants"])["habitants"]), sep="\\n")"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PARVIS_DATA": str(data)}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.splitlines())


def incarnation(data: Path) -> str:
    code = "from pathlib import Path; from services.shared.store import Database, incarnation\n"
    code += f"with Database(Path({str(data / 'identity.db')!r})).transaction(write=False) as tx: print(incarnation(tx))"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
