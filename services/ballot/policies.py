"""What the ballot service does when other services tell something."""

from __future__ import annotations

from services.ballot.application import BallotApplication
from services.shared.contracts import identity


class BallotPolicies:
    def __init__(self, application: BallotApplication) -> None:
        self._application = application

    def process(self, type: str, version: int, value: bytes) -> None:
        """Kinds that this release does not know are passed over. Within the transaction that tracks the message."""
        event = identity.decode(type, version, value)
        match event:
            case identity.IssuanceReady(poll=poll, manifest_hash=manifest_hash):
                self._application.record_issuance_ready(poll, manifest_hash)
            case identity.IssuanceClosed():
                self._application.record_issuance(event.poll, event.stratum, event.issued, event.reissued)
