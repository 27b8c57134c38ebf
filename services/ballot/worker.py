"""The ballot service's worker: it hears from identity that a manifest is accepted, and that issuance is closed."""

from __future__ import annotations

from services.ballot.policies import BallotPolicies
from services.shared.contracts import identity
from services.shared.entrypoints import Provide, consume
from services.shared.feed import Told
from services.shared.store import Tx


class BallotWorker:
    name = "ballot"
    policies = Provide(BallotPolicies)

    @consume(identity.TOPIC)
    def on_identity_events(self, tx: Tx, told: Told) -> None:
        """Effects and positions commit together, so a redelivery changes nothing."""
        self.policies.process(told.type, told.version, told.value)
