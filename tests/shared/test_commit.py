from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from services.shared.commit import ATTEMPTS, GroupCommit
from services.shared.errors import Busy
from services.shared.store_failures import Overtaken, StoreFailed


class Callers:
    """Collects answers by key, and waits for them."""

    def __init__(self) -> None:
        self.answers: dict[Any, object] = {}
        self._told = threading.Condition()

    def __call__(self, pairs: Sequence[tuple[Any, object]]) -> None:
        with self._told:
            self.answers |= dict(pairs)
            self._told.notify_all()

    def wait(self, number: int) -> None:
        with self._told:
            assert self._told.wait_for(lambda: len(self.answers) >= number, 10)


def test_items_that_come_during_a_write_share_the_next_one() -> None:
    batches: list[list[int]] = []
    gate, callers = threading.Event(), Callers()

    def write(items: Sequence[int]) -> Sequence[object]:
        batches.append(list(items))
        gate.wait(10)
        return [item * 10 for item in items]

    commit = GroupCommit[int](write, died=lambda e: None)
    commit.submit(0, callers, 0)
    while not batches:
        threading.Event().wait(0.001)
    for item in range(1, 6):
        commit.submit(item, callers, item)
    gate.set()
    callers.wait(6)
    commit.close()
    assert batches == [[0], [1, 2, 3, 4, 5]]
    assert callers.answers == {item: item * 10 for item in range(6)}


def test_an_overtaken_batch_is_written_again_and_no_more_than_five_times() -> None:
    tries, died, callers = [], [], Callers()

    def write(items: Sequence[str]) -> Sequence[object]:
        tries.append(list(items))
        if len(tries) < 3 or "never" in items:
            raise Overtaken
        return ["done"] * len(items)

    commit = GroupCommit[str](write, died=died.append)
    commit.submit("soon", callers, 1)
    callers.wait(1)
    assert (callers.answers, len(tries)) == ({1: "done"}, 3)
    commit.submit("never", callers, 2)
    callers.wait(2)
    assert len(tries) == 3 + ATTEMPTS
    assert isinstance(callers.answers[2], Busy)
    assert [type(e) for e in died] == [Overtaken]


def test_any_other_failure_answers_everybody_busy_and_takes_nothing_more() -> None:
    gate, died, callers = threading.Event(), [], Callers()

    def write(items: Sequence[int]) -> Sequence[object]:
        gate.wait(10)
        raise StoreFailed("disk full")

    commit = GroupCommit[int](write, died=died.append)
    for item in range(5):
        commit.submit(item, callers, item)
    gate.set()
    callers.wait(5)
    assert all(isinstance(answer, Busy) for answer in callers.answers.values())
    while not died:
        threading.Event().wait(0.001)
    with pytest.raises(Busy):
        commit.submit(6, callers, 6)


def test_a_full_queue_is_busy_at_once() -> None:
    gate, callers = threading.Event(), Callers()

    def write(items: Sequence[int]) -> Sequence[object]:
        gate.wait(10)
        return items

    commit = GroupCommit[int](write, died=lambda e: None, max_waiting=2)
    refused = 0
    for item in range(10):
        try:
            commit.submit(item, callers, item)
        except Busy:
            refused += 1
    assert refused >= 7
    gate.set()
    commit.close()


def test_after_the_close_nobody_waits_for_ever() -> None:
    callers = Callers()
    commit = GroupCommit[int](lambda items: items, died=lambda e: None)
    commit.submit(1, callers, 1)
    commit.close()
    assert callers.answers == {1: 1}
    with pytest.raises(Busy):
        commit.submit(2, callers, 2)
