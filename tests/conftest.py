"""What every test may count on: no setting of the machine leaks in, and no route answers otherwise than it declares."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

from services.shared.routes import App
from tests.declared import Watch
from tests.run_end import RUN_END
from tests.shared.fixtures_servers import share_servers

SLOWEST_FIRST = ("journeys", "deploy", "contracts", "shared", "identity", "gateway")


LONGEST = ("test_accessibility.py", "test_planted_secrets.py", "test_platform.py")
"""Of the slowest folder, first; the first of them walks the route map, which those that come last only read."""
READ_THE_WALK = ("test_calls.py", "test_route_map.py", "test_xss.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that start whole platforms first: what begins last should be short, or all workers wait for one."""
    folders = {folder: number for number, folder in enumerate(SLOWEST_FIRST)}
    files = {file: number for number, file in enumerate((*LONGEST, "", *READ_THE_WALK))}

    def place(item: pytest.Item) -> tuple[int, int]:
        return folders.get(item.path.parent.name, len(folders)), files.get(item.path.name, files[""])

    items.sort(key=place)


class Compiled(BytecodeCache):
    """What a template was compiled to, for every app that a run makes: it depends on the template's text alone."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


App.jinja_options = {"bytecode_cache": Compiled()}


def _built_once() -> None:
    """What writes a route's address is compiled by werkzeug for every app anew, two thirds of the time in which a
    gateway is made; it depends on the route's text alone, and a run makes 700 gateways."""
    build: Callable[..., Any] = Rule._compile_builder
    kept: dict[tuple[object, ...], Any] = {}

    def once(self: Rule, append_unknown: bool = True) -> Any:
        key = (self.rule, tuple(self._trace), repr(self.defaults), append_unknown)
        if key not in kept:
            kept[key] = build(self, append_unknown)
        return kept[key]

    Rule._compile_builder = once  # type: ignore[method-assign]


_built_once()


def pytest_configure() -> None:
    share_servers()


def pytest_unconfigure() -> None:
    RUN_END.close()


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PARVIS_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Every answer of every app of this test, held against the route's declaration."""
    watch = Watch()
    monkeypatch.setattr(App, "watch", watch)
    yield watch
    assert watch.found == []
