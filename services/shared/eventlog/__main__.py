"""`python -m services.shared.eventlog topics [--replication N]`: makes Kafka's topics, once, as a job."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys

from services.shared import contracts
from services.shared.eventlog import LogNotReady
from services.shared.settings import Common


def published_topics() -> list[str]:
    """Every topic that a contract names: constants TOPIC and …_TOPIC of shared.contracts."""
    found = set()
    for module in pkgutil.iter_modules(contracts.__path__):
        names = vars(importlib.import_module(f"{contracts.__name__}.{module.name}"))
        found |= {topic for name, topic in names.items() if name == "TOPIC" or name.endswith("_TOPIC")}
    return sorted(found)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m services.shared.eventlog", description=__doc__)
    parser.add_argument("command", choices=["topics"])
    parser.add_argument("--replication", type=int, default=1, help="copies of each partition; 3 in a region")
    arguments = parser.parse_args()
    common = Common.from_env()
    if common.engine == "embedded":
        print("the local event log makes its streams by itself: nothing to do")
        return 0
    from services.shared.eventlog.kafka import create_topics

    try:
        made = create_topics(common.kafka, published_topics(), arguments.replication)
    except LogNotReady as e:
        print(e, file=sys.stderr)
        return 1
    print("made: " + (", ".join(made) or "nothing, all were there"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
