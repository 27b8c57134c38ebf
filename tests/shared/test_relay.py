"""What a store tells reaches the log chained, in order, and again after any crash."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from services.shared import relay
from services.shared.chain import Row, State, tell
from services.shared.eventlog import Message, SendFailed, partition_of
from services.shared.relay import RelayStopped
from services.shared.store import LockHeld
from tests.shared.conftest import World, wait_until
from tests.shared.event_world import facts


class Memory:
    """A log in memory; it can refuse the next batch after having taken a part of it."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.refuse_after: int | None = None

    def send(self, messages: Sequence[Message]) -> None:
        if self.refuse_after is not None:
            self.messages += messages[: self.refuse_after]
            raise SendFailed("no acknowledgement")
        self.messages += messages

    def close(self) -> None: ...


def test_each_message_names_the_one_before_it_on_its_partition() -> None:
    rows = [Row(1, "t", "a"), Row(2, "t", "c"), Row(3), Row(4, "t", "a"), Row(7, "u", "a"), Row(8, "t", "c")]
    messages, state = tell("s/a", State("i", start=2), rows)
    assert [(m.position, m.previous, m.partition) for m in messages] == [
        (1, 0, 10),
        (2, 0, 2),
        (4, 1, 10),
        (7, 0, 10),
        (8, 2, 2),
    ]
    assert {m.source for m in messages} == {"s/a/i"} and {m.start for m in messages} == {2}
    assert state.position == 8
    assert state.last == {("t", 10): 4, ("t", 2): 8, ("u", 10): 7}


def test_a_source_whose_positions_do_not_rise_is_not_relayed() -> None:
    with pytest.raises(ValueError, match="told position 4 after 4"):
        tell("s/a", State("i", position=4), [Row(4)])


def test_rows_that_tell_nothing_advance_the_position(world: World) -> None:
    world.say("silence", "silence")
    log = Memory()
    assert world.relay(log).step() == 2
    assert world.relay(log).step() == 0
    assert log.messages == []


def test_a_failed_send_moves_nothing_and_the_next_relay_sends_again(world: World) -> None:
    world.say("one", "two", "three", key="k")
    log = Memory()
    log.refuse_after = 2
    with pytest.raises(SendFailed):
        world.relay(log).step()
    log.refuse_after = None
    assert world.relay(log).step() == 3
    assert [(m.position, m.previous) for m in log.messages] == [(1, 0), (2, 1), (1, 0), (2, 1), (3, 2)]


def test_a_relay_that_lost_the_swap_stops(world: World) -> None:
    world.say("one")
    first, second = world.relay(Memory()), world.relay(Memory())
    assert first.step() == 1 and second.step() == 0
    world.say("two")
    assert second.step() == 1
    with pytest.raises(RelayStopped, match="another relay"):
        first.step()


def test_only_one_relay_of_a_store_holds_its_lock(world: World) -> None:
    with world.teller.exclusive("relay"):
        refused = world.process("relay")
        assert refused.wait(20) == 1
        assert LockHeld.__name__ in world.output(refused)


def test_sources_that_appear_are_relayed_from_then_on(world: World) -> None:
    log = Memory()
    walker = world.relay(log)
    world.say("one", shard="a")
    walker.step()
    world.say("one", shard="b")
    walker.step()
    assert [m.shard for m in log.messages] == ["teller/a", "teller/b"]


def test_a_repeat_computes_the_same_chain_sends_from_its_start_and_leaves_the_row_alone(world: World) -> None:
    world.say("one", "two", "silence", "four", "five", key="k")
    log = Memory()
    world.relay(log).step()
    first, heads = list(log.messages), relay.heads(world.teller)
    world.say("six", key="k")
    log.messages.clear()
    assert world.relay(log).again(4) == 2
    assert log.messages == [m for m in first if m.position >= 4]
    assert relay.heads(world.teller) == heads
    with pytest.raises(RelayStopped, match="no source"):
        world.relay(log).again(0, "teller/nobody")


def test_a_new_incarnation_begins_where_the_store_ended_and_keeps_the_chain(world: World) -> None:
    world.say("one", "two", key="k")
    log = Memory()
    world.relay(log).step()
    world.say("three", key="k")
    incarnation = relay.restored(world.teller, lambda: facts(world.teller))
    world.say("four", key="k")
    world.relay(log).step()
    partition = partition_of("k")
    assert [(m.position, m.previous, m.start, m.incarnation) for m in log.messages[2:]] == [
        (3, 2, 3, incarnation),
        (4, 3, 3, incarnation),
    ]
    assert relay.heads(world.teller) == {(world.topic, partition, "teller/a"): 4}


def test_a_store_restored_without_saying_so_is_not_relayed(world: World) -> None:
    from services.shared.store import renew_incarnation

    world.say("one")
    world.relay(Memory()).step()
    with world.teller.transaction() as tx:
        renew_incarnation(tx)
    with pytest.raises(RelayStopped, match="restored"):
        world.relay(Memory()).step()


def test_the_relay_process_tells_stops_and_repeats(world: World) -> None:
    world.say(*["word"] * 20)
    process = world.process("relay")
    member = world.member()
    assert member.turn_until(world.all_heard, 30)
    process.terminate()
    assert process.wait(20) == 0
    again = world.process("relay", "--again-from", "1")
    assert again.wait(20) == 0
    assert '"messages": 20' in world.output(again)


def test_a_relay_may_be_delayed_by_a_setting(world: World) -> None:
    world.say("one")
    process = world.process("relay", more={"PARVIS_RELAY_DELAY": "3600"})
    assert not wait_until(lambda: process.poll() is not None, 2)
    assert relay.heads(world.teller) == {}, "nothing was sent yet"
    process.terminate()
    assert process.wait(20) == 0
    assert relay.heads(world.teller) == {}
