"""Kill -9 while a roll is checked and imported, again and again: every line is taken once, on each engine."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.processes import ROOT
from tests.identity import import_process
from tests.identity.conftest import World
from tests.identity.test_imports import count, imported, many

LINES = 12_000
KILLS = 8


@contextmanager
def at_work(world: World) -> Iterator[None]:
    stores = [str(database.where) for database in (world.people.database, world.people.vault.database)]
    process = subprocess.Popen(
        [sys.executable, import_process.__file__, *stores],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"at work\n"
    try:
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def done(world: World, id: str) -> tuple[str, int]:
    made = world.imports.of(id)
    return made.state, made.done


def killed_along(world: World, id: str, state: str) -> int:
    """Kills the process whenever it moved on a little, until the state is over; how often."""
    chance, kills, until = random.Random(20261125), 0, time.monotonic() + 120
    while done(world, id)[0] == state:
        assert time.monotonic() < until
        before = done(world, id)[1]
        with at_work(world):
            while kills < KILLS and done(world, id) == (state, before):
                time.sleep(0.005)
            time.sleep(chance.random() * 0.05 if kills < KILLS else 0)
            while kills >= KILLS and done(world, id)[0] == state:
                time.sleep(0.02)
        kills += 1
    return kills


def test_an_import_that_is_killed_over_and_over_takes_each_line_once(world: World, tmp_path: Path) -> None:
    imported(world, many(100))  # known people, whom the file moves
    data = many(LINES).replace(b"rue de la Gare", b"rue de la Source")
    made = world.upload(data)
    checks = killed_along(world, made.id, "checking")
    found = world.imports.of(made.id)
    assert (found.fresh, found.changed, found.faulty) == (LINES - 100, 100, 0)
    world.imports.start(made.id, made.hash, "agent-1", keep_good=False, with_changes=True)
    kills = killed_along(world, made.id, "importing")
    found = world.imports.of(made.id)
    print(f"{world.people.database.engine}: {checks} kills of the check, {kills} of the import")
    assert kills > 3
    assert (found.state, found.added, found.altered) == ("done", LINES - 100, 100)
    assert count(world.people.database, "account") == LINES
    assert count(world.people.database, "grant_of_role") == LINES
    assert count(world.people.database, "entry") == 100
    world.imports.tidy()
    assert count(world.people.vault.database, "person_key") == LINES, "no key is left without a person"
