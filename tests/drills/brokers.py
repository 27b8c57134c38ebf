"""Three real brokers and a real PostgreSQL: brokers killed with -9 under load, topics wiped, messages lost, a restore.

Checks: whatever Kafka loses or stops, each event has its effect exactly once and in order; after two of three brokers
come back, events flow again within 15 seconds; what Kafka forgot is seen, never skipped, and told again from the
store; a source restored to an older copy is not followed before somebody accepts it.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from deploy import server_programs
from deploy.servers import Kafka
from services.shared.feed import Loop
from services.shared.store import open_database
from tests import doors
from tests.drills._telling import Load, RegionWorld, Supervised, Watch, all_heard, leaders, region
from tests.shared import event_world
from tests.shared.conftest import Member, World, wait_until
from tests.shared.test_feed import backup, restore, wipe

PACE: Final = 150  # facts a second
FLOWS_WITHIN: Final = 15.0
FLOWS: Final = "every partition flows again s after both accept connections"
GAP: Final = "parvis_event_gap_open"
STOPPED: Final = "parvis_event_partition_stopped"


def main(smoke: bool, seed: int) -> dict[str, object]:
    chance = random.Random(seed)
    away = 8 if smoke else 20
    figures: dict[str, object] = {"facts a second": PACE, "seconds that killed brokers stay away": away}
    with tempfile.TemporaryDirectory(prefix="parvis-brokers-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's own user must reach its folder
        with region(folder, brokers=3) as (common, kafka):
            world = RegionWorld(common, "storm")
            try:
                figures |= storm(world, kafka, away, chance, strict=not smoke)
                figures |= wiped(world)
            finally:
                world.close()
            world = RegionWorld(common, "losses")
            try:
                figures |= losses(world)
            finally:
                world.close()
    return figures


def storm(world: RegionWorld, kafka: Kafka, away: int, chance: random.Random, *, strict: bool) -> dict[str, object]:
    """Parts a and b: brokers die under load."""
    with Supervised(world, "relay") as relay, Supervised(world, "worker") as worker, Watch(world) as watch:
        with Load(world, PACE, chance) as load:
            assert wait_until(lambda: watch.all_moved(0, 2 * PACE) is not None, 60), "nothing flows"
            stop = leader_killed(world, kafka, watch, away)
            relay_ends = relay.ends
            assert wait_until(lambda: all(broker_in_sync(kafka, world)), 60), "the killed broker did not come back"
            back = two_killed(world, kafka, watch, away, chance, load)
            if strict:
                assert back[FLOWS] <= FLOWS_WITHIN, back
            pace = load.stop()
        said, lost, doubled = all_heard(world, 90)
        assert (lost, doubled) == (0, 0), (said, lost, doubled)
        assert world.all_in_order()
        found = {"relay ends: leader": relay_ends, "two": relay.ends - relay_ends, "worker ends": worker.ends}
    return {
        "leader killed: longest stop s": round(stop, 1), **back, "facts told under load": said, "lost": lost,
        "doubled": doubled, "pace reached": round(pace), "processes started again": found,
        "slowest look of the drill s": round(watch.slowest_look, 2),
    }  # fmt: skip


def leader_killed(world: World, kafka: Kafka, watch: Watch, away: int) -> float:
    """The longest that any partition stood still, from the kill until the broker had been back for a while."""
    victim = leaders(world.common, world.topic).most_common(1)[0][0]
    began = time.monotonic()
    kafka.kill_broker(victim)
    time.sleep(away)
    kafka.start_broker(victim)
    wait_until(lambda: accepting(kafka, [victim]), 60)
    time.sleep(3 if away < 10 else 10)
    return watch.longest_stop(began, time.monotonic() - 0.2)


def two_killed(
    world: RegionWorld, kafka: Kafka, watch: Watch, away: int, chance: random.Random, load: Load
) -> dict[str, float]:
    victims = chance.sample((1, 2, 3), 2)
    for victim in victims:
        kafka.kill_broker(victim)
    time.sleep(away)
    beyond = load.said
    started = time.monotonic()
    for victim in victims:
        kafka.start_broker(victim)
    assert wait_until(lambda: accepting(kafka, victims), 60), "the brokers did not come back"
    accepted = time.monotonic()
    assert wait_until(lambda: watch.all_moved(started, beyond) is not None, 120), "nothing flows any more"
    first, flowing, level = watch.first_move(started), watch.all_moved(started, 0), watch.all_moved(started, beyond)
    assert first is not None and flowing is not None and level is not None
    return {
        "two of three killed: processes accept connections s after their start": round(accepted - started, 1),
        "the first event is heard s after both accept connections": round(first - accepted, 1),
        FLOWS: round(flowing - accepted, 1),
        "all that waited is heard s after both accept connections": round(level - accepted, 1),
    }


def accepting(kafka: Kafka, numbers: list[int]) -> bool:
    ports = [int(address.rsplit(":", 1)[1]) for address in kafka.address.split(",")]
    return all(server_programs.kafka_answers(ports[number - 1]) for number in numbers)


def broker_in_sync(kafka: Kafka, world: World) -> list[bool]:
    """Per partition: all three brokers hold it in full."""
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=kafka.address.split(","))
    try:
        [told] = admin.describe_topics([world.topic])
    finally:
        admin.close()
    return [len(p["isr_nodes"]) == 3 for p in told["partitions"]]


def wiped(world: RegionWorld) -> dict[str, object]:
    """Part c: the topic is gone; all is told again from the store, to the old consumer and to a new one."""
    wipe(world)
    began = time.monotonic()
    again(world, 0)
    telling = time.monotonic() - began
    newcomer = open_database(world.common, "hearer", f"{world.part}-new")
    newcomer.migrate(event_world.HEARER_STEPS)
    feed = world.feed("newcomer")
    loop = Loop(feed, newcomer, {world.topic: "beginning"}, lambda batch: batch.run(event_world.remember))
    loop.start()
    said = world.said()
    assert Member(feed, loop).turn_until(lambda: event_world.heard(newcomer) == said, 60), "not all was heard"
    newcomer.close()
    before = world.heard()
    with Supervised(world, "worker", port=doors.free_port()):
        world.say("after the wipe", key="k")
        with Supervised(world, "relay"):
            assert wait_until(lambda: len(world.heard()) == len(before) + 1, 30), "the old consumer does not go on"
    assert world.all_in_order()
    return {
        "topics wiped: told again": len(said),
        "told again in s": round(telling, 1),
        "heard once by a new one": True,
    }


def losses(world: RegionWorld) -> dict[str, object]:
    """Parts d to f, with a worker that is a process of its own and never started again."""
    with Supervised(world, "worker", port=doors.free_port()) as worker:
        world.say(*["word"] * 40)
        world.say(*["word"] * 3, key="k")
        world.tell()
        assert wait_until(world.all_in_order, 40)
        figures = {
            "one message lost: seen as a gap, healed in s": one_lost(world, worker),
            "last message lost: seen as a lag, healed in s": last_lost(world, worker),
            "older copy restored: stopped, then accepted in s": older_copy(world, worker),
        }
        assert worker.ends == 0
    return figures


def one_lost(world: RegionWorld, worker: Supervised) -> float:
    lost = last_said(world) + 1
    world.say("lost", "kept", "kept", key="k")
    world.say(*["word"] * 20)
    world.tell(lost=[lost])
    assert wait_until(lambda: worker.gauge(GAP) == 1)
    assert wait_until(lambda: world.lag() == lag_behind(world, lost))
    steady(lambda: world.prefixes() and not world.all_heard() and worker.gauge(GAP) == 1)
    assert ("a", lost + 1) not in world.heard(), "applied over a gap"
    return healed(world, worker, lost)


def last_lost(world: RegionWorld, worker: Supervised) -> float:
    world.say("kept", "lost", key="k")
    lost = last_said(world)
    world.tell(lost=[lost])
    assert wait_until(lambda: world.lag() == 1)
    steady(lambda: world.lag() == 1 and world.prefixes() and worker.gauge(GAP) == 0)
    return healed(world, worker, lost)


def older_copy(world: RegionWorld, worker: Supervised) -> float:
    """The store forgets two facts whose effects stand, then says others under the same numbers."""
    copy, end = backup(world), last_said(world)
    world.say("forgotten", "forgotten", key="k")
    world.tell()
    assert wait_until(world.all_in_order)
    effects = len(world.heard())
    restore(world, copy)
    world.say("other", "other", "other", key="k")
    world.tell()
    assert wait_until(lambda: worker.gauge(STOPPED) == 1)
    steady(lambda: len(world.heard()) == effects and worker.gauge(STOPPED) == 1)
    began = time.monotonic()
    operator = world.process("worker", "accept-restore")
    assert operator.wait(40) == 0, world.output(operator)
    said = world.output(operator)
    assert f"effects without an event: {end + 1}, {end + 2}" in said, said
    assert wait_until(lambda: len(world.heard()) == effects + 3 and worker.gauge(STOPPED) == 0)
    assert wait_until(lambda: world.lag() == 0)
    return round(time.monotonic() - began, 1)


def healed(world: RegionWorld, worker: Supervised, lost: int) -> float:
    began = time.monotonic()
    again(world, lost)
    assert wait_until(lambda: world.all_in_order() and worker.gauge(GAP) == 0 and world.lag() == 0)
    return round(time.monotonic() - began, 1)


def again(world: World, start: int) -> None:
    process = world.process("relay", "--again-from", str(start))
    assert process.wait(90) == 0, world.output(process)


def last_said(world: World) -> int:
    return world.said()[-1][1]


def lag_behind(world: RegionWorld, lost: int) -> int:
    """Positions between the last one applied before the lost one and the last told, in the lost one's partition."""
    told = next(positions for positions in world.told().values() if lost in positions)
    return told[-1] - told[told.index(lost) - 1]


def steady(holds: Callable[[], bool], seconds: float = 2.0) -> None:
    """It holds now and goes on to hold: nothing heals by itself, and nothing is skipped over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert holds()
        time.sleep(0.2)
