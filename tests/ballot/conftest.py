from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ballot.kit import Town
from tests.shared.fixtures_servers import postgres_server as postgres_server


@pytest.fixture(params=["sqlite", "postgres"])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """The same stores on both engines."""
    if request.param == "postgres":
        made = Town.region(request.getfixturevalue("postgres_server").url, secrets.token_hex(4))
    else:
        made = Town.embedded(tmp_path)
    yield made
    made.shut()
