"""What the routes of rolls, people and organisations need, in one bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from services.identity.application.accounts import Accounts
from services.identity.application.corrections import Corrections
from services.identity.application.dossier import Dossier
from services.identity.application.duplicates import Duplicates
from services.identity.application.imports import Imports
from services.identity.application.inbox import Inbox
from services.identity.application.issuance import Issuance
from services.identity.application.organisations import Organisations
from services.identity.application.personal import Personal
from services.identity.application.sign_in import SignIn
from services.identity.application.standing import Standings
from services.identity.store.accounts import AccountStore
from services.identity.store.desk import DeskStore
from services.identity.store.duplicates import DuplicateStore
from services.identity.store.entries import EntryStore
from services.identity.store.imports import ImportStore
from services.identity.store.inbox import InboxStore
from services.identity.store.organisations import OrganisationStore
from services.identity.store.people import PeopleStore
from services.identity.store.rolls import RollStore


@dataclass(frozen=True, slots=True)
class Registry:
    """What agents work with, and what answers the people they work for."""

    imports: Imports
    corrections: Corrections
    dossier: Dossier
    duplicates: Duplicates
    standings: Standings
    accounts: Accounts
    organisations: Organisations
    personal: Personal
    inbox: Inbox

    @classmethod
    def over(
        cls,
        people: PeopleStore,
        rolls: RollStore,
        issuance: Issuance,
        sign_in: SignIn,
        personal: Personal,
        key: bytes,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Registry:
        entries = EntryStore(people)
        dossier = Dossier(entries, people, clock)
        return cls(
            imports=Imports(ImportStore(people), clock),
            corrections=Corrections(people, entries, DeskStore(people.database, people.vault), key, clock),
            dossier=dossier,
            duplicates=Duplicates(DuplicateStore(people), people, entries, rolls, key, clock),
            standings=Standings(rolls, people, issuance, clock),
            accounts=Accounts(AccountStore(people), people, entries, dossier, sign_in, key, clock),
            organisations=Organisations(OrganisationStore(people), people, key, clock),
            personal=personal,
            inbox=Inbox(InboxStore(people), people, OrganisationStore(people)),
        )
