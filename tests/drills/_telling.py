"""A store that tells and a consumer that hears on a region's servers, as supervised processes, and what is seen."""

from __future__ import annotations

import dataclasses
import random
import re
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

from deploy.servers import Kafka, Postgres
from services.shared import tracking
from services.shared.eventlog import partition_of
from services.shared.settings import Common
from tests.shared import event_world
from tests.shared.conftest import World, wait_until

KEYS: Final = tuple(f"key-{n}" for n in range(48))
USED: Final = frozenset(map(partition_of, KEYS))
_STEADY: Final = 20.0  # as deploy.supervisor restarts: from 0.2 s up to 5 s, from the start after 20 s of life
_SLOWEST: Final = 5.0


class RegionWorld(World):
    """A world whose topic is held by every broker."""

    def __init__(self, common: Common, part: str) -> None:
        self.replication = len(common.kafka.split(","))
        super().__init__(common, part)

    def make_topic(self) -> None:
        from services.shared.eventlog.kafka import create_topics

        create_topics(self.common.kafka, [self.topic], self.replication)

    def places(self) -> dict[int, int]:
        """partition → the position applied there."""
        with self.hearer.transaction(write=False) as tx:
            return {partition: place.position for (_, partition, _), place in tracking.places(tx).items()}

    def told(self) -> dict[int, list[int]]:
        """partition → the positions said for it."""
        sql = "SELECT key, position FROM fact WHERE topic = ? ORDER BY position"
        with self.teller.transaction(write=False) as tx:
            return by_partition(tx.execute(sql, (self.topic,)))

    def applied(self) -> dict[int, list[int]]:
        """partition → the positions whose effects stand, in the order in which they happened."""
        with self.hearer.transaction(write=False) as tx:
            return by_partition(tx.execute("SELECT key, position FROM heard ORDER BY id"))

    def prefixes(self) -> bool:
        """What was applied of every partition is an exact prefix of what was said for it."""
        told = self.told()
        return all(done == told[partition][: len(done)] for partition, done in self.applied().items())

    def all_in_order(self) -> bool:
        return self.applied() == self.told()


def by_partition(rows: list[tuple[str, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for key, position in rows:
        found.setdefault(partition_of(key), []).append(position)
    return found


@contextmanager
def region(folder: Path, brokers: int) -> Iterator[tuple[Common, Kafka]]:
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(folder / "postgres"))
        kafka = stack.enter_context(Kafka(folder / "kafka", brokers=brokers))
        common = dataclasses.replace(Common.from_env(), data=folder / "data", engine="region")
        common.data.mkdir()
        try:
            yield dataclasses.replace(common, postgres=postgres.url, kafka=kafka.address), kafka
        finally:
            for number in range(1, brokers + 1):
                kafka.kill_broker(number)  # in order, the last of three waits twenty seconds for the others


class Supervised:
    """A process of a world, started again whenever it ends, after the pauses that `make run` takes."""

    def __init__(self, world: World, *arguments: str, port: int = 0) -> None:
        self._world = world
        self._arguments = arguments
        self._port = port
        self._stopping = threading.Event()
        self.ends = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Supervised:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(20)

    def gauge(self, name: str) -> float:
        """The sum of a gauge over the world's partitions, from the process's own /metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        return sum(float(x) for x in re.findall(rf'^{name}{{[^}}]*"{self._world.topic}"[^}}]*}} (\S+)', text, re.M))

    def _run(self) -> None:
        early = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            process = self._world.process(*self._arguments, more={"PARVIS_METRICS_PORT": str(self._port)})
            while process.poll() is None and not self._stopping.wait(0.02):
                pass
            if self._stopping.is_set():
                process.terminate()
                assert process.wait(40) == 0, self._world.output(process)
                return
            self.ends += 1
            early = 1 if time.monotonic() - began > _STEADY else early + 1
            self._stopping.wait(min(_SLOWEST, 0.2 * 2 ** (early - 1)))


class Load:
    """Says facts of many keys at a steady pace, whatever the event log does."""

    def __init__(self, world: World, a_second: int, chance: random.Random) -> None:
        self._world = world
        self._pace = a_second
        self._chance = chance
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.failure: Exception | None = None
        self.said = 0

    def __enter__(self) -> Load:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> float:
        """Facts a second that it came to."""
        self._stopping.set()
        self._thread.join(20)
        if self.failure is not None:
            raise self.failure
        return self.said / (time.monotonic() - self._began)

    def _run(self) -> None:
        try:
            while not self._stopping.wait(0.02):
                due = int((time.monotonic() - self._began) * self._pace) - self.said
                if due > 0:
                    event_world.say(self._world.teller, self._chance.choices(KEYS, k=due), topic=self._world.topic)
                    self.said += due
        except Exception as e:  # noqa: BLE001 raised again by stop()
            self.failure = e


class Watch:
    """Looks twenty times a second at how far each partition is applied, while all of them are told something."""

    def __init__(self, world: RegionWorld) -> None:
        self._world = world
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._lock = threading.Lock()
        self._seen: dict[int, list[tuple[float, int]]] = {}
        self.slowest_look = 0.0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(20)

    def longest_stop(self, since: float, until: float) -> float:
        """Seconds: the longest that any one partition stood still in between."""
        longest = 0.0
        for moved in self._moves().values():
            times = [since, *(at for at, _ in moved if since < at < until), until]
            longest = max(longest, *(b - a for a, b in pairwise(times)))
        return longest

    def first_move(self, after: float) -> float | None:
        """When the first partition moved after that moment."""
        found = [at for moved in self._moves().values() for at, _ in moved if at > after]
        return min(found, default=None)

    def all_moved(self, after: float, beyond: int) -> float | None:
        """When every partition had moved after that moment, to something said later than position `beyond`."""
        firsts = [
            next((at for at, position in moved if at > after and position > beyond), None)
            for moved in self._moves().values()
        ]
        times = [at for at in firsts if at is not None]
        return max(times) if len(times) == len(USED) else None

    def _moves(self) -> dict[int, list[tuple[float, int]]]:
        with self._lock:
            return {partition: list(moved) for partition, moved in self._seen.items()}

    def _run(self) -> None:
        while not self._stopping.wait(0.05):
            began = time.monotonic()
            places = self._world.places()
            now = time.monotonic()
            self.slowest_look = max(self.slowest_look, now - began)
            with self._lock:
                for partition, position in places.items():
                    moved = self._seen.setdefault(partition, [])
                    if not moved or moved[-1][1] != position:
                        moved.append((now, position))


def leaders(common: Common, topic: str) -> Counter[int]:
    """Broker number → how many of the partitions in use it leads."""
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=common.kafka.split(","))
    try:
        [told] = admin.describe_topics([topic])
    finally:
        admin.close()
    return Counter(p["leader_id"] for p in told["partitions"] if p["partition_index"] in USED)


def all_heard(world: RegionWorld, seconds: float) -> tuple[int, int, int]:
    """Waits for it; (said, lost, doubled)."""
    wait_until(world.all_in_order, seconds)
    said, heard = world.said(), world.heard()
    return len(said), len(set(said) - set(heard)), len(heard) - len(set(heard))
