"""What identity tells of its own events: private ones stay here, published ones are contracts."""

from __future__ import annotations

from typing import Any

from services.shared.contracts import identity


def tell(event: Any) -> identity.Event | None:
    """The published form of one event of a PollIssuance; None for what stays private."""
    if type(event).__name__ == "StratumClosed":
        return identity.IssuanceClosed(str(event.originator_id), event.stratum, event.issued, event.reissued)
    return None
