"""Messages of the inbox, and their words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the inbox that everyone who is signed in can read. `id`: the event that it reacts to."""

    id: str
    at: str
    subject: str
    body: str
    poll: str | None


def poll_closed(id: str, at: str, poll: str, title: str) -> Message:
    return Message(
        id=id,
        at=at,
        subject=f"Le vote est clos : {title}",
        body=(
            f"Le scrutin « {title} » est clos : plus aucun bulletin ne peut y être déposé. "
            "Son résultat sera publié sur sa page après le dépouillement, que deux personnes confirment ; "
            "chacun pourra alors le recompter."
        ),
        poll=poll,
    )
