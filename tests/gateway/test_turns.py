"""Pages are begun one after the other; who waits for something else is in nobody's way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.gateway.turns import InTurn, Turns, given_away

PATIENCE = 10.0


class Pages:
    """An app whose pages last as long as the test says; counts how many are drawn at once."""

    def __init__(self) -> None:
        self.most = self.now = 0
        self.order: list[str] = []
        self.door: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self.app = InTurn(self)

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        name = environ["PATH_INFO"]
        with self._drawn():
            self.order.append(name)
            time.sleep(0.002)
        if name in self.door:
            with given_away():
                assert self.door[name].wait(PATIENCE)
            self.order.append(f"{name} again")
        if name == "bad":
            raise ValueError(name)
        return [b"x"]

    def _drawn(self) -> Any:
        pages = self

        class Drawn:
            def __enter__(self) -> None:
                with pages._lock:
                    pages.now += 1
                    pages.most = max(pages.most, pages.now)

            def __exit__(self, *_: object) -> None:
                with pages._lock:
                    pages.now -= 1

        return Drawn()

    def ask(self, name: str, method: str = "GET") -> Iterable[bytes]:
        return self.app({"REQUEST_METHOD": method, "PATH_INFO": name}, None)


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_one_page_is_drawn_at_a_time(pages: Pages, pool: ThreadPoolExecutor) -> None:
    assert list(pool.map(pages.ask, map(str, range(100)))) == [[b"x"]] * 100
    assert pages.most == 1 and len(pages.order) == 100 and pages.app.turns.waiting == 0


def test_who_came_first_is_served_first(pool: ThreadPoolExecutor) -> None:
    turns, order = Turns(), list[int]()

    def take(number: int) -> None:
        turns.begin()
        order.append(number)
        turns.end()

    turns.begin()
    for number in range(10):
        pool.submit(take, number)
        until(lambda: turns.waiting == number + 1)  # noqa: B023 asked before the next number
    turns.end()
    until(lambda: len(order) == 10)
    assert order == list(range(10))


def test_others_are_drawn_while_a_page_waits_for_a_service(pages: Pages, pool: ThreadPoolExecutor) -> None:
    pages.door["slow"] = threading.Event()
    slow = pool.submit(pages.ask, "slow")
    until(lambda: "slow" in pages.order)
    assert pages.ask("quick") == [b"x"]
    pages.door["slow"].set()
    assert slow.result(PATIENCE) == [b"x"] and pages.order == ["slow", "quick", "slow again"]


def test_who_holds_a_lock_for_which_the_drawn_one_waits_goes_on(pool: ThreadPoolExecutor) -> None:
    lock, answered = threading.Lock(), threading.Event()

    def draw(environ: dict[str, Any], _: Any) -> Iterable[bytes]:
        with lock:
            if environ["PATH_INFO"] == "asks":
                with given_away():
                    assert answered.wait(PATIENCE)
        return [b"x"]

    app = InTurn(draw)
    asks = pool.submit(app, {"REQUEST_METHOD": "GET", "PATH_INFO": "asks"}, None)
    until(lock.locked)
    waits = pool.submit(app, {"REQUEST_METHOD": "GET", "PATH_INFO": "waits"}, None)
    until(lambda: app.turns.drawing)
    answered.set()
    assert asks.result(PATIENCE) == waits.result(PATIENCE) == [b"x"]
    assert app.turns.drawing == app.turns.waiting == 0


@pytest.mark.parametrize("name", ["bad", "good"])
def test_a_turn_ends_with_its_page_however_that_ends(pages: Pages, name: str) -> None:
    for _ in range(3):
        if name == "bad":
            with pytest.raises(ValueError, match="bad"):
                pages.ask(name)
        else:
            pages.ask(name)
    assert pages.order == [name] * 3


def test_what_brings_a_body_takes_no_turn(pages: Pages, pool: ThreadPoolExecutor) -> None:
    pages.app.turns.begin()
    assert pages.ask("form", "POST") == [b"x"]
    waiting = pool.submit(pages.ask, "page")
    until(lambda: pages.app.turns.waiting)
    assert pages.order == ["form"]
    pages.app.turns.end()
    assert waiting.result(PATIENCE) == [b"x"]
