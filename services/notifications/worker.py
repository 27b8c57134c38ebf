"""The notifications service's worker: it turns what the polls tell into messages."""

from __future__ import annotations

from services.notifications.policies import NotificationPolicies
from services.shared.contracts import ballot
from services.shared.entrypoints import Provide, consume
from services.shared.feed import Told
from services.shared.store import Tx


class NotificationsWorker:
    name = "notifications"
    policies = Provide(NotificationPolicies)

    @consume(ballot.TOPIC, since="now")
    def on_ballot_events(self, tx: Tx, told: Told) -> None:
        """Effects and positions commit together, so a redelivery changes nothing. What was told before this service
        first started is no news."""
        self.policies.process(told.id, told.type, told.version, told.value)
