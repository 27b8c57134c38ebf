"""The identity service's only composition root: its doors and its commands."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from services.identity.application.asks import Limits
from services.identity.application.codes import Codes
from services.identity.application.desk import Desk
from services.identity.application.external import ExternalSignIn
from services.identity.application.issuance import Issuance
from services.identity.application.notices import Notices
from services.identity.application.organisations import Organisations
from services.identity.application.people_file import (
    CONTROL,
    EMPTY,
    FAR_DATE,
    LONGEST,
    NO_DATE,
    TOO_LONG,
    FieldRefused,
    Import,
)
from services.identity.application.personal import Personal
from services.identity.application.roles import Roles
from services.identity.application.sign_in import SignIn
from services.identity.domain import DEFAULT_STRATUM, ROLES, PersonKnown
from services.identity.policies import IdentityPolicies
from services.identity.settings import Settings
from services.identity.store.codes import CodeStore
from services.identity.store.desk import DeskStore
from services.identity.store.entries import EntryStore
from services.identity.store.external import ExternalAccounts
from services.identity.store.keys import PollKeyFiles
from services.identity.store.organisations import OrganisationStore
from services.identity.store.people import PeopleStore
from services.identity.store.rolls import ROLL_STEPS, RollStore
from services.identity.store.sources import IssuanceSource
from services.identity.store.vault import VAULT_STEPS, Vault
from services.shared import cli, keys, logs, store

if TYPE_CHECKING:
    from services.shared import web

COMMAND = "the command line"
_SAID = {
    EMPTY: "il est vide",
    TOO_LONG: f"il dépasse {LONGEST} caractères",
    CONTROL: "il contient un caractère de contrôle",
    NO_DATE: "ce n’est pas une date comme 24/05/1987",
    FAR_DATE: "cette date est avant 1900 ou dans le futur",
}


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
                lambda: keys.load_secret(settings.common.keys / "identity" / "code.key"),
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

    def external(self) -> ExternalSignIn:
        return ExternalSignIn(ExternalAccounts(self.people.database), self.people, self.code_key())

    def importing(self) -> Import:
        return Import(self.people, self.code_key())

    def roles(self) -> Roles:
        return Roles(self.people, self.code_key(), self.sign_in())

    def personal(self) -> Personal:
        return Personal(self.people, EntryStore(self.people), self.organisations(), self.rolls)

    def organisations(self) -> Organisations:
        return Organisations(OrganisationStore(self.people), self.people, self.code_key())

    def codes(self) -> Codes:
        s = self.settings
        limits = Limits(s.sign_in_tries, s.codes_per_source, s.codes_in_all, s.common.gateway_url)
        return Codes(CodeStore(self.people.database), self.people, self.code_key(), limits)

    def desk(self) -> Desk:
        return Desk(DeskStore(self.people.database, self.people.vault), self.people, self.codes(), self.code_key())

    def notices(self) -> Notices:
        return Notices(DeskStore(self.people.database, self.people.vault), self.people, self.code_key())

    def ready(self) -> None:
        """Raises StoreFailed while a store is missing or older than this release."""
        self.people.vault.database.check(VAULT_STEPS)
        self.people.database.check(self.people.steps)
        self.rolls.database.check(ROLL_STEPS)


def wired(parts: Parts) -> web.App:
    """The API over these parts. Raises keys.KeyRefused."""
    from services.identity.api import create_api
    from services.identity.api.registry import Registry
    from services.shared.tokens import TokenVerifier

    tokens = TokenVerifier(parts.settings.common.keys / "gateway" / "token.pub", "identity")
    registry = Registry.over(
        parts.people, parts.rolls, parts.issuance(), parts.sign_in(), parts.personal(), parts.code_key()
    )
    people = (parts.sign_in(), parts.external(), parts.roles(), parts.personal(), parts.issuance())
    return create_api(*people, tokens, parts.ready, codes=parts.codes(), desk=parts.desk(), registry=registry)


def api(port: int) -> int:
    from services.shared.serve import serve_flask

    parts = Parts.from_env()
    serve_flask(lambda: wired(parts), parts.settings.common.bind, port)


def worker(repair: list[str]) -> int:
    from services.identity.worker import IdentityWorker, roll_work
    from services.shared import entrypoints, repairs
    from services.shared.eventlog import open_feed
    from services.shared.outbox import OutboxClient
    from services.shared.tokens import TokenSigner

    parts = Parts.from_env()
    parts.ready()
    common, database, issuance = parts.settings.common, parts.rolls.database, parts.issuance()
    provided = {
        IdentityPolicies: IdentityPolicies(issuance),
        Issuance: issuance,
        SignIn: parts.sign_in(),
        Personal: parts.personal(),
        RollStore: parts.rolls,
        **roll_work(parts.people, parts.rolls, parts.importing(), parts.code_key()),
        Codes: parts.codes(),
        Notices: parts.notices(),
        OutboxClient: OutboxClient(common.notifications_url, TokenSigner(parts.keys / "token.key", issuer="identity")),
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
    folder = Settings.from_env().common.keys / "identity"
    code, token, public = (folder / name for name in ("code.key", "token.key", "token.pub"))
    for path in (code, token):
        try:
            keys.make_key(path) if path is code else keys.make_key_pair(path, public)
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


def first_administrator(family_name: str, given_name: str, born: str) -> int:
    try:
        subject, code = Parts.from_env().roles().first_administrator(family_name, given_name, born)
    except FieldRefused as wrong:
        print(f"Le champ « {wrong.field} » est refusé : {_SAID[wrong.reason]}.", file=sys.stderr)
        return 1
    except PersonKnown as known:
        role = f"python -m services.identity grant-role {known.subject} administrator"
        print(f"Cette personne est déjà connue. Donnez-lui le rôle : {role}", file=sys.stderr)
        return 1
    print(json.dumps({"subject": subject, "code": code}))
    return 0


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
            return first_administrator(args.family_name, args.given_name, args.born)
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
