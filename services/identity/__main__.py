"""The identity service's only composition root: its doors and its commands."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from services.identity.application.issuance import Issuance
from services.identity.application.people_file import Import
from services.identity.application.personal import Personal
from services.identity.application.roles import Roles
from services.identity.application.sign_in import SignIn
from services.identity.domain import DEFAULT_STRATUM, ROLES
from services.identity.policies import IdentityPolicies
from services.identity.settings import Settings
from services.identity.store.keys import PollKeyFiles
from services.identity.store.people import PeopleStore
from services.identity.store.rolls import ROLL_STEPS, RollStore
from services.identity.store.sources import IssuanceSource
from services.identity.store.vault import VAULT_STEPS, Vault
from services.shared import cli, keys, logs, store

COMMAND = "the command line"


@dataclass(frozen=True)
class Parts:
    """Everything that more than one door needs, wired once."""

    settings: Settings
    people: PeopleStore
    rolls: RollStore

    @classmethod
    def from_env(cls) -> Parts:
        settings = Settings.from_env()
        return cls(
            settings=settings,
            people=PeopleStore(
                store.open_database(settings.common, "identity", "people", secure_delete=True),
                Vault(store.open_database(settings.common, "identity", "vault", secure_delete=True)),
            ),
            rolls=RollStore(store.open_database(settings.common, "identity", secure_delete=True)),
        )

    @property
    def keys(self) -> Path:
        return self.settings.common.keys / "identity"

    def code_key(self) -> bytes:
        return keys.load_secret(self.keys / "code.key")

    def issuance(self) -> Issuance:
        return Issuance(self.rolls, self.people, PollKeyFiles(self.keys))

    def sign_in(self) -> SignIn:
        return SignIn(self.people, self.code_key(), self.settings.sign_in_tries)

    def importing(self) -> Import:
        return Import(self.people, self.code_key())

    def roles(self) -> Roles:
        return Roles(self.people, self.code_key(), self.sign_in())

    def personal(self) -> Personal:
        return Personal(self.people, self.rolls)

    def ready(self) -> None:
        """Raises StoreFailed while a store is missing or older than this release."""
        self.people.vault.database.check(VAULT_STEPS)
        self.people.database.check(self.people.steps)
        self.rolls.database.check(ROLL_STEPS)


def api(port: int) -> int:
    from services.identity.api import create_api
    from services.shared.serve import serve_flask
    from services.shared.tokens import TokenVerifier

    parts = Parts.from_env()
    tokens = TokenVerifier(parts.settings.common.keys / "gateway" / "token.pub", "identity")
    sign_in, roles, personal = parts.sign_in(), parts.roles(), parts.personal()
    serve_flask(
        lambda: create_api(sign_in, roles, personal, parts.issuance(), tokens, parts.ready),
        parts.settings.common.bind,
        port,
    )


def worker(repair: list[str]) -> int:
    from services.identity.worker import IdentityWorker
    from services.shared import entrypoints, repairs
    from services.shared.eventlog import open_feed

    parts = Parts.from_env()
    parts.ready()
    common, database, issuance = parts.settings.common, parts.rolls.database, parts.issuance()
    provided = {
        IdentityPolicies: IdentityPolicies(issuance),
        Issuance: issuance,
        SignIn: parts.sign_in(),
        Personal: parts.personal(),
        RollStore: parts.rolls,
    }
    if repair:
        subscribed = entrypoints.subscriptions(
            entrypoints.assemble(IdentityWorker, common, database, provided=provided)
        )
        feed = lambda: open_feed(common, "identity-repairs", sorted(subscribed))  # noqa: E731 opened only if needed
        return repairs.command(repair, database, lambda: subscribed, feed)
    return entrypoints.run_worker(IdentityWorker, common, database, provided=provided)


def relay(again_from: int | None, source: str | None) -> int:
    from services.shared import relay as relays

    parts = Parts.from_env()
    parts.ready()
    sources = [IssuanceSource(parts.rolls.aggregates)]
    return relays.serve(
        parts.settings.common,
        parts.rolls.database,
        lambda: sources,
        service="identity",
        again_from=again_from,
        source=source,
    )


def migrate() -> int:
    parts = Parts.from_env()
    parts.people.vault.database.migrate(VAULT_STEPS)
    parts.people.database.migrate(parts.people.steps)
    parts.rolls.database.migrate(ROLL_STEPS)
    return 0


def make_keys() -> int:
    """Makes what is missing; what is there stays. A poll's own keys are made with its issuance."""
    path = Settings.from_env().common.keys / "identity" / "code.key"
    try:
        keys.make_key(path)
        print(f"{path}: made. Back the keys up apart from the data.")
    except keys.KeyExists as e:
        print(e)
    return 0


def import_people(file: Path, stratum: str, keep_good: bool) -> int:
    report = Parts.from_env().importing().run(file.read_bytes(), stratum=stratum, keep_good=keep_good, by=COMMAND)
    for fault in report.faults:
        print(f"line {fault.line}, {fault.field}: {fault.reason}", file=sys.stderr)
    print(f"{len(report.subjects)} people imported, {len(report.faults)} lines at fault")
    return 1 if report.faults else 0


def demo(people: int) -> int:
    """A region to play with, made once; its codes are told on standard output, as JSON."""
    from services.identity.application.demo import make_region

    parts = Parts.from_env()
    print(json.dumps(make_region(parts.importing(), parts.roles(), parts.people, people), ensure_ascii=False))
    return 0


def main() -> int:
    args = _parser().parse_args()
    logs.configure("identity", args.command)
    match args.command:
        case "api":
            return api(args.port)
        case "worker":
            return worker(args.repair)
        case "relay":
            return relay(args.again_from, args.source)
        case "import":
            return import_people(args.file, args.stratum, args.keep_good)
        case "sign-in-code":
            print(Parts.from_env().sign_in().new_code(args.subject))
        case "grant-role":
            Parts.from_env().roles().grant(args.subject, args.role, COMMAND, until=args.until)
        case "first-administrator":
            subject, code = Parts.from_env().roles().first_administrator(args.family_name, args.given_name, args.born)
            print(json.dumps({"subject": subject, "code": code}))
        case "demo":
            return demo(args.people)
        case _:
            return {"migrate": migrate, "keys": make_keys}[args.command]()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.identity", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("api").add_argument("--port", type=int, required=True)
    for name in ("migrate", "keys"):
        commands.add_parser(name)
    commands.add_parser("worker").add_argument("repair", nargs="*", help="dead-letters list|replay N|drop N, …")
    telling = commands.add_parser("relay")
    telling.add_argument("--again-from", type=int, help="repeat what was told from this position on, then stop")
    telling.add_argument("--source", help="of this source alone, as identity/issuance")
    importing = commands.add_parser("import", help="people from a CSV file, all or none")
    importing.add_argument("file", type=Path)
    importing.add_argument("--stratum", default=DEFAULT_STRATUM, help="of the lines that name none")
    importing.add_argument("--keep-good", action="store_true", help="import the lines that have no fault")
    commands.add_parser("sign-in-code", help="a new code, shown once").add_argument("subject")
    granting = commands.add_parser("grant-role")
    granting.add_argument("subject")
    granting.add_argument("role", choices=ROLES)
    granting.add_argument("--until", default="", help="as 2027-06-30T22:00:00Z; without it, for good")
    first = commands.add_parser("first-administrator", help="once: who names all the others; the code is shown once")
    for name, text in (("family_name", "NOM"), ("given_name", "PRÉNOM"), ("born", "AAAA-MM-JJ")):
        first.add_argument(name, metavar=text)
    commands.add_parser("demo").add_argument("--people", type=int, default=240)
    return parser


if __name__ == "__main__":
    cli.finish(main)
