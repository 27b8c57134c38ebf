"""Real servers, started once a run for all its workers: import the fixtures into a conftest, or name this module in
`pytest_plugins`.

Where a server cannot be had, tests that need it are skipped with the reason; under CI=true they fail.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

import psycopg
import pytest

from deploy.servers import Kafka, Postgres, Unavailable
from tests.run_end import RUN_END

S = TypeVar("S", Kafka, Postgres)
_FOLDER: Final = "TEST_SERVERS"
"""The variable that tells workers the folder of the run's servers."""


@pytest.fixture(scope="session")
def postgres_server() -> Postgres:
    """One PostgreSQL for the run. Tests make databases of their own in it."""
    return _needed(_postgres())


_USED: Final = defaultdict[str, list[str]](list)
_ROWS: Final = """DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_version' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', name);
    END LOOP;
    INSERT INTO incarnation VALUES (md5(random()::text));
END $$"""


@pytest.fixture
def empty_store(request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    """Gives addresses of empty databases. The next test gets the same ones, emptied: to make a database takes three
    times as long, and some 300 files of it stay until the run ends.

    `tables`: the name of a schema whose tables, none of them with rows from its migration, are then found as the last
    test that asked for them left them, without a row: to make them anew takes ten times as long.
    """
    taken: list[tuple[str, str]] = []

    def take(tables: str = "") -> str:
        used = _USED[tables]
        url = _emptied(used.pop(), keep=bool(tables)) if used else _new(request.getfixturevalue("postgres_server"))
        taken.append((tables, url))
        return url

    yield take
    for tables, url in taken:
        _USED[tables].append(url)


def _new(server: Postgres) -> str:
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(f"{server.url}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server.url}/{name}"


def _emptied(url: str, *, keep: bool) -> str:
    """Whoever still holds a lock in it, as a process that a test has killed, is sent away."""
    with psycopg.connect(url, autocommit=True) as connection:
        others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM ({others}) AS others")
        if keep:
            connection.execute(_ROWS)
        else:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
    return url


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
    """By the first worker that asks; the others take it up."""
    folder = Path(os.environ[_FOLDER])
    with (folder / f"{kind.__name__}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            server = kind(folder / kind.__name__)
            if server.runs():
                server.join()
            else:
                server.start()
        except Unavailable as e:
            return e
    return server


def share_servers() -> None:
    """To be called before there are workers. Servers are stopped when the run ends, and not by a fixture: a worker that
    has ended leaves them to the others."""
    if _FOLDER in os.environ:
        return
    folder = Path(tempfile.mkdtemp(prefix="parvis-test-"))  # not pytest's own: PostgreSQL's user could not reach it
    folder.chmod(0o755)
    os.environ[_FOLDER] = str(folder)
    RUN_END.callback(shutil.rmtree, folder, ignore_errors=True)
    RUN_END.callback(_stop, folder)


def _stop(folder: Path) -> None:
    for kind in (Kafka, Postgres):
        if (folder / kind.__name__).exists():
            kind(folder / kind.__name__).stop()
