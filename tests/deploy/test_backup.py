from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.backup import LEFT_OUT
from deploy.processes import ROOT

SERVICES = ("ballot", "identity", "notifications", "gateway")


def run(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PARVIS_DATA": str(data)}
    return subprocess.run([sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the stores and keys of every service, and people in it."""
    folder = tmp_path_factory.mktemp("platform") / "data"
    for service in SERVICES:
        for step in ("keys", "migrate"):
            assert run(f"services.{service}", step, data=folder).returncode == 0
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


def incarnation(data: Path) -> str:
    code = "from pathlib import Path; from services.shared.store import Database, incarnation\n"
    code += f"with Database(Path({str(data / 'identity.db')!r})).transaction(write=False) as tx: print(incarnation(tx))"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
