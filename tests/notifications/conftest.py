"""An inbox, and an outbox with its spool, on each engine in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.notifications.application.outbox import Outbox
from services.notifications.store import STEPS, InboxStore
from services.notifications.store.outbox import OUTBOX_STEPS, OutboxStore
from services.notifications.store.spool import Spool
from services.shared import outbox
from services.shared.store import Database
from tests.shared.fixtures_servers import empty_store as empty_store
from tests.shared.fixtures_servers import postgres_server as postgres_server

SENDER = "ne-pas-repondre@parvis.localhost"
KEEP_DAYS = 40


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Database]]:
    made: list[Database] = []

    def make(name: str) -> Database:
        where: Any = tmp_path / f"{name}.db"
        if request.param == "postgres":
            where = request.getfixturevalue("empty_store")()
        made.append(Database(where, secure_delete=True))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def inbox(database: Callable[[str], Database]) -> InboxStore:
    store = database("notifications")
    store.migrate(STEPS)
    return InboxStore(store)


@dataclass
class Post:
    """An outbox and its spool. `die_at`: a step of the spool's writing at which the process ends, once."""

    store: OutboxStore
    folder: Path
    now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)
    die_at: str = ""

    @property
    def spool(self) -> Spool:
        return Spool(self.folder, self._step)

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.store, self.spool, SENDER, KEEP_DAYS, lambda: self.now)

    def _step(self, step: str) -> None:
        if step == self.die_at:
            self.die_at = ""
            raise KeyboardInterrupt(step)

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def go(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def post(database: Callable[[str], Database], tmp_path: Path) -> Post:
    store = database("outbox")
    store.migrate(OUTBOX_STEPS)
    return Post(OutboxStore(store), tmp_path / "spool")


VALUES = {"name": "Maëlle", "code": "4821 7390", "minutes": "10"}


def message(key: str = "ab" * 16, kind: Any = "email", subject: str = "s1", **changed: Any) -> outbox.Message:
    address = {"email": "maelle@exemple.fr", "sms": "+33639980012", "letter": "Maëlle Quéguiner\n7 rue du Lavoir"}[kind]
    values, template = VALUES, "sign_in_code"
    if kind == "letter":
        values, template = (
            {"name": "Maëlle", "code": "K7QP-2MXD-9F3T", "days": "30", "site": "parvis.exemple.fr"},
            "letter_code",
        )
    given = {"address": address, "template": template, "values": values} | changed
    return outbox.Message(key=key, kind=kind, subject=subject, **given)
