"""Every service against its own description, in this process: 0 answers 5xx, 0 drift. `make drill-contracts` asks the
processes themselves, and far more."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.ballot.api import create_api as ballot
from services.identity.api import create_api as identity
from services.identity.application.issuance import Issuance
from services.identity.store.keys import PollKeyFiles
from services.notifications.api import create_api as notifications
from services.notifications.application.outbox import Outbox
from services.notifications.domain import poll_closed
from services.notifications.store import STEPS, InboxStore
from services.notifications.store.outbox import OUTBOX_STEPS, OutboxStore
from services.notifications.store.spool import Spool
from services.shared import keys, web
from services.shared.store import Database
from services.shared.tokens import TokenSigner, TokenVerifier
from tests import planted
from tests.ballot.kit import YES, Town, draft
from tests.contract_checks import Checked, check, served
from tests.declared import Watch
from tests.identity.conftest import POLL, World
from tests.identity.conftest import world as world

EXAMPLES, SEED = 4, 20_261_125
EVERYONE = ("resident", "returning_officer", "administrator", "agent", "auditor", "gateway", "identity")
"""Whatever any role may do is asked."""


@pytest.fixture(autouse=True)
def _without_its_log() -> Iterator[None]:
    """Thousands of lines that nobody reads."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def database(tmp_path: Path) -> Callable[..., Database]:
    """For `world`: shapes do not differ by engine."""
    return lambda name, tables=False: Database(tmp_path / f"{name}.db", secure_delete=True)


@dataclass
class Keys:
    folder: Path

    def __post_init__(self) -> None:
        keys.make_key_pair(self.folder / "token.key", self.folder / "token.pub")

    def verifier(self, service: str) -> TokenVerifier:
        return TokenVerifier(self.folder / "token.pub", service)

    def token(self, service: str, *roles: str, subject: str = "someone") -> Callable[[], str]:
        signer = TokenSigner(self.folder / "token.key")
        return lambda: signer.token(subject, roles, service)


@pytest.fixture
def made(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


def asked(app: web.App, token: Callable[[], str], **known: Any) -> Checked:
    with served(app) as url:
        said = web.described(app)
        found = check(said, url, examples=EXAMPLES, seed=SEED, token=token, **known)
    assert found.operations == {f"{method.upper()} {path}" for path, ways in said["paths"].items() for method in ways}
    print(f"{app.name}: {found.requests} requests, {dict(sorted(found.statuses.items()))}")
    assert found.findings == {}
    assert not [status for status in found.statuses if status >= 500]
    return found


def test_the_ballot_service_is_as_it_says(tmp_path: Path, made: Keys) -> None:
    town = Town.embedded(tmp_path)
    manifest = town.open()
    town.cast(manifest, town.voter(manifest).ballot(YES))
    town.seal_now(manifest)
    counted = town.open()
    town.close(counted)
    town.count(counted)
    polls = [manifest.poll, counted.poll, town.application.draft(draft(), "officer-b")]
    app = ballot(town.application, town.views, town.box, town.log, made.verifier("ballot"), lambda: None)
    found = asked(
        app,
        made.token("ballot", "returning_officer"),
        known={"poll": polls, "station": [one.id for one in manifest.stations]},
        bodies={"draft_poll": draft()},
    )
    assert {200, 201, 400, 401, 404, 405, 409, 415} <= set(found.statuses)


def test_the_identity_service_is_as_it_says(tmp_path: Path, made: Keys, world: World) -> None:
    subject, other = world.settle(2)
    world.publish()
    app = identity(
        world.sign_in,
        world.external,
        world.roles,
        world.personal,
        Issuance(world.rolls, world.people, PollKeyFiles(tmp_path / "keys" / "identity"), world.clock),
        made.verifier("identity"),
        lambda: None,
        codes=world.codes,
        desk=world.desk,
        registry=world.registry,
    )
    found = asked(app, made.token("identity", *EVERYONE, subject=subject), known={"poll": [POLL]}, bodies=_about(other))
    assert {200, 400, 401, 404, 405, 415} <= set(found.statuses)


def _about(subject: str) -> dict[str, Any]:
    """A right body of each route about a person."""
    return {
        "of": {"subject": subject},
        "grant": {"subject": subject, "role": "agent"},
        "end": {"subject": subject, "role": "agent"},
        "reissue": {"subject": subject},
        "mark": {"credential": secrets.token_hex(32), "salt": secrets.token_hex(32)},
    }


def _outbox(folder: Path) -> Outbox:
    store = OutboxStore(Database(folder / "outbox.db"))
    store.database.migrate(OUTBOX_STEPS)
    return Outbox(store, Spool(folder / "spool"), "parvis@exemple.fr", 30)


def test_the_notifications_service_is_as_it_says(tmp_path: Path, made: Keys) -> None:
    inbox = InboxStore(Database(tmp_path / "notifications.db"))
    inbox.database.migrate(STEPS)
    inbox.add(poll_closed("1", "2026-11-25T10:00:00Z", POLL, "Un parc"))
    app = notifications(inbox, _outbox(tmp_path), made.verifier("notifications"), lambda: None)
    found = asked(app, made.token("notifications", *EVERYONE))
    assert {200, 400, 401, 405} <= set(found.statuses)


@pytest.mark.parametrize("view, said", planted.FAULTS)
def test_what_is_planted_is_found(view: Callable[[], Any], said: str, watched: Watch) -> None:
    app = planted.app(view)
    with served(app) as url:
        found = check(web.described(app), url, examples=30, seed=SEED)
    watched.found.clear()
    assert any(told.startswith("POST /numbers") and said in told for told in found.findings), found.findings
    assert {told.split(":")[0] for told in found.findings} == {"POST /numbers"}


def test_a_door_that_does_not_look_at_tokens_is_found(made: Keys, watched: Watch) -> None:
    app = planted.app(planted.fails)
    app.get("/secrets", who=web.SIGNED_IN, gives=planted.Told)(lambda: planted.Told(1))
    said = web.described(app)
    open_door = web.create_app("planted", ready=lambda: None)
    open_door.get("/secrets", who=web.ANYONE, gives=planted.Told)(lambda: planted.Told(1))
    with served(open_door) as url:
        paths = {path: one for path, one in said["paths"].items() if path == "/secrets"}
        found = check(said | {"paths": paths}, url, examples=5, seed=SEED, token=made.token("planted"))
    assert any("ignored_auth" in told for told in found.findings), found.findings
