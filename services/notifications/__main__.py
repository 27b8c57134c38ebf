"""The notifications service's only composition root: its doors and its commands."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from services.notifications.application.outbox import Outbox
from services.notifications.policies import ErasurePolicies, NotificationPolicies
from services.notifications.settings import Settings
from services.notifications.store import STEPS, InboxStore
from services.notifications.store.outbox import OUTBOX_STEPS, OutboxStore
from services.notifications.store.spool import Spool
from services.shared import cli, logs, store


@dataclass(frozen=True)
class Parts:
    """Everything that more than one door needs, wired once."""

    settings: Settings
    inbox: InboxStore
    messages: OutboxStore
    spool: Spool

    @classmethod
    def from_env(cls) -> Parts:
        settings = Settings.from_env()
        outbox = store.open_database(settings.common, "notifications", "outbox", secure_delete=True)
        return cls(
            settings=settings,
            inbox=InboxStore(store.open_database(settings.common, "notifications")),
            messages=OutboxStore(outbox),
            spool=Spool(settings.common.data / "spool"),
        )

    def outbox(self) -> Outbox:
        return Outbox(self.messages, self.spool, self.settings.sender, self.settings.keep_days)

    def ready(self) -> None:
        """Raises StoreFailed while a store is missing or older than this release."""
        self.inbox.database.check(STEPS)
        self.messages.database.check(OUTBOX_STEPS)


def api(port: int) -> int:
    from services.notifications.api import create_api
    from services.shared.serve import serve_flask
    from services.shared.tokens import TokenVerifier

    parts = Parts.from_env()
    keys = parts.settings.common.keys
    tokens = TokenVerifier(
        keys / "gateway" / "token.pub", "notifications", services={"identity": keys / "identity" / "token.pub"}
    )
    shown = parts.spool if parts.settings.spool_page else None
    serve_flask(
        lambda: create_api(parts.inbox, parts.outbox(), tokens, parts.ready, shown), parts.settings.common.bind, port
    )


def worker(repair: list[str]) -> int:
    from services.notifications.worker import NotificationsWorker
    from services.shared import entrypoints, repairs
    from services.shared.eventlog import open_feed

    parts = Parts.from_env()
    parts.ready()
    common, database = parts.settings.common, parts.inbox.database
    outbox = parts.outbox()
    provided = {
        NotificationPolicies: NotificationPolicies(parts.inbox),
        ErasurePolicies: ErasurePolicies(outbox),
        Outbox: outbox,
    }
    if repair:
        subscribed = entrypoints.subscriptions(
            entrypoints.assemble(NotificationsWorker, common, database, provided=provided)
        )
        feed = lambda: open_feed(common, "notifications-repairs", sorted(subscribed))  # noqa: E731 only if needed
        return repairs.command(repair, database, lambda: subscribed, feed)
    return entrypoints.run_worker(NotificationsWorker, common, database, provided=provided)


def migrate() -> int:
    parts = Parts.from_env()
    parts.inbox.database.migrate(STEPS)
    parts.messages.database.migrate(OUTBOX_STEPS)
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
