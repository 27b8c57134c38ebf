"""The identity service's worker: it follows the polls' lives, closes issuance on time, and
finishes erasures that were confirmed."""

from __future__ import annotations

from services.identity.application.issuance import Issuance
from services.identity.application.personal import Personal
from services.identity.application.sign_in import SignIn
from services.identity.policies import IdentityPolicies
from services.identity.store.rolls import RollStore
from services.shared.contracts import ballot
from services.shared.entrypoints import Provide, consume, every
from services.shared.feed import Told
from services.shared.store import Tx


class IdentityWorker:
    name = "identity"
    policies = Provide(IdentityPolicies)
    issuance = Provide(Issuance)
    sign_in = Provide(SignIn)
    personal = Provide(Personal)
    rolls = Provide(RollStore)

    @consume(ballot.TOPIC)
    def on_ballot_events(self, tx: Tx, told: Told) -> None:
        """Effects and positions commit together, so a redelivery changes nothing."""
        self.policies.process(told.type, told.version, told.value)

    @every(1)
    def close_issuance(self) -> None:
        self.issuance.close_due()

    @every(5)
    def finish_erasures(self) -> None:
        self.personal.finish_erasures()

    @every(60)
    def forget(self) -> None:
        self.sign_in.forget_old_tries()
        self.rolls.forget_order()
