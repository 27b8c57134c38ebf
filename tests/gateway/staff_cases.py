"""What stands in the real identity service for the back office's pages: a file, a correction, two who may be one."""

from __future__ import annotations

import hashlib
from typing import Final

from services.identity.application.imports import RollImport
from services.identity.application.sign_in import likeness
from services.identity.domain import FOR_GOOD, Grant, Person
from services.identity.store.imports import ImportStore
from tests.gateway.office_cases import add_open_issuance
from tests.gateway.stub_services import OPEN, World

HEAD: Final = "nom;prénom;date de naissance;adresse;strate\n"
GOOD: Final = HEAD + "Huet;Zoé;01/02/2003;3 place de la Halle;jeunes\nMoreau;Lilas;12/03/1980;9 quai de la Vère;\n"
FAULTY: Final = GOOD + "Petit;Hugo;31/02/1990;;\n"
IMPORT: Final = "7d85d1a3-c4e6-4071-9d98-869505152c11"
"""Where `send` puts a file: an address that a map can name."""
PERSON: Final = {"family_name": "Moreau", "given_name": "Lilas", "birth_date": "12/03/1980"}
AGENT, COLLEAGUE, LILAS = "subject-ines", "subject-tous", "subject-lilas"
NOW: Final = "2026-01-01T00:00:00Z"


def send(world: World, text: str = FAULTY, *, check: bool = True, start: bool = False) -> None:
    """A file that came, and was checked or imported if asked."""
    data, files = text.encode(), world.identity.registry().imports
    hash = hashlib.sha256(data).hexdigest()
    made = RollImport(IMPORT, hash, "", "receiving", AGENT, "", NOW, NOW, False, False, 0, 0)
    ImportStore(world.identity.parts.people).create(made)
    files.put_part(IMPORT, 0, data)
    files.check(IMPORT)
    if check:
        world.identity.work()
    if start:
        files.start(IMPORT, hash, AGENT, keep_good=True, with_changes=True)


def correction(world: World, by: str = COLLEAGUE) -> str:
    made = world.identity.registry().corrections.correct(LILAS, "family_name", "Morel", "acte de naissance vu", by)
    return made.id


def sign_up(world: World) -> None:
    asked = {"family_name": "Fabre", "given_name": "Rosa", "birth_date": "01/02/1990", "address": ""}
    world.identity.registry().accounts.sign_up(asked, "test")


def organisation(world: World, by: str = LILAS) -> None:
    world.identity.registry().organisations.register("Les Jardins de la Vère", "rna", "W123456789", "", by)


def erasure(world: World, by: str = COLLEAGUE) -> None:
    world.identity.parts.personal().erase("subject-noe", by)


def twins(world: World, asked_by: str = "") -> None:
    """Somebody whose names are near to Lilas Moreau's; that they are one person was asked, if by anyone."""
    parts = world.identity.parts
    near = Person("subject-lila", "Moreaux", "Lilas", "1980-03-12", "4 impasse des Tilleuls")
    parts.people.add([(near, likeness(parts.code_key(), near), None)], "test", NOW)
    parts.people.grant(Grant(near.subject, "resident", NOW, FOR_GOOD, "test"))
    world.identity.work()
    if asked_by:
        both = (near.subject, LILAS, LILAS)
        world.identity.registry().duplicates.one_person(*both, "même livret de famille", asked_by)


def appeal(world: World, poll: str = "") -> str:
    return world.identity.registry().dossier.appeal(LILAS, poll, "J’habite ici depuis mai.\n\nMerci.").id


def appeal_about_a_poll(world: World) -> None:
    add_open_issuance(world, OPEN)
    appeal(world, OPEN)


def own_correction(world: World) -> None:
    correction(world, AGENT)


def much_happened(world: World) -> None:
    """A person about whom every kind of thing was written down."""
    registry = world.identity.registry()
    registry.corrections.refuse(correction(world), "pièce illisible", AGENT)
    registry.dossier.answer(appeal(world), False, "La liste était figée.", AGENT)
    organisation(world)
    send(world, start=True)
    world.identity.work()


def send_unchecked(world: World) -> None:
    send(world, check=False)


def send_all(world: World) -> None:
    send(world, start=True)
    world.identity.work()


def freeze(world: World) -> None:
    """The list of residents, frozen for a poll that was published."""
    world.identity.populate(60)
    add_open_issuance(world, OPEN)


def told_apart(world: World) -> None:
    world.identity.registry().duplicates.two_people("subject-lila", LILAS, "jumelles", COLLEAGUE)


def all_waits(world: World) -> None:
    for wait in (correction, sign_up, organisation, erasure, appeal):
        wait(world)
    twins(world, COLLEAGUE)
    world.identity.parts.desk().ask_change(LILAS, "", "06 39 98 00 99", "passport", AGENT)
