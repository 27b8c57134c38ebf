from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.data_folder import DataFolder, Unusable
from deploy.processes import ROOT
from tests.deploy.processes import free_port, wait_for

STANDIN = Path(__file__).parent / "standin" / "processes.toml"
MAY_MOUNT = (
    sys.platform == "linux"
    and shutil.which("unshare") is not None
    and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0
)
needs_a_disk_of_its_own = pytest.mark.skipif(not MAY_MOUNT, reason="making a small disk takes rights that are not here")


def on_a_disk_of(megabytes: int, folder: Path, output: Path) -> subprocess.Popen[bytes]:
    """A platform of stand-in doors whose data folder is a disk of its own, seen by it alone."""
    run = [sys.executable, "-m", "deploy.one_machine", "run", "--data", str(folder), "--no-demo"]
    run += ["--port", str(free_port()), "--processes", str(STANDIN), "--package", "tests.deploy.standin"]
    script = 'mount -t tmpfs -o "size=$0m" none "$1" && shift && exec "$@"'
    folder.mkdir()
    with output.open("wb") as out:
        return subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script, str(megabytes), str(folder), *run],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


@needs_a_disk_of_its_own
def test_a_disk_without_room_is_told_before_anything_starts(tmp_path: Path) -> None:
    output = tmp_path / "output"
    process = on_a_disk_of(3, tmp_path / "data", output)
    assert process.wait(20) == 1
    assert "Il ne reste que 2 Mo" in output.read_text()
    assert "Libérez de la place" in output.read_text()


@needs_a_disk_of_its_own
def test_a_disk_that_fills_up_is_told_while_the_platform_runs_on(tmp_path: Path) -> None:
    output = tmp_path / "output"
    process = on_a_disk_of(120, tmp_path / "data", output)
    try:
        assert wait_for(lambda: "Parvis est prêt" in output.read_text(), 20), output.read_text()
        inside = Path(f"/proc/{process.pid}/root{tmp_path}/data/filler")
        with inside.open("wb") as filler:
            filler.write(b"\0" * (100 * 2**20))
        assert wait_for(lambda: "presque plein" in output.read_text(), 15), output.read_text()
        assert process.poll() is None
    finally:
        process.terminate()
        assert process.wait(40) == 0


def test_keys_and_logs_are_for_their_owner_alone(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "data") as data:
        assert data.keys.stat().st_mode & 0o077 == 0
        assert data.logs.stat().st_mode & 0o077 == 0


def test_a_damaged_format_file_is_told_and_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "format.json").write_text("{")
    with pytest.raises(Unusable, match="illisible"), DataFolder(tmp_path):
        pass
    assert (tmp_path / "format.json").read_text() == "{"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(Unusable, match="accessible en écriture"), DataFolder(tmp_path / "data"):
        pass
