"""The identity service's worker: it follows the polls' lives, closes issuance on time, and
finishes erasures that were confirmed, and hands to notifications' outbox the codes that were asked for."""

from __future__ import annotations

from services.identity.application.codes import Codes
from services.identity.application.duplicates import Duplicates
from services.identity.application.import_pass import ImportPass
from services.identity.application.imports import Imports
from services.identity.application.issuance import Issuance
from services.identity.application.notices import Notices
from services.identity.application.people_file import Import
from services.identity.application.personal import Personal
from services.identity.application.sign_in import SignIn
from services.identity.policies import IdentityPolicies
from services.identity.store.duplicates import DuplicateStore
from services.identity.store.entries import EntryStore
from services.identity.store.imports import ImportStore
from services.identity.store.people import PeopleStore
from services.identity.store.rolls import RollStore
from services.shared.contracts import ballot
from services.shared.entrypoints import Provide, consume, every
from services.shared.feed import Told
from services.shared.outbox import OutboxClient
from services.shared.store import Tx


class IdentityWorker:
    name = "identity"
    policies = Provide(IdentityPolicies)
    issuance = Provide(Issuance)
    sign_in = Provide(SignIn)
    personal = Provide(Personal)
    rolls = Provide(RollStore)
    imports = Provide(Imports)
    import_pass = Provide(ImportPass)
    duplicates = Provide(Duplicates)
    codes = Provide(Codes)
    notices = Provide(Notices)
    outbox = Provide(OutboxClient)

    @consume(ballot.TOPIC)
    def on_ballot_events(self, tx: Tx, told: Told) -> None:
        """Effects and positions commit together, so a redelivery changes nothing."""
        self.policies.process(told.type, told.version, told.value)

    @every(1)
    def close_issuance(self) -> None:
        self.issuance.close_due()

    @every(5)
    def finish_erasures(self) -> None:
        self.personal.finish_erasures()

    @every(1)
    def read_roll_files(self) -> None:
        """A piece at a time: closing issuance does not wait for a large file."""
        self.import_pass.work()

    @every(2)
    def look_for_duplicates(self) -> None:
        self.duplicates.finish()
        self.duplicates.look()

    @every(0.25)
    def send_codes(self) -> None:
        self.codes.send(self.outbox)

    @every(1)
    def send_notices(self) -> None:
        self.notices.send(self.outbox)

    @every(60)
    def forget(self) -> None:
        self.codes.forget_old()
        self.imports.tidy()
        self.sign_in.forget_old_tries()
        self.rolls.forget_order()


def roll_work(people: PeopleStore, rolls: RollStore, reading: Import, key: bytes) -> dict[type, object]:
    """What this worker needs for roll files and duplicates, by its class."""
    files, entries = ImportStore(people), EntryStore(people)
    return {
        Imports: Imports(files),
        ImportPass: ImportPass(files, reading, key),
        Duplicates: Duplicates(DuplicateStore(people), people, entries, rolls, key),
    }
