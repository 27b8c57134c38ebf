"""Identity as the tests use it: real stores on both engines, real key files, a clock that the test turns."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.identity.api.registry import Registry
from services.identity.application.accounts import Accounts
from services.identity.application.asks import Limits
from services.identity.application.codes import Codes
from services.identity.application.corrections import Corrections
from services.identity.application.desk import Desk
from services.identity.application.dossier import Dossier
from services.identity.application.duplicates import Duplicates
from services.identity.application.external import ExternalSignIn
from services.identity.application.import_pass import ImportPass
from services.identity.application.imports import PART, Imports, RollImport
from services.identity.application.issuance import Issuance
from services.identity.application.notices import Notices
from services.identity.application.organisations import Organisations
from services.identity.application.people_file import Import
from services.identity.application.personal import Personal
from services.identity.application.roles import Roles
from services.identity.application.sign_in import SignIn
from services.identity.application.standing import Standings
from services.identity.domain import DEFAULT_STRATUM
from services.identity.store.codes import CodeStore
from services.identity.store.desk import DeskStore
from services.identity.store.entries import EntryStore
from services.identity.store.external import ExternalAccounts
from services.identity.store.imports import ImportStore
from services.identity.store.keys import PollKeyFiles
from services.identity.store.organisations import OrganisationStore
from services.identity.store.people import PeopleStore
from services.identity.store.rolls import ROLL_STEPS, RollStore
from services.identity.store.sources import IssuanceSource
from services.identity.store.vault import VAULT_STEPS, Vault
from services.shared.contracts import identity
from services.shared.store import Database
from tests.shared.fixtures_servers import empty_store as empty_store
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
    def external(self) -> ExternalSignIn:
        return ExternalSignIn(ExternalAccounts(self.people.database), self.people, CODE_KEY, self.clock)

    @property
    def roles(self) -> Roles:
        return Roles(self.people, CODE_KEY, self.sign_in, self.clock)

    @property
    def codes(self) -> Codes:
        limits = Limits(TRIES, per_source=20, in_all=200, site="https://parvis.exemple.fr")
        return Codes(CodeStore(self.people.database), self.people, CODE_KEY, limits, self.clock)

    @property
    def desk_store(self) -> DeskStore:
        return DeskStore(self.people.database, self.people.vault)

    @property
    def desk(self) -> Desk:
        return Desk(self.desk_store, self.people, self.codes, CODE_KEY, self.clock)

    @property
    def notices(self) -> Notices:
        return Notices(self.desk_store, self.people, CODE_KEY)

    @property
    def personal(self) -> Personal:
        return Personal(self.people, self.entries, self.organisations, self.rolls, self.clock)

    @property
    def entries(self) -> EntryStore:
        return EntryStore(self.people)

    @property
    def import_pass(self) -> ImportPass:
        return ImportPass(ImportStore(self.people), self.importing, CODE_KEY, self.clock)

    @property
    def corrections(self) -> Corrections:
        return self.registry.corrections

    @property
    def dossier(self) -> Dossier:
        return self.registry.dossier

    @property
    def duplicates(self) -> Duplicates:
        return self.registry.duplicates

    @property
    def standings(self) -> Standings:
        return self.registry.standings

    @property
    def accounts(self) -> Accounts:
        return self.registry.accounts

    @property
    def imports(self) -> Imports:
        return self.registry.imports

    @property
    def registry(self) -> Registry:
        parts = self.people, self.rolls, self.issuance, self.sign_in, self.personal
        return Registry.over(*parts, CODE_KEY, self.clock)

    @property
    def organisations(self) -> Organisations:
        return Organisations(OrganisationStore(self.people), self.people, CODE_KEY, self.clock)

    def upload(self, data: bytes, stratum: str = "") -> RollImport:
        """A roll file, sent in parts and ready to be checked."""
        taken = self.imports.take(hashlib.sha256(data).hexdigest(), stratum, "agent-1")
        for nth in range(len(data) // PART + 1):
            if part := data[nth * PART : (nth + 1) * PART]:
                self.imports.put_part(taken.id, nth, part)
        return self.imports.check(taken.id)

    def work(self) -> None:
        """What the worker does until nothing is left to do."""
        working, until = self.import_pass, time.monotonic() + 20
        while working.work() or ImportStore(self.people).next_open():
            assert time.monotonic() < until, "PostgreSQL frees a lock a moment after its session ended, not later"

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
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Database]]:
    """Makes empty stores, on each engine in turn. `tables`: whether they may be there already, without a row."""
    made: list[Database] = []

    def make(name: str, *, tables: bool = False) -> Database:
        if request.param == "sqlite":
            where: Any = tmp_path / f"{name}.db"
        else:
            where = request.getfixturevalue("empty_store")(name if tables else "")
        made.append(Database(where, secure_delete=True))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def world(database: Callable[..., Database], tmp_path: Path) -> World:
    vault, people_store, rolls = (database(name, tables=True) for name in ("vault", "people", "rolls"))
    people = PeopleStore(people_store, Vault(vault), lambda: CODE_KEY)
    vault.migrate(VAULT_STEPS)
    people.database.migrate(people.steps)
    rolls.migrate(ROLL_STEPS)
    return World(tmp_path, Clock(), people, RollStore(rolls), PollKeyFiles(tmp_path / "keys" / "identity"))
