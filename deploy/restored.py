"""The last step of a restore, before any door opens: what the copied stores cannot know of themselves.

    python -m deploy.restored      (with PARVIS_DATA and PARVIS_KEYS set; deploy/backup.py runs it)

Every source that tells events begins a new incarnation. The ballot slot was never backed up: its gates are set again as
the polls say, and an epoch that the copy caught half-way is ended. What was promised after the backup is not in it;
each such voter holds a signed promise, and `audit --promise` shows that it was not kept.
"""

from __future__ import annotations

import sys

from services.ballot.__main__ import Parts as Ballot
from services.identity.__main__ import Parts as Identity
from services.identity.store.sources import IssuanceSource
from services.shared import relay


def main() -> int:
    ballot, identity = Ballot.from_env(), Identity.from_env()
    sources = [IssuanceSource(identity.rolls.aggregates)]
    relay.restored(identity.rolls.database, lambda: sources)
    relay.restored(ballot.polls, ballot.sources.all)
    ballot.sealer().restored()
    return 0


if __name__ == "__main__":
    sys.exit(main())
