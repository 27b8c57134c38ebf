"""The notifications service's worker: it turns what the polls tell into messages of the inbox, hands messages to one
person to the spool, and forgets those of an erased person."""

from __future__ import annotations

from services.notifications.application.outbox import Outbox
from services.notifications.policies import ErasurePolicies, NotificationPolicies
from services.shared.contracts import ballot, identity
from services.shared.entrypoints import Provide, consume, every
from services.shared.feed import Told
from services.shared.store import Tx


class NotificationsWorker:
    name = "notifications"
    policies = Provide(NotificationPolicies)
    erasures = Provide(ErasurePolicies)
    outbox = Provide(Outbox)

    @consume(ballot.TOPIC, since="now")
    def on_ballot_events(self, tx: Tx, told: Told) -> None:
        """Effects and positions commit together, so a redelivery changes nothing. What was told before this service
        first started is no news."""
        self.policies.process(told.id, told.type, told.version, told.value)

    @consume(identity.TOPIC)
    def on_identity_events(self, tx: Tx, told: Told) -> None:
        """From the beginning: whoever was erased at any time is forgotten here too."""
        self.erasures.process(told.type, told.version, told.value)

    @every(0.25)
    def spool(self) -> None:
        self.outbox.spool()

    @every(3600)
    def forget_old(self) -> None:
        self.outbox.forget_old()
