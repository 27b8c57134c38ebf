"""What the relay walks: the events of issuances and erasures."""

from __future__ import annotations

from typing import Any

from services.identity.projections import tell
from services.shared.aggregates import Aggregates
from services.shared.contracts import identity
from services.shared.relay import Row


class IssuanceSource:
    """ "identity/issuance": position = the event's number in the store."""

    name = "identity/issuance"

    def __init__(self, aggregates: Aggregates) -> None:
        self._aggregates = aggregates

    def read(self, after: int, limit: int) -> list[Row]:
        notifications = self._aggregates.recorder.select_notifications(after + 1, limit)
        return [_row(n.id, self._aggregates.mapper.to_domain_event(n)) for n in notifications]


def _row(position: int, event: Any) -> Row:
    told = tell(event)
    if told is None:
        return Row(position)
    id = f"{event.originator_id}.{event.originator_version}"
    key = told.subject if isinstance(told, identity.PersonErased) else told.poll
    return Row(position, identity.TOPIC, key, type(told).__name__, told.version, id, identity.encode(told))
