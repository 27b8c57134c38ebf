"""The sealer as the process it is: one at a time, and none that goes on after its lock is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.ballot.seal import run
from services.shared.store import Database
from services.shared.store_failures import LockHeld, LockLost
from tests import doors
from tests.ballot.kit import NOON, Town
from tests.shared.fixtures_servers import postgres_server as postgres_server

SEAL = ["services.ballot", "seal"]


def lose(database: Database) -> int:
    """What ends a lock behind its holder's back: its session on PostgreSQL, its file elsewhere. How many it ended."""
    if database.engine == "sqlite":
        locks = list(Path(str(database.where)).parent.glob(f"{database.name}.*.lock"))
        for lock in locks:
            lock.unlink()
        return len(locks)
    with database.transaction() as tx:
        sql = """SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
        return len(tx.execute(sql))


def test_a_lock_is_one_processs_alone_and_its_loss_is_noticed(town: Town) -> None:
    database = town.log.database
    with database.exclusive("seal") as still_held:
        with pytest.raises(LockHeld), database.exclusive("seal"):
            pass
        with database.exclusive("another"):
            still_held()
    with database.exclusive("seal") as still_held:
        still_held()
        assert lose(database) == (2 if database.engine == "sqlite" else 1)
        with database.exclusive("seal") as successor:
            successor()
            with pytest.raises(LockLost, match="seal"):
                still_held()
            successor()


def test_a_sealer_looks_at_its_lock_before_each_round(town: Town) -> None:
    town.publish()
    rounds: list[int] = []

    def asked() -> bool:
        if len(rounds) == 2:
            town.clock.now = NOON  # from now on a round would open the poll
            lose(town.log.database)
        return len(rounds) == 5

    town.clock.now = NOON.replace(hour=1)
    with pytest.raises(LockLost), town.log.database.exclusive("seal") as still_held:
        run(town.sealer, 0, asked, lambda: rounds.append(1), still_held)
    assert len(rounds) == 2
    assert set(town.views.work().values()) == {"seal"} and town.views.page(1)[0][0].state == "published"


@dataclass
class Stores:
    env: dict[str, str]
    log: Database


@pytest.fixture(params=["sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """Stores and keys as the service's own commands make them."""
    env = {"PARVIS_DATA": str(tmp_path)}
    log = Database(tmp_path / "ballot-log.db")
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server").url
        env |= {"PARVIS_ENGINE": "region", "PARVIS_POSTGRES": server}
        log = Database(f"{server}/parvis_ballot_log")
    for command in ("keys", "migrate"):
        doors.run(["services.ballot", command], env)
    yield Stores(env, log)
    log.close()


def within(seconds: float, true: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def turns(database: Database) -> int:
    """How many sealers have taken the lock and begun. The lock itself is not tried: who starts would find it taken."""
    with database.transaction(write=False) as tx:
        return int(tx.execute("SELECT term FROM sealer")[0][0])


def test_a_sealer_whose_lock_is_gone_ends_and_another_one_takes_over(stores: Stores, tmp_path: Path) -> None:
    before = turns(stores.log)
    with doors.running(SEAL, stores.env, tmp_path, port=False) as sealer:
        assert within(20, lambda: turns(stores.log) == before + 1), sealer.said.read_text()
        assert lose(stores.log) == 1
        assert sealer.process.wait(30) == 2
        assert "no longer held" in sealer.said.read_text()
        with doors.running(SEAL, stores.env, tmp_path, port=False) as successor:
            assert within(20, lambda: turns(stores.log) == before + 2), successor.said.read_text()
            assert successor.stop() == 0
