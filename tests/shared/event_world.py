"""A small pair of services for the tests of the event log: a store that tells, and a consumer that remembers.

Also a program: `python tests/shared/event_world.py worker|relay …` runs the consumer under nameko, or the relay.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from services.shared import logs, relay, repairs
from services.shared.entrypoints import Provide, assemble, consume, every, run_worker, subscriptions
from services.shared.errors import BadInput
from services.shared.eventlog import open_feed
from services.shared.feed import TRACKING_STEPS, Told
from services.shared.relay import RELAY_STEPS, Row
from services.shared.settings import Common
from services.shared.store import Database, Tx, open_database

TOPIC = os.environ.get("TEST_TOPIC", "parvis.test")
TELLER_STEPS = (
    *RELAY_STEPS,
    """CREATE TABLE fact (shard TEXT NOT NULL, position {bigint} NOT NULL, topic TEXT NOT NULL, key TEXT NOT NULL,
           text TEXT NOT NULL, PRIMARY KEY (shard, position))""",
)
HEARER_STEPS = (
    *TRACKING_STEPS,
    """CREATE TABLE heard (id {autoid}, source TEXT NOT NULL, position {bigint} NOT NULL, key TEXT NOT NULL,
           text TEXT NOT NULL)""",
    "CREATE TABLE tick (at {autoid}, pid INTEGER NOT NULL)",
)


Hearing = Callable[[Tx, Told], None]


class Unheard(BadInput):
    reason = "the text begins with poison"


class Facts:
    """A source: the facts of one shard of a store."""

    def __init__(self, database: Database, shard: str) -> None:
        self.database = database
        self.shard = shard

    @property
    def name(self) -> str:
        return f"teller/{self.shard}"

    def read(self, after: int, limit: int) -> list[Row]:
        sql = "SELECT position, topic, key, text FROM fact WHERE shard = ? AND position > ? ORDER BY position LIMIT ?"
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(sql, (self.shard, after, limit))
        return [self._row(*row) for row in rows]

    def _row(self, position: int, topic: str, key: str, text: str) -> Row:
        if text == "silence":
            return Row(position)
        return Row(position, topic, key, "FactSaid", 1, f"{self.shard}-{position}", text.encode())


def facts(database: Database) -> list[Facts]:
    with database.transaction(write=False) as tx:
        return [Facts(database, shard) for (shard,) in tx.execute("SELECT DISTINCT shard FROM fact ORDER BY shard")]


def say(database: Database, keys: Iterable[str], *, shard: str = "a", text: str = "word", topic: str = TOPIC) -> None:
    """One fact a key, at the next positions of the shard."""
    with database.transaction() as tx:
        last = tx.execute("SELECT max(position) FROM fact WHERE shard = ?", (shard,))[0][0] or 0
        rows = [(shard, last + i, topic, key, text) for i, key in enumerate(keys, 1)]
        tx.executemany("INSERT INTO fact VALUES (?, ?, ?, ?, ?)", rows)


def said(database: Database, topic: str = TOPIC) -> list[tuple[str, int]]:
    """(shard, position) of everything that is told."""
    sql = "SELECT shard, position FROM fact WHERE topic = ? AND text <> 'silence' ORDER BY shard, position"
    with database.transaction(write=False) as tx:
        return [(shard, position) for shard, position in tx.execute(sql, (topic,))]


def heard(database: Database) -> list[tuple[str, int]]:
    """(shard, position) of every effect, in the order of shard and position; twice when it happened twice."""
    with database.transaction(write=False) as tx:
        rows = tx.execute("SELECT source, position FROM heard")
    return sorted((source.split("/")[1], position) for source, position in rows)


def remember(tx: Tx, told: Told) -> None:
    """The effect: one row a message. Refuses what begins with poison, unless the file `cured` is there."""
    text = told.value.decode()
    if text == "disaster":
        raise RuntimeError("the disk is on fire")
    tx.execute(
        "INSERT INTO heard (source, position, key, text) VALUES (?, ?, ?, ?)",
        (told.source, told.position, told.key, text),
    )
    if text.startswith("poison") and not cure().exists():
        raise Unheard


def cure() -> Path:
    return Path(os.environ.get("PARVIS_DATA", "data")) / "cured"


class Memory:
    def __init__(self, settings: Common, database: Database) -> None:
        self.database = database

    def hear(self, tx: Tx, told: Told) -> None:
        remember(tx, told)

    def tick(self) -> None:
        with self.database.transaction() as tx:
            tx.execute("INSERT INTO tick (pid) VALUES (?)", (os.getpid(),))


class HearerWorker:
    name = "hearer"
    memory = Provide(Memory)

    @consume(TOPIC)
    def on_facts(self, tx: Tx, told: Told) -> None:
        self.memory.hear(tx, told)

    @every(0.2)
    def tick(self) -> None:
        self.memory.tick()


def main(arguments: list[str]) -> int:
    common = Common.from_env()
    door, *rest = arguments
    part = os.environ.get("TEST_PART", "")
    logs.configure("test", door)
    if door == "relay":
        teller = open_database(common, "teller", part)
        again = int(rest[1]) if rest else None
        return relay.serve(common, teller, lambda: facts(teller), service="teller", again_from=again)
    hearer = open_database(common, "hearer", part)
    if rest:
        worker = assemble(HearerWorker, common, hearer)
        return repairs.command(
            rest, hearer, lambda: subscriptions(worker), lambda: open_feed(common, "hearer", [TOPIC])
        )
    return run_worker(HearerWorker, common, hearer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
