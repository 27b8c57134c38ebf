"""Identity as the tests use it: real stores on both engines, real key files, a clock that the test turns."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.identity.application.issuance import Issuance
from services.identity.application.people_file import Import
from services.identity.application.personal import Personal
from services.identity.application.roles import Roles
from services.identity.application.sign_in import SignIn
from services.identity.domain import DEFAULT_STRATUM
from services.identity.store.keys import PollKeyFiles
from services.identity.store.people import PeopleStore
from services.identity.store.rolls import ROLL_STEPS, RollStore
from services.identity.store.sources import IssuanceSource
from services.identity.store.vault import VAULT_STEPS, Vault
from services.shared.contracts import identity
from services.shared.store import Database
from tests.shared.fixtures_servers import postgres_server as postgres_server

POLL = "5f0c8a3e-1111-4222-8333-444455556666"
OPENS = "2026-11-23T10:00:00Z"
CLOSES = "2026-11-23T18:00:00Z"
CODE_KEY = bytes(range(32))
TRIES = 5


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def go(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class World:
    """One identity service without its processes."""

    folder: Path
    clock: Clock
    people: PeopleStore
    rolls: RollStore
    keys: PollKeyFiles

    @property
    def issuance(self) -> Issuance:
        return Issuance(self.rolls, self.people, self.keys, self.clock)

    @property
    def sign_in(self) -> SignIn:
        return SignIn(self.people, CODE_KEY, TRIES, self.clock)

    @property
    def roles(self) -> Roles:
        return Roles(self.people, CODE_KEY, self.sign_in, self.clock)

    @property
    def personal(self) -> Personal:
        return Personal(self.people, self.rolls, self.clock)

    @property
    def importing(self) -> Import:
        return Import(self.people, CODE_KEY, lambda: self.clock().date())

    def settle(self, size: int, stratum: str = DEFAULT_STRATUM) -> list[str]:
        """That many new residents; their subjects."""
        rows = "".join(f"Martin{secrets.token_hex(4)};Camille;12/03/1980\n" for _ in range(size))
        return list(
            self.importing.run(f"nom;prénom;date de naissance\n{rows}".encode(), stratum=stratum, by="test").subjects
        )

    def publish(
        self, poll: str = POLL, strata: tuple[str, ...] = (DEFAULT_STRATUM,), manifest_hash: str = "00" * 32
    ) -> None:
        """Prepared by an officer and published by the ballot service, open at the clock's noon."""
        prepared = self.issuance.prepare(poll, strata, OPENS, CLOSES, "officer")
        declared = [{**s, "station": "b1", "issuer_keys": [prepared.issuer_key]} for s in prepared.strata]
        self.issuance.publish(poll, manifest_hash, declared, OPENS, CLOSES)

    def events(self) -> list[identity.Event | None]:
        """What the relay would tell."""
        rows = [row for row in IssuanceSource(self.rolls.aggregates).read(0, 100) if row.topic]
        return [identity.decode(row.type, row.version, row.value) for row in rows]

    def told(self, poll: str = POLL) -> dict[str, tuple[int, int]]:
        """stratum → (issued, reissued), as the issuance's events say."""
        found = self.rolls.issuance(UUID(poll))
        assert found is not None
        return {name: (total["issued"], total["reissued"]) for name, total in found.totals.items()}


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Database]]:
    """Makes empty stores, on each engine in turn."""
    made: list[Database] = []

    def make(name: str) -> Database:
        if request.param == "sqlite":
            where: Any = tmp_path / f"{name}.db"
        else:
            server = request.getfixturevalue("postgres_server")
            where = f"{server.url}/test_{name}_{secrets.token_hex(6)}"
        made.append(Database(where, secure_delete=True))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def world(database: Callable[[str], Database], tmp_path: Path) -> World:
    vault, rolls = database("vault"), database("rolls")
    people = PeopleStore(database("people"), Vault(vault))
    vault.migrate(VAULT_STEPS)
    people.database.migrate(people.steps)
    rolls.migrate(ROLL_STEPS)
    return World(tmp_path, Clock(), people, RollStore(rolls), PollKeyFiles(tmp_path / "keys" / "identity"))
