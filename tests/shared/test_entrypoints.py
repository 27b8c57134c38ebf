"""Workers under nameko, as the processes that they are: killed, stopped, failing."""

from __future__ import annotations

import re
import signal
import time

import pytest

from services.shared import repairs
from services.shared.entrypoints import assemble, subscriptions
from tests.shared.conftest import World, wait_until
from tests.shared.event_world import HearerWorker, Memory


def ticks(world: World) -> int:
    with world.hearer.transaction(write=False) as tx:
        return int(tx.execute("SELECT count(*) FROM tick")[0][0])


def pids(world: World) -> set[int]:
    """The processes that have ticked."""
    with world.hearer.transaction(write=False) as tx:
        return {int(pid) for (pid,) in tx.execute("SELECT DISTINCT pid FROM tick")}


def test_a_worker_hears_all_survives_kill_9_and_stops_cleanly(world: World) -> None:
    relayed = world.process("relay")
    worker = world.process("worker")
    for _ in range(3):
        world.say(*["word"] * 300)
        time.sleep(0.15)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        worker = world.process("worker")
    world.say(*["word"] * 100)
    assert wait_until(lambda: world.all_heard() and worker.pid in pids(world), 60)
    assert ticks(world) > 0
    beat = world.common.data / "run" / "hearer-worker.alive"
    assert time.time() - beat.stat().st_mtime < 5
    started = time.monotonic()
    worker.terminate()
    assert worker.wait(20) == 0
    relayed.terminate()
    assert relayed.wait(20) == 0
    assert time.monotonic() - started < 5


def test_two_workers_of_one_group_double_nothing(world: World) -> None:
    world.process("relay")
    workers = [world.process("worker") for _ in range(2)]
    for _ in range(5):
        world.say(*["word"] * 100)
        time.sleep(0.2)
    assert wait_until(lambda: {worker.pid for worker in workers} <= pids(world), 30)
    workers[0].terminate()
    assert workers[0].wait(20) == 0
    world.say(*["word"] * 100)
    assert wait_until(world.all_heard, 60)


def test_a_failing_handler_ends_the_process_with_one_line(world: World) -> None:
    world.say("one", "disaster", key="k")
    world.tell()
    worker = world.process("worker")
    assert worker.wait(30) == 1
    lines = world.output(worker).splitlines()
    failures = [line for line in lines if "RuntimeError" in line]
    assert len(failures) == 1 and '"level": "critical"' in failures[0]
    assert not any("Traceback" in line for line in lines)
    assert world.heard() == []


def test_poison_under_nameko_is_buried_listed_and_replayed(world: World) -> None:
    world.say("one", "poison", "three", key="k")
    world.tell()
    worker = world.process("worker")
    assert wait_until(lambda: len(repairs.dead_letters(world.hearer)) == 1, 30)
    assert wait_until(lambda: world.heard() == [("a", 1), ("a", 3)], 30)
    listed = world.process("worker", "dead-letters", "list")
    assert listed.wait(20) == 0
    said = world.output(listed)
    assert "Unheard" in said
    (world.common.data / "cured").touch()
    found = re.search(r"^(\d+) ", said, re.MULTILINE)
    assert found
    replayed = world.process("worker", "dead-letters", "replay", found[1])
    assert replayed.wait(20) == 0
    assert world.heard() == [("a", 1), ("a", 2), ("a", 3)]
    worker.terminate()
    assert worker.wait(20) == 0


@pytest.mark.parametrize("engine", ["embedded"])
def test_a_worker_shows_its_metrics_where_a_port_is_set(world: World) -> None:
    import urllib.request

    from deploy.servers import free_port

    port = free_port()
    worker = world.process("worker", more={"PARVIS_METRICS_PORT": str(port)})
    world.say("word")
    world.tell()
    assert wait_until(world.all_heard)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        assert f'parvis_events_applied_total{{topic="{world.topic}"}} 1.0' in answer.read().decode()
    worker.terminate()
    assert worker.wait(20) == 0


@pytest.mark.parametrize("engine", ["embedded"])
def test_handlers_run_without_nameko_too(world: World) -> None:
    worker = assemble(HearerWorker, world.common, world.hearer)
    assert isinstance(worker.memory, Memory)
    found = subscriptions(worker)
    world.topic = next(iter(found))
    world.say("word")
    world.tell()
    subscription = found[world.topic]
    assert subscription.since == "beginning"
    assert world.member(handle=subscription.handle).turn_until(world.all_heard)


@pytest.mark.parametrize("engine", ["embedded"])
def test_a_given_instance_is_provided_instead_of_a_new_one(world: World) -> None:
    given = Memory(world.common, world.hearer)
    assert assemble(HearerWorker, world.common, world.hearer, {Memory: given}).memory is given


def test_importing_workers_changes_nothing_of_this_process() -> None:
    """nameko's loop is put in place by run_worker alone: tests and other doors import worker classes freely."""
    import eventlet.patcher

    assert not eventlet.patcher.is_monkey_patched("socket")
