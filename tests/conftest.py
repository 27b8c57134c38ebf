"""What every test may count on: no setting of the machine leaks in, and no route answers otherwise than it declares."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from services.shared.routes import App
from tests.declared import Watch
from tests.run_end import RUN_END

SLOWEST_FIRST = ("journeys", "deploy", "contracts", "shared", "identity", "gateway")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that start whole platforms first: what begins last should be short, or all workers wait for one."""
    order = {folder: number for number, folder in enumerate(SLOWEST_FIRST)}
    items.sort(key=lambda item: order.get(item.path.parent.name, len(order)))


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
