"""Ballot and identity, each hearing what the other's relay would tell: what a mistyped key or roll comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.ballot.application import Roll
from services.ballot.domain import State
from services.ballot.policies import BallotPolicies
from services.ballot.store.sources import PollSource
from services.identity.domain import DEFAULT_STRATUM, PollUnknown, RollDiffers
from services.identity.policies import IdentityPolicies
from services.identity.store.keys import PollKeyFiles
from services.identity.store.people import PeopleStore
from services.identity.store.rolls import ROLL_STEPS, RollStore
from services.identity.store.sources import IssuanceSource
from services.identity.store.vault import VAULT_STEPS, Vault
from services.shared.errors import Refusal
from services.shared.store import Database
from tests.ballot.kit import NOON, Town, draft
from tests.identity.conftest import CODE_KEY, Clock, World


class Talk:
    """Both services; `go` carries everything new from each to the other, refusals set aside as dead letters are."""

    def __init__(self, town: Town, folder: Path) -> None:
        vault, rolls = Database(folder / "vault.db"), Database(folder / "rolls.db")
        people = PeopleStore(Database(folder / "people.db"), Vault(vault), lambda: CODE_KEY)
        vault.migrate(VAULT_STEPS)
        people.database.migrate(people.steps)
        rolls.migrate(ROLL_STEPS)
        self.town = town
        self.identity = World(folder, Clock(), people, RollStore(rolls), PollKeyFiles(folder / "keys" / "identity"))
        self.dead: list[Refusal] = []
        self._told = {"ballot": 0, "identity": 0}

    def go(self) -> None:
        polls, issuances = PollSource(self.town.aggregates), IssuanceSource(self.identity.rolls.aggregates)
        self._carry("ballot", polls, IdentityPolicies(self.identity.issuance).process)
        self._carry("identity", issuances, BallotPolicies(self.town.application).process)
        self.town.sealer.look()

    def _carry(self, name: str, source: Any, hear: Callable[[str, int, bytes], None]) -> None:
        for row in source.read(self._told[name], 1000):
            self._told[name] = row.position
            if row.topic:
                try:
                    hear(row.type, row.version, row.value)
                except Refusal as refusal:
                    self.dead.append(refusal)

    def prepare(self, poll: str, says: dict[str, Any]) -> Roll:
        made = self.identity.issuance.prepare(poll, [DEFAULT_STRATUM], says["opens_at"], says["closes_at"], "officer-a")
        strata = {str(s["id"]): (int(s["roll_size"]), str(s["roll_root"])) for s in made.strata}
        return Roll(strata, made.issuer_key)


@pytest.fixture
def talk(town: Town, tmp_path: Path) -> Talk:
    made = Talk(town, tmp_path / "identity")
    made.identity.settle(60)
    return made


def says(opens: timedelta = timedelta()) -> dict[str, Any]:
    told = draft(opens=NOON + opens)
    told["strata"] = [{"id": DEFAULT_STRATUM, "label": "Habitantes et habitants", "station": "bureau-1"}]
    return told


def another_key(roll: Roll) -> Roll:
    return replace(roll, issuer_key="ab" + roll.issuer_key[2:])


def another_size(roll: Roll) -> Roll:
    return replace(roll, strata={name: (size + 1, root) for name, (size, root) in roll.strata.items()})


@pytest.mark.parametrize("mistyped", [another_key, another_size])
def test_a_mistyped_key_or_roll_keeps_the_poll_shut_until_it_is_replaced(
    talk: Talk, mistyped: Callable[[Roll], Roll]
) -> None:
    application = talk.town.application
    poll = application.draft(says(), "officer-a")
    roll = talk.prepare(poll, says())
    application.publish(poll, mistyped(roll), "officer-a")
    talk.town.confirm_opening(poll)
    talk.go()
    assert [type(refusal) for refusal in talk.dead] == [RollDiffers]
    assert application.poll(poll).state is State.PUBLISHED
    application.replace(poll, says(), roll, "La liste était mal recopiée.", "officer-a")
    talk.town.confirm_opening(poll)
    talk.go()
    assert application.poll(poll).state is State.OPEN
    talk.town.clock.now = talk.identity.clock.now = NOON + timedelta(hours=8)
    talk.go()
    talk.identity.issuance.close_due()
    talk.go()
    assert application.poll(poll).state is State.CLOSED, "nothing is stranded"


def test_a_poll_that_was_never_prepared_stays_shut(talk: Talk) -> None:
    poll = talk.town.application.draft(says(), "officer-a")
    roll = Roll({DEFAULT_STRATUM: (60, "ab" * 32)}, "cd" * 32)
    talk.town.application.publish(poll, roll, "officer-a")
    talk.town.confirm_opening(poll)
    talk.go()
    assert [type(refusal) for refusal in talk.dead] == [PollUnknown]
    assert talk.town.application.poll(poll).state is State.PUBLISHED


def test_a_replacement_that_moves_no_date_opens_as_well(talk: Talk) -> None:
    application = talk.town.application
    poll = application.draft(says(timedelta(minutes=1)), "officer-a")
    roll = talk.prepare(poll, says(timedelta(minutes=1)))
    application.publish(poll, roll, "officer-a")
    talk.go()
    assert application.poll(poll).issuance_ready
    corrected = {**says(timedelta(minutes=1)), "description": "La commune propose d'éteindre l'éclairage des rues."}
    application.replace(poll, corrected, roll, "Une faute dans la description.", "officer-a")
    assert not application.poll(poll).issuance_ready
    talk.town.confirm_opening(poll)
    talk.town.clock.now = NOON + timedelta(minutes=2)
    talk.go()
    talk.go()
    assert application.poll(poll).state is State.OPEN
    assert talk.dead == []
