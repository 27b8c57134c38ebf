"""Addresses and numbers: one form each, read from the authority's file, followed through changes and erasure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.identity.application.contacts import Contact, ContactRefused, contact_of, email_of, phone_of, takes_sms
from services.identity.application.sign_in import likeness
from tests.identity.conftest import CODE_KEY, World

FILE = (
    "nom;prénom;date de naissance;Courriel;telephone\n"
    "Quéguiner;Maëlle;24/05/1987;Maelle.Queguiner@Exemple.FR;06 39 98 00 12\n"
    "Abadie;Hugo;02/11/1991;;\n"
).encode()


@pytest.mark.parametrize(
    "typed, kept",
    [
        ("06 39 98 00 12", "+33639980012"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("0033612345678", "+33612345678"),
        ("06.12.34.56.78", "+33612345678"),
        ("0692 12 34 56", "+262692123456"),  # Réunion, by its own national form
        ("+590 690 12 34 56", "+590690123456"),
        ("", ""),
    ],
)
def test_a_number_has_one_form(typed: str, kept: str) -> None:
    assert phone_of(typed) == kept
    assert not kept or takes_sms(kept)


@pytest.mark.parametrize("typed", ["12", "06 12 34", "call me", "+33", "9" * 40, "0612345678 9", "+3363998001"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(ContactRefused):
        phone_of(typed)


def test_an_address_has_one_form() -> None:
    assert email_of(" Maelle.Queguiner@Exemple.FR ") == "Maelle.Queguiner@exemple.fr"
    assert email_of("") == ""
    for typed in (
        "a@b",
        "a b@exemple.fr",
        "a@exemple.fr\nBcc: b@exemple.fr",
        "@",
        "a@@exemple.fr",
        "x" * 300 + "@a.fr",
    ):
        with pytest.raises(ContactRefused):
            email_of(typed)


def test_a_landline_takes_no_code() -> None:
    assert phone_of("01 99 00 12 34") == "+33199001234"
    with pytest.raises(ContactRefused):
        contact_of("01 99 00 12 34")
    assert contact_of("0639980012") == Contact("sms", "+33639980012")


def found(world: World) -> set[tuple[str, str]]:
    with world.people.database.transaction(write=False) as tx:
        return {(kind, subject) for kind, subject in tx.execute("SELECT kind, subject FROM contact")}


def test_the_file_brings_contacts_and_they_are_kept_sealed(world: World) -> None:
    one, other = world.importing.run(FILE, by="test").subjects
    person = world.people.person(one)
    assert person is not None
    assert (person.email, person.phone) == ("Maelle.Queguiner@exemple.fr", "+33639980012")
    assert found(world) == {("email", one), ("sms", one)}
    nobody = world.people.person(other)
    assert nobody is not None and (nobody.email, nobody.phone) == ("", "")
    assert world.personal.access(one)["person"]["phone"] == "+33639980012"
    with world.people.database.transaction(write=False) as tx:
        kept = repr(tx.execute("SELECT * FROM contact") + tx.execute("SELECT * FROM account"))
    assert "exemple" not in kept.lower() and "39980012" not in kept


def test_a_faulty_contact_is_told_by_line_and_field(world: World) -> None:
    lines = "nom;prénom;date de naissance;courriel;téléphone\nA;B;24/05/1987;nobody;\nC;D;24/05/1987;;12\n"
    report = world.importing.run(lines.encode(), by="test")
    assert [(fault.line, fault.field) for fault in report.faults] == [(2, "courriel"), (3, "téléphone")]
    assert not report.subjects


def test_contacts_follow_a_change_and_go_with_an_erasure(world: World) -> None:
    one = world.importing.run(FILE, by="test").subjects[0]
    with world.people.locked(one) as person:
        assert person is not None
        changed = replace(person, email="", phone="+33639980099")
        world.people.change(changed, likeness(CODE_KEY, changed))
    assert world.people.person(one) == changed
    assert found(world) == {("sms", one)}
    world.personal.erase(one, "agent-1")
    world.personal.erase(one, "agent-2")
    assert found(world) == set()
