"""Real servers, started once a run: import the fixtures into a conftest, or name this module in `pytest_plugins`.

Where a server cannot be had, tests that need it are skipped with the reason; under CI=true they fail.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

from deploy.servers import Kafka, Postgres, Unavailable
from tests.run_end import RUN_END

S = TypeVar("S", Kafka, Postgres)


@pytest.fixture(scope="session")
def postgres_server() -> Postgres:
    """One PostgreSQL for the run. Tests make databases of their own in it."""
    return _needed(_postgres())


@pytest.fixture(scope="session")
def kafka_server() -> Kafka:
    """One Kafka broker for the run. Tests make topics and groups of their own in it."""
    return _needed(_kafka())


def _needed(server: S | Unavailable) -> S:
    if not isinstance(server, Unavailable):
        return server
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"a real server is needed here: {server}")
    pytest.skip(str(server))


@cache
def _postgres() -> Postgres | Unavailable:
    return _started(Postgres)


@cache
def _kafka() -> Kafka | Unavailable:
    return _started(Kafka)


def _started(kind: type[S]) -> S | Unavailable:
    """Stopped when the run ends, and not by a fixture: several conftests may import the same fixture."""
    folder = Path(tempfile.mkdtemp(prefix="parvis-test-"))  # not pytest's own: PostgreSQL's user could not reach it
    folder.chmod(0o755)
    RUN_END.callback(shutil.rmtree, folder, ignore_errors=True)
    try:
        server = kind(folder)
        RUN_END.callback(server.stop)
        server.start()
    except Unavailable as e:
        return e
    return server
