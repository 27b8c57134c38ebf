from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ballot.kit import Town
from tests.shared.fixtures_servers import empty_store as empty_store
from tests.shared.fixtures_servers import postgres_server as postgres_server


@pytest.fixture(params=["sqlite", "postgres"])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """The same stores on both engines."""
    if request.param == "postgres":
        made = Town.region(request.getfixturevalue("empty_store"))
    else:
        made = Town.embedded(tmp_path)
    yield made
    made.shut()
