"""What identity does when other services tell something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.identity.application.issuance import Issuance
from services.shared.contracts import ballot
from services.shared.strict import MalformedJson


class IdentityPolicies:
    def __init__(self, issuance: Issuance) -> None:
        self._issuance = issuance

    def process(self, type: str, version: int, value: bytes) -> None:
        """Kinds that this release does not know are passed over. Within the transaction that tracks the message."""
        event = ballot.decode(type, version, value)
        match event:
            case ballot.PollPublished(poll=poll, manifest_hash=manifest_hash, manifest=manifest):
                self._issuance.publish(poll, manifest_hash, *_terms(manifest))
            case ballot.PollCancelled(poll=poll):
                self._issuance.close(poll)


def _terms(manifest: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str, str]:
    """What identity needs of a manifest. A manifest that lacks it is a dead letter, not the end of this worker."""
    try:
        strata, dates = manifest["strata"], (manifest["opens_at"], manifest["closes_at"])
        if all(isinstance(s, dict) for s in strata) and all(isinstance(d, str) for d in dates):
            return strata, *dates
    except (KeyError, TypeError):
        pass  # told below, as for the wrong types
    raise MalformedJson("no strata or no dates", field="manifest")
