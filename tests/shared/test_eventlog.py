"""The two event logs keep the same promises."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from services.shared.eventlog import (
    PARTITIONS,
    Delivery,
    Feed,
    LogNotReady,
    Message,
    Place,
    SendFailed,
    open_feed,
    partition_of,
)
from services.shared.eventlog.__main__ import main
from services.shared.eventlog.local import LocalFeed, LocalProducer
from services.shared.settings import Common
from tests.shared.conftest import World, wait_until


def message(topic: str, position: int, previous: int = 0, *, key: str = "a", source: str = "s/a/i1") -> Message:
    value = f"value {position} é".encode()
    told = (source, position, previous, 3, "FactSaid", 2, f"id-{position}", partition_of(key))
    return Message(topic, key, value, *told)


def read_all(feed: Feed, count: int) -> list[Delivery]:
    found: list[Delivery] = []

    def enough() -> bool:
        for batch in feed.read(timeout=0.05).values():
            found.extend(batch)
        return len(found) >= count

    assert wait_until(enough)
    return found


def test_a_key_keeps_its_partition_for_ever() -> None:
    assert [partition_of(key) for key in ("", "a", "c", "0b9a1c1e-1111-4a4a-8b8b-123456789abc")] == [4, 10, 2, 7]
    assert {partition_of(str(n)) for n in range(500)} == set(range(PARTITIONS))


def test_what_was_sent_is_read_whole_and_in_order(world: World) -> None:
    sent = [message(world.topic, n, n - 1) for n in range(1, 60)]
    world.producer().send(sent[:30])
    feed = world.feed()
    feed.start({})
    assert [d.message for d in read_all(feed, 30)] == sent[:30]
    world.producer().send(sent[30:])
    later = read_all(feed, 29)
    assert [d.message for d in later] == sent[30:]
    assert [d.offset for d in later] == list(range(30, 59))
    assert feed.at_end(world.topic, partition_of("a"))


def test_a_rewound_partition_is_read_again_from_its_oldest_message(world: World) -> None:
    sent = [message(world.topic, n) for n in (1, 2, 3)]
    world.producer().send(sent)
    feed = world.feed()
    feed.start({})
    assert len(read_all(feed, 3)) == 3
    feed.rewind(world.topic, partition_of("a"))
    assert [d.message for d in read_all(feed, 3)] == sent


def test_every_partition_is_owned_by_a_lone_member(world: World) -> None:
    feed = world.feed()
    feed.start({})

    def owned() -> bool:
        feed.read(timeout=0.05)
        return feed.owned() == {(world.topic, n) for n in range(PARTITIONS)}

    assert wait_until(owned)


def test_a_scan_reads_a_partition_to_its_end_and_moves_nothing(world: World) -> None:
    sent = [message(world.topic, n) for n in range(1, 1501)]
    world.producer().send(sent)
    feed = world.feed()
    feed.start({})
    assert [d.message for d in feed.scan(world.topic, partition_of("a"))] == sent
    assert list(feed.scan(world.topic, partition_of("c"))) == []
    assert len(read_all(feed, 1500)) == 1500


def test_last_positions_are_those_of_the_newest_incarnation(world: World) -> None:
    old, new = "s/a/i1", "s/a/i2"
    told = [(old, 1), (old, 9), (new, 4), (new, 5), (new, 4), ("s/b/i1", 2)]
    world.producer().send([message(world.topic, n, source=source) for source, n in told])
    feed = world.feed()
    wanted = {"s/a": Place("i2", 5), "s/b": Place("i1", 2)}
    assert feed.last_positions(world.topic, partition_of("a")) == wanted
    assert feed.last_positions(world.topic, partition_of("c")) == {}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "eventlog.db"


def test_the_local_log_starts_at_the_first_message_that_is_not_tracked(file: Path) -> None:
    producer = LocalProducer(file)
    producer.send([message("t", n) for n in range(1, 6)] + [message("t", 1, source="s/b/i1")])
    feed = LocalFeed(file, ["t"])
    feed.start({("t", partition_of("a"), "s/a"): Place("i1", 3)})
    assert [d.message.position for d in read_all(feed, 3)] == [4, 5, 1]
    feed.start({("t", partition_of("a"), "s/a"): Place("i1", 5), ("t", partition_of("a"), "s/b"): Place("i1", 1)})
    assert feed.read(timeout=0.02) == {}
    feed.start({("t", partition_of("a"), "s/a"): Place("i0", 5), ("t", partition_of("a"), "s/b"): Place("i1", 1)})
    assert len(read_all(feed, 6)) == 6, "another incarnation counts from its beginning"


def test_the_local_log_can_be_wiped_under_a_reader(file: Path) -> None:
    LocalProducer(file).send([message("t", n) for n in (1, 2, 3)])
    feed = LocalFeed(file, ["t"])
    assert len(read_all(feed, 3)) == 3
    for each in file.parent.glob("eventlog.db*"):
        each.unlink()
    LocalProducer(file).send([message("t", 7)])
    assert [d.message.position for d in read_all(feed, 1)] == [7]


def test_a_read_of_many_messages_shares_its_limit_between_partitions(file: Path) -> None:
    LocalProducer(file).send([message("t", n, key=key) for n in range(1, 501) for key in ("a", "c")])
    feed = LocalFeed(file, ["t"])
    first = feed.read(limit=100)
    assert {stream: len(batch) for stream, batch in first.items()} == {("t", 10): 50, ("t", 2): 50}
    assert len(read_all(feed, 900)) == 900


def test_a_send_that_the_disk_refuses_leaves_nothing_and_says_so(file: Path) -> None:
    producer = LocalProducer(file)
    producer.send([message("t", 1)])
    with sqlite3.connect(file) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON message BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(SendFailed, match="disk full"):
        producer.send([message("t", 2)])
    assert [d.message.position for d in LocalFeed(file, ["t"]).scan("t", partition_of("a"))] == [1]


def test_a_log_of_a_newer_release_is_not_touched(file: Path) -> None:
    LocalProducer(file).close()
    with sqlite3.connect(file) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(LogNotReady, match="newer release"):
        LocalFeed(file, ["t"])


def test_a_missing_topic_is_told_in_a_sentence(region: Common) -> None:
    with pytest.raises(LogNotReady, match=r"no topic parvis\.nowhere: run .*eventlog topics"):
        open_feed(region, "g", ["parvis.nowhere"])


def test_a_topic_with_other_partitions_or_retention_is_told_in_a_sentence(region: Common) -> None:
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=region.kafka)
    forms = {
        "parvis.narrow": {"num_partitions": 3, "replication_factor": 1},
        "parvis.short": {"num_partitions": 12, "replication_factor": 1, "configs": {"retention.ms": "60000"}},
    }
    admin.create_topics(forms, wait_for_metadata=True)
    admin.close()
    with pytest.raises(LogNotReady, match="has 3 partitions where 12"):
        open_feed(region, "g", ["parvis.narrow"])
    with pytest.raises(LogNotReady, match=r"retention\.ms=60000 where -1"):
        open_feed(region, "g", ["parvis.short"])


def test_a_broker_that_is_not_there_is_told_in_a_sentence() -> None:
    from services.shared.eventlog.kafka import KafkaFeed

    with pytest.raises(LogNotReady, match=r"no Kafka broker answers at 127\.0\.0\.1:9"):
        KafkaFeed("127.0.0.1:9", "g", ["t"])


def test_a_message_that_no_relay_wrote_is_left_out(region_world: World) -> None:
    from kafka import KafkaProducer

    stranger = KafkaProducer(bootstrap_servers=region_world.common.kafka)
    stranger.send(region_world.topic, b"hello", b"a", partition=partition_of("a")).get(timeout=10)
    stranger.close()
    region_world.producer().send([message(region_world.topic, 1)])
    feed = region_world.feed()
    assert [d.message.position for d in feed.scan(region_world.topic, partition_of("a"))] == [1]


def test_the_topics_job_makes_every_topic_of_the_contracts_once(
    region: Common, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARVIS_ENGINE", "region")
    monkeypatch.setenv("PARVIS_KAFKA", region.kafka)
    monkeypatch.setattr("sys.argv", ["eventlog", "topics"])
    assert main() == 0
    assert "parvis.ballot.log" in capsys.readouterr().out
    assert main() == 0
    assert "nothing, all were there" in capsys.readouterr().out
