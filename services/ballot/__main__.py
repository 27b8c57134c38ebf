"""The ballot service's only composition root: its doors and its commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from services.ballot.application import BallotApplication, PublicKeys
from services.ballot.policies import BallotPolicies
from services.ballot.settings import Settings
from services.ballot.store import log, slot, views
from services.ballot.store.box import BallotBox
from services.ballot.store.sources import BallotSources
from services.shared import cli, keys, logs, stop, store
from services.shared.aggregates import EVENTS_STEPS, Aggregates
from services.shared.feed import TRACKING_STEPS
from services.shared.relay import RELAY_STEPS

if TYPE_CHECKING:
    from services.ballot.seal import Sealer

STEPS = (*TRACKING_STEPS, *RELAY_STEPS, *EVENTS_STEPS, *views.STEPS)


@dataclass(frozen=True)
class Parts:
    """Everything that more than one door needs, wired once."""

    settings: Settings
    polls: store.Database
    slot: slot.Slot
    log: log.Log
    views: views.Views
    aggregates: Aggregates

    @classmethod
    def from_env(cls) -> Parts:
        settings = Settings.from_env()
        common = settings.common
        polls = store.open_database(common, "ballot")
        read_models = views.Views(polls)
        return cls(
            settings=settings,
            polls=polls,
            slot=slot.Slot(store.open_database(common, "ballot", "slot", secure_delete=True, cache_mb=32)),
            log=log.Log(store.open_database(common, "ballot", "log", cache_mb=64)),
            views=read_models,
            aggregates=Aggregates(polls, (read_models.put,)),
        )

    @property
    def keys(self) -> Path:
        return self.settings.common.keys / "ballot"

    @property
    def box(self) -> BallotBox:
        return BallotBox(self.slot, self.log.database)

    @property
    def sources(self) -> BallotSources:
        return BallotSources(self.aggregates, self.log)

    def application(self) -> BallotApplication:
        public = PublicKeys(
            origin=self.settings.common.host_name,
            log=bytes(keys.load_verify_key(self.keys / "log.pub")),
            promise=bytes(keys.load_verify_key(self.keys / "promise.pub")),
        )
        return BallotApplication(self.aggregates, public)

    def sealer(self) -> Sealer:
        from services.ballot.seal import Sealer

        key = keys.load_signing_key(self.keys / "log.key")
        return Sealer(self.application(), self.views, self.slot, self.log, key)

    def ready(self) -> None:
        """Raises StoreFailed while a store is missing or older than this release."""
        self.polls.check(STEPS)
        self.slot.database.check(slot.STEPS)
        self.log.database.check(log.STEPS)


def api(port: int) -> int:
    from services.ballot.api import create_api
    from services.shared.serve import serve_flask
    from services.shared.tokens import TokenVerifier

    parts = Parts.from_env()
    tokens = TokenVerifier(parts.settings.common.keys / "gateway" / "token.pub", "ballot")
    application = parts.application()
    serve_flask(
        lambda: create_api(application, parts.views, parts.box, parts.log, tokens, parts.ready),
        parts.settings.common.bind,
        port,
    )


def cast(port: int) -> int:
    from services.ballot.cast import CastDoor
    from services.shared.serve import serve_asgi

    parts = Parts.from_env()
    parts.ready()
    key = keys.load_signing_key(parts.keys / "promise.key")
    serve_asgi(lambda: CastDoor(parts.box, key, queue=parts.settings.queue), parts.settings.common.bind, port)


def seal() -> int:
    from services.ballot.seal import run
    from services.shared import metrics

    parts = Parts.from_env()
    parts.ready()
    metrics.serve()
    sealer = parts.sealer()
    asked = stop.on_signals()
    beat = metrics.heartbeat(parts.settings.common.data, "ballot", "seal")
    with parts.log.database.exclusive("seal") as still_held:
        run(sealer, parts.settings.seal_pause, asked, beat.beat, still_held)
    return 0


def worker(repair: list[str]) -> int:
    from services.ballot.worker import BallotWorker
    from services.shared import entrypoints, repairs
    from services.shared.eventlog import open_feed

    parts = Parts.from_env()
    parts.ready()
    common = parts.settings.common
    provided = {BallotPolicies: BallotPolicies(parts.application())}
    if repair:
        subscribed = entrypoints.subscriptions(
            entrypoints.assemble(BallotWorker, common, parts.polls, provided=provided)
        )
        feed = lambda: open_feed(common, "ballot-repairs", sorted(subscribed))  # noqa: E731 opened only if it is needed
        return repairs.command(repair, parts.polls, lambda: subscribed, feed)
    return entrypoints.run_worker(BallotWorker, common, parts.polls, provided=provided)


def relay(again_from: int | None, source: str | None) -> int:
    from services.shared import relay as relays

    parts = Parts.from_env()
    parts.ready()
    sources = parts.sources
    return relays.serve(
        parts.settings.common,
        parts.polls,
        sources.pending if again_from is None else sources.all,
        service="ballot",
        again_from=again_from,
        source=source,
    )


def migrate() -> int:
    parts = Parts.from_env()
    parts.polls.migrate(STEPS)
    parts.slot.database.migrate(slot.STEPS)
    parts.log.database.migrate(log.STEPS)
    return 0


def make_keys() -> int:
    """Makes what is missing; what is there stays."""
    folder = Settings.from_env().common.keys / "ballot"
    for name in ("log", "promise"):
        try:
            keys.make_key_pair(folder / f"{name}.key", folder / f"{name}.pub")
            print(f"{folder / name}.key: made. Back the keys up apart from the data.")
        except keys.KeyExists as e:
            print(e)
    return 0


def export(poll: str, origin: str, to: str) -> int:
    from services.ballot.store.export import export_store, export_topic

    parts = Parts.from_env()
    application = parts.application()
    if origin == "store":
        lines = export_store(parts.log, application.poll(poll), application.manifest(poll))
    else:
        lines = export_topic(parts.settings.common, poll)
    written = _write(lines, to)
    print(f"{written} lines", file=sys.stderr)
    return 0


def _write(lines: Iterable[bytes], to: str) -> int:
    """Whole or not at all: an export that broke off must not pass for a bundle."""
    count = 0
    if to == "-":
        for line in lines:
            sys.stdout.buffer.write(line)
            count += 1
        return count
    draft = Path(to).with_name(Path(to).name + ".part")
    with draft.open("wb") as file:
        for line in lines:
            file.write(line)
            count += 1
    draft.replace(to)
    return count


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m services.ballot", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("api", "cast"):
        commands.add_parser(name).add_argument("--port", type=int, required=True)
    for name in ("seal", "migrate", "keys"):
        commands.add_parser(name)
    commands.add_parser("worker").add_argument("repair", nargs="*", help="dead-letters list|replay N|drop N, …")
    telling = commands.add_parser("relay")
    telling.add_argument("--again-from", type=int, help="repeat what was told from this position on, then stop")
    telling.add_argument("--source", help="of this source alone, as ballot/polls")
    exporting = commands.add_parser("export")
    exporting.add_argument("poll")
    exporting.add_argument("--from", dest="origin", choices=("store", "topic"), default="store")
    exporting.add_argument("--to", default="-", help="a file; - for standard output")
    args = parser.parse_args()
    if args.command != "export":
        logs.configure("ballot", args.command)
    match args.command:
        case "api":
            return api(args.port)
        case "cast":
            return cast(args.port)
        case "worker":
            return worker(args.repair)
        case "relay":
            return relay(args.again_from, args.source)
        case "export":
            return export(args.poll, args.origin, args.to)
        case _:
            return {"seal": seal, "migrate": migrate, "keys": make_keys}[args.command]()


if __name__ == "__main__":
    cli.finish(main)
