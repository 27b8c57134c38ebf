"""The last step of a restore, before any door opens: what the copied stores cannot know of themselves.

    python -m deploy.restored      (with PARVIS_DATA and PARVIS_KEYS set; deploy/backup.py runs it)

Every source that tells events begins a new incarnation. The ballot slot was never backed up: its gates are set again as
the polls say, so that an open poll takes ballots. What was promised after the backup is not in it; each such voter
holds a signed promise, and `audit --promise` shows that it was not kept.
"""

from __future__ import annotations

import sys

from services.ballot.__main__ import Parts as Ballot
from services.ballot.domain import State
from services.identity.__main__ import Parts as Identity
from services.identity.store.sources import IssuanceSource
from services.shared import relay


def main() -> int:
    ballot, identity = Ballot.from_env(), Identity.from_env()
    sources = [IssuanceSource(identity.rolls.aggregates)]
    relay.restored(identity.rolls.database, lambda: sources)
    relay.restored(ballot.polls, ballot.sources.all)
    set_gates(ballot)
    return 0


def set_gates(ballot: Ballot) -> None:
    application = ballot.application()
    for poll in ballot.views.work():
        found = application.poll(poll)
        if found.state not in (State.OPEN, State.CLOSING):
            continue  # the sealer itself sets the gates of a poll that is not open yet
        manifest = application.manifest(poll)
        ballot.slot.prepare(poll, found.stations, manifest.hash.hex(), manifest.canonical)
        for station in found.stations:
            ballot.slot.turn(poll, station, "open")
            if found.state is State.CLOSING:
                ballot.slot.turn(poll, station, "closing")


if __name__ == "__main__":
    sys.exit(main())
