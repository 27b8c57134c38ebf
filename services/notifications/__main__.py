"""The notifications service's only composition root: its doors and its commands."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from services.notifications.policies import NotificationPolicies
from services.notifications.settings import Settings
from services.notifications.store import STEPS, InboxStore
from services.shared import cli, logs, store


@dataclass(frozen=True)
class Parts:
    """Everything that more than one door needs, wired once."""

    settings: Settings
    inbox: InboxStore

    @classmethod
    def from_env(cls) -> Parts:
        settings = Settings.from_env()
        return cls(settings=settings, inbox=InboxStore(store.open_database(settings.common, "notifications")))

    def ready(self) -> None:
        """Raises StoreFailed while the store is missing or older than this release."""
        self.inbox.database.check(STEPS)


def api(port: int) -> int:
    from services.notifications.api import create_api
    from services.shared.serve import serve_flask
    from services.shared.tokens import TokenVerifier

    parts = Parts.from_env()
    tokens = TokenVerifier(parts.settings.common.keys / "gateway" / "token.pub", "notifications")
    serve_flask(lambda: create_api(parts.inbox, tokens, parts.ready), parts.settings.common.bind, port)


def worker(repair: list[str]) -> int:
    from services.notifications.worker import NotificationsWorker
    from services.shared import entrypoints, repairs
    from services.shared.eventlog import open_feed

    parts = Parts.from_env()
    parts.ready()
    common, database = parts.settings.common, parts.inbox.database
    provided = {NotificationPolicies: NotificationPolicies(parts.inbox)}
    if repair:
        subscribed = entrypoints.subscriptions(
            entrypoints.assemble(NotificationsWorker, common, database, provided=provided)
        )
        feed = lambda: open_feed(common, "notifications-repairs", sorted(subscribed))  # noqa: E731 only if needed
        return repairs.command(repair, database, lambda: subscribed, feed)
    return entrypoints.run_worker(NotificationsWorker, common, database, provided=provided)


def migrate() -> int:
    Parts.from_env().inbox.database.migrate(STEPS)
    return 0


def make_keys() -> int:
    """This service has none; the command is the same in every service."""
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m services.notifications", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("api").add_argument("--port", type=int, required=True)
    for name in ("migrate", "keys"):
        commands.add_parser(name)
    commands.add_parser("worker").add_argument("repair", nargs="*", help="dead-letters list|replay N|drop N, …")
    args = parser.parse_args()
    logs.configure("notifications", args.command)
    match args.command:
        case "api":
            return api(args.port)
        case "worker":
            return worker(args.repair)
        case _:
            return {"migrate": migrate, "keys": make_keys}[args.command]()


if __name__ == "__main__":
    cli.finish(main)
