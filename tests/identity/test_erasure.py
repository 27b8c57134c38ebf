"""Personal fields stand sealed; erasing a person destroys the key, tells the others, and changes no roll."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from services.identity.domain import (
    CodeUnknown,
    ErasureUnknown,
    LastAdministrator,
    Person,
    PersonUnknown,
    SecondPersonNeeded,
)
from services.identity.store.people import PeopleStore
from services.identity.store.vault import VAULT_STEPS, Vault
from services.shared.contracts import identity
from services.shared.store import Database, StoreFailed
from tests.identity.conftest import CODE_KEY, POLL, World

FILE = (
    "nom;prénom;date de naissance;adresse;code de connexion\n"
    "Quéguiner;Maëlle;24/05/1987;7 rue du Lavoir;K7QP-2MXD-9F3T\n"
).encode()
PERSONAL = ("Quéguiner".encode(), "Maëlle".encode(), b"1987-05-24", b"rue du Lavoir")


def settle(world: World) -> str:
    (subject,) = world.importing.run(FILE, by="test").subjects
    return subject


def erase(world: World, subject: str) -> None:
    assert not world.personal.erase(subject, "agent-1")
    assert world.personal.erase(subject, "agent-2")


def test_a_person_sees_all_that_is_kept_of_them(world: World) -> None:
    subject = settle(world)
    world.roles.grant(subject, "auditor", "admin", until="2027-01-01T00:00:00Z")
    told = world.personal.access(subject)
    assert told["person"] == {
        "subject": subject, "family_name": "Quéguiner", "given_name": "Maëlle", "birth_date": "1987-05-24",
        "address": "7 rue du Lavoir", "office": "", "stratum": "habitants",
        "email": "", "phone": "",
    }  # fmt: skip
    assert {role["role"] for role in told["roles"]} == {"auditor", "resident"}
    with pytest.raises(PersonUnknown):
        world.personal.access("stranger")


def test_two_people_erase_a_person_and_nothing_leads_to_them(world: World) -> None:
    subject = settle(world)
    assert not world.personal.erase(subject, "agent-1")
    with pytest.raises(SecondPersonNeeded):
        world.personal.erase(subject, "agent-1")
    assert world.personal.waiting() == [(subject, "agent-1")]
    assert world.people.person(subject) is not None
    assert world.personal.erase(subject, "agent-2")
    assert world.people.person(subject) is None
    assert world.personal.waiting() == []
    assert world.people.grants(subject) == []
    with pytest.raises(CodeUnknown):
        world.sign_in.sign_in("K7QP-2MXD-9F3T", "here")
    with pytest.raises(PersonUnknown):
        world.personal.erase(subject, "agent-1")
    assert world.roles.find("Quéguiner", "Maëlle", "1987-05-24") is None
    assert world.events() == [identity.PersonErased(subject)]


def test_the_first_to_ask_may_withdraw(world: World) -> None:
    subject = settle(world)
    world.personal.erase(subject, "agent-1")
    world.personal.withdraw(subject)
    assert world.personal.waiting() == []
    with pytest.raises(ErasureUnknown):
        world.personal.withdraw(subject)
    assert not world.personal.erase(subject, "agent-2"), "it must be asked for anew"


def test_an_erasure_that_died_half_way_is_finished_and_told_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = settle(world)
    world.personal.erase(subject, "agent-1")
    with monkeypatch.context() as broken:
        broken.setattr(Vault, "destroy", lambda *_: (_ for _ in ()).throw(StoreFailed("the machine died here")))
        with pytest.raises(StoreFailed):
            world.personal.erase(subject, "agent-2")
    assert world.people.person(subject) is not None
    world.personal.finish_erasures()
    world.personal.finish_erasures()
    assert world.people.person(subject) is None
    assert world.events() == [identity.PersonErased(subject)]


def test_the_last_administrator_cannot_be_erased(world: World) -> None:
    subject, _ = world.roles.first_administrator("Le Goff", "Anne", "1980-02-03")
    world.personal.erase(subject, "agent-1")
    with pytest.raises(LastAdministrator):
        world.personal.erase(subject, "agent-2")
    assert world.people.person(subject) is not None


def test_a_roll_that_is_frozen_does_not_change_when_somebody_on_it_is_erased(world: World) -> None:
    subject = settle(world)
    world.publish()
    world.issuance.mark(POLL, subject, b"\x11" * 32, b"\x22" * 32)
    issuance = world.rolls.issuance(UUID(POLL))
    assert issuance is not None
    erase(world, subject)
    again = world.rolls.issuance(UUID(POLL))
    assert again is not None
    assert again.strata == issuance.strata
    assert world.rolls.totals(POLL) == {"habitants": (1, 0)}


def test_a_copy_of_the_people_without_the_vault_tells_nothing(world: World, tmp_path: Path) -> None:
    if world.people.database.engine == "postgres":
        pytest.skip("what stands in a file is looked at with SQLite")
    subject = settle(world)
    world.people.database.truncate_log()
    people = Path(str(world.people.database.where)).read_bytes()
    assert not any(part in people for part in PERSONAL)
    vault_before = Path(str(world.people.vault.database.where)).read_bytes()
    world.people.vault.database.truncate_log()
    [(key,)] = rows(world.people.vault.database, "SELECT key FROM person_key")
    assert bytes(key) in Path(str(world.people.vault.database.where)).read_bytes() or bytes(key) in vault_before
    erase(world, subject)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert bytes(key) not in path.read_bytes(), path


def test_another_persons_sealed_fields_or_a_wrong_key_open_nothing(world: World) -> None:
    vault = world.people.vault
    sealed = vault.seal({"a": {"family_name": "Un"}, "b": {"family_name": "Deux"}})
    assert vault.open("a", sealed["a"]) == {"family_name": "Un"}
    with pytest.raises(StoreFailed):
        vault.open("b", sealed["a"])
    vault.destroy("a")
    assert vault.open("a", sealed["a"]) is None


def test_the_first_releases_plain_rows_are_sealed_by_migrate(database: Callable[[str], Database]) -> None:
    people = PeopleStore(database("plain"), Vault(database("keys")), lambda: CODE_KEY)
    people.database.migrate(people.steps[:1])
    with people.database.transaction() as tx:
        row = ("s1", b"like", "habitants", "Quéguiner", "Maëlle", "1987-05-24", "7 rue du Lavoir", "Bureau 1")
        tx.execute("INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        tx.execute("INSERT INTO role VALUES ('s1', 'resident', 'import')")
        tx.execute("INSERT INTO sign_in_code VALUES ('s1', ?)", (b"hash",))
    people.vault.database.migrate(VAULT_STEPS)
    people.database.migrate(people.steps)
    found = people.person("s1")
    assert found == Person("s1", "Quéguiner", "Maëlle", "1987-05-24", "7 rue du Lavoir", "Bureau 1", "habitants")
    assert people.subjects(["habitants"])["habitants"] == ["s1"]
    assert people.try_code(b"hash", b"here", 1, 5) == found
    if people.database.engine == "sqlite":
        people.database.truncate_log()
        assert not any(part in Path(str(people.database.where)).read_bytes() for part in PERSONAL)


def rows(database: Database, sql: str) -> list[tuple[bytes]]:
    with database.transaction(write=False) as tx:
        return [(row[0],) for row in tx.execute(sql)]
