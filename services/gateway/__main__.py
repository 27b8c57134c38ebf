"""The gateway's commands: `api` serves the pages, `worker` forgets whom identity erased, `migrate` makes the store,
`keys` makes the keys."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from services.gateway.settings import GatewaySettings
from services.gateway.store import STEPS
from services.gateway.store.api_keys import ApiKeys
from services.gateway.store.drafts import Drafts
from services.shared import keys, logs, serve
from services.shared.eventlog import LogNotReady, open_feed
from services.shared.settings import SettingRefused
from services.shared.store import Database, StoreFailed, open_database

USAGE_FAULT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; what a person can put right is one sentence on stderr and exit code 2."""
    asked = _parser().parse_args(arguments)
    try:
        settings = GatewaySettings.from_env()
        if asked.command == "migrate":
            open_database(settings.common, "gateway").migrate(STEPS)
        elif asked.command == "keys":
            _make_keys(settings)
        elif asked.command == "worker":
            return _worker(settings, asked.repair)
        else:
            return _api(settings, asked.port, asked.threads)
    except (SettingRefused, StoreFailed, keys.KeyRefused, LogNotReady) as e:
        print(e, file=sys.stderr)
        return USAGE_FAULT
    return 0


def _store(settings: GatewaySettings) -> Database:
    database = open_database(settings.common, "gateway")
    database.check(STEPS)
    return database


def _api(settings: GatewaySettings, port: int, threads: int) -> int:
    from services.gateway.pages.app import AssetsMissing, create_app

    logs.configure("gateway", "api")
    try:
        serve.serve_flask(lambda: create_app(settings, _store(settings)), settings.common.bind, port, threads)
    except AssetsMissing as e:
        print(e, file=sys.stderr)
        return USAGE_FAULT


def _worker(settings: GatewaySettings, repair: list[str]) -> int:
    from services.gateway.worker import Forgetting, GatewayWorker
    from services.shared import entrypoints, repairs

    logs.configure("gateway", "worker")
    common, database = settings.common, _store(settings)
    provided = {Forgetting: Forgetting(Drafts(database), ApiKeys(database))}
    if repair:
        subscribed = entrypoints.subscriptions(entrypoints.assemble(GatewayWorker, common, database, provided=provided))
        feed = lambda: open_feed(common, "gateway-repairs", sorted(subscribed))  # noqa: E731 only if needed
        return repairs.command(repair, database, lambda: subscribed, feed)
    return entrypoints.run_worker(GatewayWorker, common, database, provided=provided)


def _make_keys(settings: GatewaySettings) -> None:
    """The tokens' key pair and the cookies' key; a key that exists stays as it is."""
    if not settings.token_key.exists():
        keys.make_key_pair(settings.token_key, settings.token_pub)
    if not settings.cookie_key.exists():
        keys.make_key(settings.cookie_key)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.gateway", description="Citizen front end of Parvis.")
    commands = parser.add_subparsers(dest="command", required=True)
    api = commands.add_parser("api", help="serve the pages")
    api.add_argument("--port", type=int, default=8080)
    api.add_argument("--threads", type=int, default=16)
    worker = commands.add_parser("worker", help="forget whom identity erased")
    worker.add_argument("repair", nargs="*", help="dead-letters list|replay N|drop N, …")
    commands.add_parser("migrate", help="make the store, or bring it to this release")
    commands.add_parser("keys", help="make the keys that are missing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
