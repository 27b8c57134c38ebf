"""Copies of public pages: as young as they say, made once at a time, bounded."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.gateway.pages.copies import Copies, Copy


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def copy(text: str = "page", seconds: float = 2) -> Copy:
    return Copy.of(200, (), text.encode(), "/", seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_copy_is_given_until_its_end_and_made_anew_after(clock: Clock) -> None:
    copies, made = Copies(clock=clock), []

    def make() -> Copy:
        made.append(clock.now)
        return copy(str(clock.now))

    first = copies.get("a", make)
    clock.now += 1.4
    assert copies.ready("a") is first and copies.get("a", make) is first
    clock.now += 0.6
    assert copies.ready("a") is None
    assert copies.get("a", make) is not first
    assert made == [100.0, 102.0]


def test_the_age_counts_from_before_the_making(clock: Clock) -> None:
    copies = Copies(clock=clock)

    def slowly() -> Copy:
        clock.now += 1.9  # the services were asked at the beginning of it
        return copy()

    copies.get("a", slowly)
    assert copies.ready("a") is None
    clock.now += 0.2
    again = copies.get("a", lambda: copy("new"))
    assert again is not None and again.plain == b"new"


def test_shortly_before_its_end_one_makes_it_anew_and_the_others_have_the_old_one(clock: Clock) -> None:
    copies = Copies(clock=clock)
    old = copies.get("a", copy)
    clock.now += 1.6
    inside, go_on = threading.Event(), threading.Event()

    def make() -> Copy:
        inside.set()
        go_on.wait(5)
        return copy("new")

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(copies.get, "a", make)
        assert inside.wait(5)
        assert copies.get("a", lambda: pytest.fail("made twice")) is old
        go_on.set()
        assert first.result(5) is copies.ready("a") is not old


def test_sixteen_who_ask_at_once_make_it_once() -> None:
    copies, barrier, made = Copies(), threading.Barrier(16), []

    def make() -> Copy:
        made.append(1)
        threading.Event().wait(0.1)
        return copy()

    def ask(_: int) -> Copy | None:
        barrier.wait(5)
        return copies.get("a", make)

    with ThreadPoolExecutor(16) as pool:
        assert len(set(map(id, pool.map(ask, range(16))))) == 1
    assert made == [1]


def test_what_is_for_its_asker_alone_is_given_to_nobody_else() -> None:
    copies = Copies()
    assert copies.get("a", lambda: None) is None
    assert copies.ready("a") is None and len(copies) == 0


def test_a_failed_making_holds_nobody_up() -> None:
    copies = Copies()
    with pytest.raises(ZeroDivisionError):
        copies.get("a", lambda: copy(str(1 // 0)))
    assert copies.get("a", copy) is not None


def test_copies_are_bounded_in_number_and_bytes(clock: Clock) -> None:
    copies = Copies(most=10, size=5000, clock=clock)
    for n in range(100):
        copies.get(n, copy)
    assert len(copies) == 10 and copies.ready(99) is not None and copies.ready(0) is None
    for n in range(100):
        copies.get(("long", n), lambda n=n: copy("".join(chr(33 + i * n % 90) for i in range(1000))))
    assert copies.bytes <= 5000 and 0 < len(copies) < 5
    copies.get("huge", lambda: copy("x" * 6000))
    assert copies.ready("huge") is None


def test_with_no_seconds_nothing_is_kept() -> None:
    copies = Copies()
    assert copies.get("a", lambda: copy(seconds=0)) is not None
    assert len(copies) == 0
