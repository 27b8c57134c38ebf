"""What identity tells of its own events: private ones stay here, published ones are contracts."""

from __future__ import annotations

from typing import Any

from services.shared.contracts import identity


def tell(event: Any) -> identity.Event | None:
    """The published form of one event; None for what stays private."""
    poll = str(event.originator_id)
    match type(event).__name__:
        case "Published" if getattr(event, "manifest_hash", None) is not None:  # the first release told no hash
            return identity.IssuanceReady(poll, event.manifest_hash)
        case "StratumClosed":
            return identity.IssuanceClosed(poll, event.stratum, event.issued, event.reissued)
        case "Erased":
            return identity.PersonErased(event.subject)
    return None
