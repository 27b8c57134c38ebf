"""A teller, a hearer and an event log between them, on each engine."""

from __future__ import annotations

import dataclasses
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from deploy.servers import Kafka, Postgres
from services.shared import relay, tracking
from services.shared.eventlog import Feed, Message, Producer, open_feed, open_producer
from services.shared.feed import Loop, Since, Subscription, lag
from services.shared.settings import Common
from services.shared.store import open_database
from tests.shared import event_world
from tests.shared.fixtures_servers import kafka_server as kafka_server
from tests.shared.fixtures_servers import postgres_server as postgres_server

PROGRAM = Path(event_world.__file__)
ROOT = PROGRAM.parents[2]
_numbers = itertools.count(1)


class Forgetful:
    """A producer that leaves out some positions, as a log that lost them would."""

    def __init__(self, producer: Producer, lost: Sequence[int]) -> None:
        self.producer = producer
        self.lost = lost

    def send(self, messages: Sequence[Message]) -> None:
        self.producer.send([m for m in messages if m.position not in self.lost])

    def close(self) -> None:
        self.producer.close()


@dataclasses.dataclass
class Member:
    """One consumer of the test's group, turned by hand."""

    feed: Feed
    loop: Loop

    def turn_until(self, done: Callable[[], bool], seconds: float = 20) -> bool:
        until = time.monotonic() + seconds
        while not done():
            if time.monotonic() > until:
                return False
            self.loop.turn(timeout=0.05)
        return True

    def turn_for(self, seconds: float) -> None:
        self.turn_until(lambda: False, seconds)


class World:
    """Stores of their own, a topic of its own, and everything that runs closed at the end."""

    def __init__(self, common: Common, part: str) -> None:
        self.common = common
        self.part = part
        self.topic = f"parvis.test.{part}"
        self.teller = open_database(common, "teller", part)
        self.hearer = open_database(common, "hearer", part)
        self.teller.migrate(event_world.TELLER_STEPS)
        self.hearer.migrate(event_world.HEARER_STEPS)
        self._outputs: dict[int, Path] = {}
        self._closing: list[Callable[[], object]] = [self.teller.close, self.hearer.close]
        if common.engine == "region":
            self.make_topic()

    def make_topic(self) -> None:
        from services.shared.eventlog.kafka import create_topics

        create_topics(self.common.kafka, [self.topic], 1)

    def say(self, *texts: str, key: str | None = None, shard: str = "a") -> None:
        """One fact a text; without a key, keys spread over the partitions."""
        with self.teller.transaction():
            for text in texts:
                key_now = key or f"key-{next(_numbers)}"
                event_world.say(self.teller, [key_now], shard=shard, text=text, topic=self.topic)

    def producer(self) -> Producer:
        producer = open_producer(self.common)
        self._closing.append(producer.close)
        return producer

    def relay(self, producer: Producer | None = None) -> relay.Relay:
        return relay.Relay(self.teller, producer or self.producer(), lambda: event_world.facts(self.teller))

    def tell(self, *, lost: Sequence[int] = ()) -> None:
        """Relays all that is said, but the positions that the log is to lose."""
        teller = self.relay(Forgetful(self.producer(), lost))
        while teller.step():
            continue

    def again(self, start: int) -> int:
        return self.relay().again(start)

    def feed(self, group: str = "hearer") -> Feed:
        feed = open_feed(self.common, f"{group}-{self.part}", [self.topic])
        self._closing.append(feed.close)
        return feed

    def member(self, since: Since = "beginning", handle: event_world.Hearing = event_world.remember) -> Member:
        subscription = Subscription(handle, since)
        feed = self.feed()
        loop = Loop(feed, self.hearer, {self.topic: since}, lambda batch: batch.run(subscription.handle))
        loop.start()
        return Member(feed, loop)

    def said(self) -> list[tuple[str, int]]:
        return event_world.said(self.teller, self.topic)

    def heard(self) -> list[tuple[str, int]]:
        return event_world.heard(self.hearer)

    def all_heard(self) -> bool:
        return self.heard() == self.said()

    def lag(self) -> int:
        with self.hearer.transaction(write=False) as tx:
            tracked = {where: place.position for where, place in tracking.places(tx).items()}
        return lag(relay.heads(self.teller), tracked)

    def process(self, *arguments: str, more: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """The program of this world: `relay …` or `worker …`. Killed at the end of the test when still there."""
        named = {
            "PARVIS_DATA": str(self.common.data),
            "PARVIS_ENGINE": self.common.engine,
            "PARVIS_KAFKA": self.common.kafka,
            "PARVIS_POSTGRES": self.common.postgres,
            "TEST_TOPIC": self.topic,
            "TEST_PART": self.part,
            "PYTHONPATH": str(ROOT),
        }
        output = self.common.data / f"output-{next(_numbers)}"
        with output.open("wb") as out:
            command = [sys.executable, str(PROGRAM), *arguments]
            environment = {**os.environ, **named, **(more or {})}
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
        self._outputs[process.pid] = output

        def end() -> None:
            process.kill()
            process.wait()

        self._closing.append(end)
        return process

    def output(self, process: subprocess.Popen[bytes]) -> str:
        """What a process of this world printed so far."""
        return self._outputs[process.pid].read_text()

    def close(self) -> None:
        for close in reversed(self._closing):
            close()


def wait_until(done: Callable[[], bool], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(params=["embedded", pytest.param("region", marks=pytest.mark.region)])
def engine(request: pytest.FixtureRequest) -> str:
    """SQLite with the local log, then PostgreSQL with Kafka."""
    return str(request.param)


@pytest.fixture
def common(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Common:
    if engine == "region":
        return cast(Common, request.getfixturevalue("region"))
    return dataclasses.replace(Common.from_env(), data=tmp_path)


@pytest.fixture
def region(tmp_path: Path, postgres_server: Postgres, kafka_server: Kafka) -> Common:
    """Settings of the real servers, for what exists on them alone."""
    common = dataclasses.replace(Common.from_env(), data=tmp_path, engine="region")
    return dataclasses.replace(common, postgres=postgres_server.url, kafka=kafka_server.address)


@pytest.fixture
def world(common: Common) -> Iterator[World]:
    made = World(common, f"w{os.getpid()}n{next(_numbers)}")
    yield made
    made.close()


@pytest.fixture
def region_world(region: Common) -> Iterator[World]:
    made = World(region, f"w{os.getpid()}n{next(_numbers)}")
    yield made
    made.close()
