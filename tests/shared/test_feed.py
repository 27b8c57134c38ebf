"""Consumers over real logs and stores: what is lost, doubled, poisoned or restored."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from prometheus_client import REGISTRY

from services.shared import relay, repairs, tracking
from services.shared.chain import Decision, Tracked, Walk, decide, plan
from services.shared.eventlog import Feed, Message
from services.shared.feed import Batch, Subscription, Told, run
from services.shared.store import Tx
from tests.shared.conftest import World, wait_until
from tests.shared.event_world import Unheard, cure, remember


def message(position: int, previous: int = 0, *, incarnation: str = "i", start: int = 0) -> Message:
    return Message("t", "k", b"", f"s/a/{incarnation}", position, previous, start, "Said", 1, str(position), 0)


@pytest.mark.parametrize(
    "tracked, position, previous, wanted",
    [
        (5, 5, 4, Decision.SEEN),
        (5, 3, 0, Decision.SEEN),
        (5, 6, 5, Decision.APPLY),
        (5, 9, 5, Decision.APPLY),
        (5, 9, 3, Decision.APPLY),
        (5, 9, 7, Decision.GAP),
        (0, 1, 0, Decision.APPLY),
        (0, 4, 2, Decision.GAP),
    ],
)
def test_the_chain_decides_what_is_seen_applied_or_missing(
    tracked: int, position: int, previous: int, wanted: Decision
) -> None:
    assert decide(Tracked("i", tracked), message(position, previous)) is wanted


def test_another_incarnation_stops_unless_it_is_a_past_one() -> None:
    assert decide(Tracked("new", 5), message(6, 5, incarnation="old")) is Decision.STOP
    assert decide(Tracked("new", 5, frozenset({"old"})), message(6, 5, incarnation="old")) is Decision.SEEN


def test_a_plan_applies_up_to_the_stop_and_never_over_a_gap() -> None:
    batch = [message(1), message(2, 1), message(4, 3), message(5, 4), message(3, 2), message(9, incarnation="x")]
    found = plan({"s/a": Tracked("i", 0)}, [*batch, message(10, 3)])
    assert [m.position for m in found.apply] == [1, 2, 3]
    assert found.gaps == {"s/a": 5}
    assert found.stop == batch[-1]


def test_a_walk_goes_back_once_a_gap_and_acknowledges_nothing_until_it_is_closed() -> None:
    walk = Walk()
    walk.note({"s/a": 4}, {"s/a": 1})
    assert not walk.may_ack()
    assert not walk.seek(at_end=False)
    assert walk.seek(at_end=True)
    assert not walk.seek(at_end=True)
    walk.note({}, {"s/a": 4})
    assert walk.may_ack()
    walk.note({"s/a": 9}, {"s/a": 4})
    assert walk.seek(at_end=True)


def test_effects_happen_once_though_all_is_told_twice(world: World) -> None:
    world.say(*["word"] * 60, *["silence"] * 5, *["word"] * 20)
    world.tell()
    member = world.member()
    assert member.turn_until(world.all_heard)
    assert world.again(0) == 80
    member.turn_for(0.6)
    assert world.all_heard()
    assert world.lag() == 0


def test_a_restarted_consumer_goes_on_where_its_effects_end(world: World) -> None:
    world.say(*["word"] * 30)
    world.tell()
    first = world.member()
    assert first.turn_until(world.all_heard)
    first.feed.close()
    world.say(*["word"] * 30)
    world.tell()
    assert world.member().turn_until(world.all_heard)


def test_a_skipped_message_shows_as_a_gap_and_heals_on_again_from_without_a_restart(world: World) -> None:
    world.say("one", "two", "three", "four", key="k")
    world.tell(lost=[2])
    member = world.member()
    assert member.turn_until(lambda: gap(world) == 1)
    member.turn_for(0.3)
    assert world.heard() == [("a", 1)]
    assert world.lag() == 3
    world.say("five", key="k")
    world.tell()
    member.turn_for(0.3)
    assert world.heard() == [("a", 1)], "nothing is applied over a gap"
    world.again(2)
    assert member.turn_until(lambda: world.all_heard() and gap(world) == 0)
    assert world.lag() == 0


def test_a_gap_is_healed_by_what_the_log_already_holds_after_one_look_back(world: World) -> None:
    """An expired batch was overtaken: 3 landed before 2, which came late; 3 is found again at the oldest offset."""
    world.say("one", "two", "three", key="k")
    world.tell(lost=[2])
    late = world.producer()
    told: dict[int, Message] = {}

    class Catch:
        def send(self, messages: Sequence[Message]) -> None:
            told.update({m.position: m for m in messages})

        def close(self) -> None: ...

    world.relay(Catch()).again(0)
    late.send([told[2]])
    member = world.member()
    assert member.turn_until(world.all_heard)
    assert gap(world) == 0


def test_the_last_message_lost_shows_as_a_lag_that_does_not_shrink(world: World) -> None:
    world.say("one", "two", "three", key="k")
    world.tell(lost=[3])
    member = world.member()
    assert member.turn_until(lambda: len(world.heard()) == 2)
    member.turn_for(0.5)
    assert gap(world) == 0, "nothing after it tells that it is missing"
    assert world.lag() == 1
    world.again(3)
    assert member.turn_until(world.all_heard)
    assert world.lag() == 0


def test_wiped_topics_are_rebuilt_from_the_stores(world: World) -> None:
    world.say(*["word"] * 40)
    world.tell()
    first = world.member()
    assert first.turn_until(world.all_heard)
    first.feed.close()
    wipe(world)
    world.say(*["word"] * 10)
    world.again(0)
    world.tell()
    member = world.member()
    assert member.turn_until(world.all_heard)
    assert world.lag() == 0
    newcomer: list[int] = []
    fresh = world.feed("newcomer")
    fresh.start({})
    assert wait_until(lambda: collect(fresh, newcomer) >= 50)


def test_a_restored_older_store_stops_its_consumers_until_it_is_accepted(world: World) -> None:
    world.say("one", "two", key="k")
    world.tell()
    copy = backup(world)
    world.say("three", "four", "five", key="k")
    world.tell()
    member = world.member()
    assert member.turn_until(world.all_heard)

    restore(world, copy)
    world.say("other three", "other four", key="k")
    world.tell()
    assert member.turn_until(lambda: stopped(world) == 1)
    member.turn_for(0.3)
    assert len(world.heard()) == 5, "nothing of the restored store is applied before somebody looked"

    said = repairs.accept_restore(world.hearer, world.feed("operator"))
    assert any("goes on after 2" in sentence for sentence in said)
    assert any(sentence.endswith("effects without an event: 3, 4, 5") for sentence in said)
    assert member.turn_until(lambda: len(world.heard()) == 7 and stopped(world) == 0)
    assert repairs.accept_restore(world.hearer, world.feed("operator")) == []
    world.again(0)
    member.turn_for(0.5)
    assert len(world.heard()) == 7


def test_a_consumer_that_starts_after_an_accepted_restore_reads_past_the_old_incarnation(world: World) -> None:
    world.say("one", "two", key="k")
    copy_before = backup(world)
    world.tell()
    member = world.member()
    assert member.turn_until(world.all_heard)
    restore(world, copy_before)
    world.say("three", key="k")
    world.tell()
    assert member.turn_until(lambda: stopped(world) == 1)
    repairs.accept_restore(world.hearer, world.feed("operator"))
    member.feed.close()
    again = world.member()
    assert again.turn_until(world.all_heard)
    world.say("four", key="k")
    world.tell()
    assert again.turn_until(world.all_heard)


def test_two_consumers_with_the_same_batch_one_paused_double_nothing(world: World) -> None:
    """Both read the same messages; one sleeps between reading and writing while the other applies them."""
    world.say(*["word"] * 20, key="k")
    world.tell()
    feed = world.feed("reader")
    feed.start({})
    batch: list[Message] = []
    assert wait_until(lambda: gather(feed, batch) == 20)
    stream = (world.topic, batch[0].partition)
    inside, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx, told: Told) -> None:
        inside.set()
        assert go_on.wait(10)
        remember(tx, told)

    paused = threading.Thread(target=Batch(stream, batch, world.hearer, Walk()).run, args=(slow,))
    paused.start()
    assert inside.wait(10)
    other = threading.Thread(target=Batch(stream, batch, world.hearer, Walk()).run, args=(remember,))
    other.start()
    go_on.set()
    paused.join(20)
    other.join(20)
    Batch(stream, batch, world.hearer, Walk()).run(remember)  # and one that wakes long after
    assert world.all_heard()


def test_poison_becomes_a_dead_letter_after_five_attempts_and_the_partition_goes_on(world: World) -> None:
    attempts: list[int] = []

    def handle(tx: Tx, told: Told) -> None:
        if told.value.startswith(b"poison"):
            attempts.append(told.position)
        remember(tx, told)

    world.say("one", "poison", "three", "poison too", "five", key="k")
    world.tell()
    assert world.member(handle=handle).turn_until(lambda: len(world.heard()) == 3)
    assert attempts == [2] * 5 + [4] * 5
    assert world.heard() == [("a", 1), ("a", 3), ("a", 5)], "what a refused message did is undone"
    letters = repairs.dead_letters(world.hearer)
    assert [(x.message.position, x.code, x.message.value) for x in letters] == [
        (2, "Unheard", b"poison"),
        (4, "Unheard", b"poison too"),
    ]
    assert world.lag() == 0


def test_a_dead_letter_is_replayed_once_and_stays_while_it_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARVIS_DATA", str(world.common.data))
    world.say("poison", "poison", key="k")
    world.tell()
    member = world.member()
    assert member.turn_until(lambda: len(repairs.dead_letters(world.hearer)) == 2)
    first, second = (letter.id for letter in repairs.dead_letters(world.hearer))
    handlers = {world.topic: remember}
    with pytest.raises(Unheard):
        repairs.replay(world.hearer, first, handlers)
    assert len(repairs.dead_letters(world.hearer)) == 2 and world.heard() == []
    cure().touch()
    repairs.replay(world.hearer, first, handlers)
    with pytest.raises(repairs.NoSuchDeadLetter):
        repairs.replay(world.hearer, first, handlers)
    repairs.drop(world.hearer, second)
    with pytest.raises(repairs.NoSuchDeadLetter):
        repairs.drop(world.hearer, second)
    world.again(0)
    member.turn_for(0.4)
    assert world.heard() == [("a", 1)]


def test_since_now_leaves_the_past_alone_and_misses_nothing_that_follows(world: World) -> None:
    world.say(*["past"] * 20)
    world.tell()
    first = world.member(since="now")
    first.turn_for(0.5)
    assert world.heard() == []
    first.feed.close()
    world.say(*["while away"] * 10)
    world.say("of a new source", shard="b")
    world.tell()
    second = world.member(since="now")
    wanted = [("a", position) for position in range(21, 31)] + [("b", 1)]
    assert second.turn_until(lambda: world.heard() == wanted)
    world.again(0)
    second.turn_for(0.4)
    assert world.heard() == wanted


def test_any_other_failure_leaves_no_effect_and_ends_the_loop(world: World) -> None:
    world.say("one", "disaster", key="k")
    world.tell()
    with pytest.raises(SystemExit) as left:
        run(world.feed(), world.hearer, {world.topic: Subscription(remember)}, lambda: False)
    assert left.value.code == 1
    assert world.heard() == []
    assert repairs.dead_letters(world.hearer) == []
    with world.hearer.transaction(write=False) as tx:
        assert all(row.position == 0 for row in tracking.every(tx).values())


def test_the_operators_commands_say_what_they_did(world: World) -> None:
    world.say("poison", key="k")
    world.tell()
    assert world.member().turn_until(lambda: len(repairs.dead_letters(world.hearer)) == 1)
    number = str(repairs.dead_letters(world.hearer)[0].id)
    said: list[str] = []

    def command(*words: str) -> int:
        handlers = {world.topic: Subscription(remember)}
        return repairs.command(words, world.hearer, lambda: handlers, lambda: world.feed("operator"), said.append)

    assert command("dead-letters", "list") == 0
    assert "Unheard" in said[-1] and said[-1].startswith(number)
    assert command("dead-letters", "replay", number) == 1
    assert said[-1] == "Unheard: the text begins with poison"
    assert command("dead-letters", "drop", number) == 0
    assert command("dead-letters", "drop", number) == 1
    assert command("accept-restore") == 0 and said[-1] == "nothing waits"
    assert command("dead-letters") == 2


def gap(world: World) -> float:
    return _sum("parvis_event_gap_open", world)


def stopped(world: World) -> float:
    return _sum("parvis_event_partition_stopped", world)


def _sum(name: str, world: World) -> float:
    samples = [s for metric in REGISTRY.collect() if metric.name == name for s in metric.samples]
    return sum(s.value for s in samples if s.labels["topic"] == world.topic)


def collect(feed: Feed, positions: list[int]) -> int:
    found: list[Message] = []
    gather(feed, found)
    positions += [m.position for m in found]
    return len(set(positions))


def gather(feed: Feed, messages: list[Message]) -> int:
    for batch in feed.read(timeout=0.05).values():
        messages += [delivery.message for delivery in batch]
    return len(messages)


def wipe(world: World) -> None:
    """The log is gone, as after the loss of its disks."""
    if world.common.engine == "embedded":
        for file in world.common.data.glob("eventlog.db*"):
            file.unlink()
        return
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=world.common.kafka.split(","))
    admin.delete_topics([world.topic])
    # Brokers learn of it one after another, and any of them may be asked.
    assert wait_until(lambda: all(world.topic not in admin.list_topics() for _ in range(8)))
    admin.close()
    world.make_topic()


Copy = dict[str, list[tuple[object, ...]]]


def backup(world: World) -> Copy:
    """The rows of the teller's tables, as a backup would hold them."""
    with world.teller.transaction(write=False) as tx:
        return {table: tx.execute(f"SELECT * FROM {table}") for table in ("fact", "relay_state")}


def restore(world: World, copy: Copy) -> None:
    """The store as it was at the backup; then what `restore` must do before anything is written."""
    with world.teller.transaction() as tx:
        for table, rows in copy.items():
            tx.execute(f"DELETE FROM {table}")
            for row in rows:
                tx.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    from tests.shared.event_world import facts

    relay.restored(world.teller, lambda: facts(world.teller))
