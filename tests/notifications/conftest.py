"""An inbox on each engine in turn."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.notifications.store import STEPS, InboxStore
from services.shared.store import Database
from tests.shared.fixtures_servers import postgres_server as postgres_server


@pytest.fixture(params=["sqlite", "postgres"])
def inbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[InboxStore]:
    where: Any = tmp_path / "notifications.db"
    if request.param == "postgres":
        where = f"{request.getfixturevalue('postgres_server').url}/test_notifications_{secrets.token_hex(6)}"
    database = Database(where)
    database.migrate(STEPS)
    yield InboxStore(database)
    database.close()
