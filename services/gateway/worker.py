"""The gateway's worker: it forgets whom identity erased, on every browser."""

from __future__ import annotations

from typing import Protocol

from services.shared.contracts import identity
from services.shared.entrypoints import Provide, consume
from services.shared.feed import Told
from services.shared.store import Tx


class Kept(Protocol):
    def forget(self, subject: str) -> None:
        """Harmless when repeated."""


class Forgetting:
    """Whatever the gateway keeps of somebody, each part in its own way."""

    def __init__(self, *kept: Kept) -> None:
        self._kept = kept

    def process(self, type: str, version: int, value: bytes) -> None:
        """Within the transaction that tracks the message. Kinds that this release does not know are passed over."""
        event = identity.decode(type, version, value)
        if isinstance(event, identity.PersonErased):
            for part in self._kept:
                part.forget(event.subject)


class GatewayWorker:
    name = "gateway"
    forgetting = Provide(Forgetting)

    @consume(identity.TOPIC)
    def on_identity_events(self, tx: Tx, told: Told) -> None:
        """From the beginning: whoever was erased at any time is forgotten here too."""
        self.forgetting.process(told.type, told.version, told.value)
