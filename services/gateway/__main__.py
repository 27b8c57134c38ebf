"""The gateway's commands: `api` serves the pages, `migrate` makes the store, `keys` makes the keys."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from services.gateway.pages.app import AssetsMissing, create_app
from services.gateway.settings import GatewaySettings
from services.gateway.store import STEPS
from services.shared import keys, logs, serve
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
        else:
            logs.configure("gateway", "api")
            serve.serve_flask(
                lambda: create_app(settings, _store(settings)), settings.common.bind, asked.port, asked.threads
            )
    except (SettingRefused, StoreFailed, keys.KeyRefused, AssetsMissing) as e:
        print(e, file=sys.stderr)
        return USAGE_FAULT
    return 0


def _store(settings: GatewaySettings) -> Database:
    database = open_database(settings.common, "gateway")
    database.check(STEPS)
    return database


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
    commands.add_parser("migrate", help="make the store, or bring it to this release")
    commands.add_parser("keys", help="make the keys that are missing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
