"""Who may do what, from when to when; and that there is always somebody who names the others."""

from __future__ import annotations

import threading

import pytest

from services.identity.application.people_file import FieldRefused
from services.identity.domain import (
    FOR_GOOD,
    AdministratorThere,
    LastAdministrator,
    PersonKnown,
    PersonUnknown,
    RoleDates,
    RoleUnknown,
    written,
)
from services.shared.errors import BadInput
from tests.identity.conftest import World


def roles(world: World, subject: str) -> tuple[str, ...]:
    return world.people.roles(subject, written(world.clock()))


def test_a_role_holds_between_its_dates_and_says_who_gave_it(world: World) -> None:
    (subject,) = world.settle(1)
    world.roles.grant(subject, "auditor", "admin", since="2026-11-24T00:00:00Z", until="2026-11-25T00:00:00Z")
    assert roles(world, subject) == ("resident",)
    world.clock.go(days=1)
    assert roles(world, subject) == ("auditor", "resident")
    world.clock.go(days=1)
    assert roles(world, subject) == ("resident",)
    newest = world.roles.of(subject)[0]
    assert (newest.role, newest.granted_by, newest.ended_by) == ("auditor", "admin", "")


def test_a_role_that_is_ended_early_stays_in_the_history(world: World) -> None:
    (subject,) = world.settle(1)
    world.roles.grant(subject, "agent", "admin")
    world.clock.go(hours=1)
    assert world.roles.end(subject, "agent", "other")
    assert not world.roles.end(subject, "agent", "other"), "there is nothing left to end"
    assert roles(world, subject) == ("resident",)
    ended = world.roles.of(subject)[0]
    assert (ended.role, ended.granted_by, ended.ended_by, ended.until) == (
        "agent",
        "admin",
        "other",
        written(world.clock()),
    )
    world.clock.go(hours=1)
    world.roles.grant(subject, "agent", "admin")
    assert roles(world, subject) == ("agent", "resident")
    assert len(world.roles.of(subject)) == 3


def test_holders_are_told_with_their_names_by_the_date_when_it_ends(world: World) -> None:
    first, second, third = world.settle(3)
    world.roles.grant(first, "agent", "admin")
    world.roles.grant(second, "agent", "admin", until="2027-01-01T00:00:00Z")
    world.roles.grant(third, "agent", "admin")
    world.roles.end(third, "agent", "admin")
    found = world.roles.holders("agent")
    assert [(grant.subject, grant.until) for grant, _ in found] == [(second, "2027-01-01T00:00:00Z"), (first, FOR_GOOD)]
    assert all(name.startswith("Camille Martin") for _, name in found)


def test_the_first_administrator_is_made_once_and_the_last_one_stays(world: World) -> None:
    subject, code = world.roles.first_administrator("Le Goff", "Anne", "1980-02-03")
    assert world.sign_in.sign_in(code, "here").roles == ("administrator",)
    with pytest.raises(AdministratorThere):
        world.roles.first_administrator("Caron", "Paul", "1981-02-03")
    with pytest.raises(LastAdministrator):
        world.roles.end(subject, "administrator", subject)
    (second,) = world.settle(1)
    world.roles.grant(second, "administrator", subject)
    assert world.roles.end(subject, "administrator", second)
    with pytest.raises(LastAdministrator):
        world.roles.end(second, "administrator", second)


@pytest.mark.parametrize(
    "given, field",
    [
        (("", "Anne", "1980-02-03"), "nom"),
        ((" \u00a0", "Anne", "1980-02-03"), "nom"),
        (("Le Goff", "", "1980-02-03"), "prénom"),
        (("Le Goff", "x" * 201, "1980-02-03"), "prénom"),
        (("Le\nGoff", "Anne", "1980-02-03"), "nom"),
        (("Le Goff", "Anne", ""), "date de naissance"),
        (("Le Goff", "Anne", "1980-02-30"), "date de naissance"),
        (("Le Goff", "Anne", "hier"), "date de naissance"),
        (("Le Goff", "Anne", "1880-02-03"), "date de naissance"),
        (("Le Goff", "Anne", "2026-11-24"), "date de naissance"),
    ],
)
def test_the_first_administrator_is_held_to_the_rules_of_the_peoples_file(
    world: World, given: tuple[str, str, str], field: str
) -> None:
    with pytest.raises(FieldRefused) as refused:
        world.roles.first_administrator(*given)
    assert refused.value.field == field
    assert world.roles.holders("administrator") == []


def test_the_first_administrator_is_the_person_whom_a_file_would_make(world: World) -> None:
    subject, _ = world.roles.first_administrator(" Le Goff ", "Maëlle", "03/02/1980")
    found = world.people.person(subject)
    assert found is not None
    assert (found.display_name, found.birth_date) == ("Maëlle Le Goff", "1980-02-03")
    file = "nom;prénom;date de naissance\nLE GOFF;Maelle;1980-02-03\n".encode()
    assert world.importing.run(file, by="test").faults[0].reason.endswith("known already")


def test_a_person_who_is_known_is_not_made_again_as_the_first_administrator(world: World) -> None:
    file = "nom;prénom;date de naissance\nLe Goff;Anne;1980-02-03\n".encode()
    (subject,) = world.importing.run(file, by="test").subjects
    with pytest.raises(PersonKnown) as refused:
        world.roles.first_administrator("Le Goff", "Anne", "1980-02-03")
    assert refused.value.subject == subject
    world.roles.grant(subject, "administrator", "the command line")


def test_an_administrator_whose_time_has_not_come_does_not_count_as_another_one(world: World) -> None:
    subject, _ = world.roles.first_administrator("Le Goff", "Anne", "1980-02-03")
    (second,) = world.settle(1)
    world.roles.grant(second, "administrator", subject, since="2030-01-01T00:00:00Z")
    with pytest.raises(LastAdministrator):
        world.roles.end(subject, "administrator", second)


def test_two_administrators_who_end_each_other_at_once_leave_one(world: World) -> None:
    first, _ = world.roles.first_administrator("Le Goff", "Anne", "1980-02-03")
    (second,) = world.settle(1)
    world.roles.grant(second, "administrator", first)
    refused: list[str] = []
    together = threading.Barrier(2)

    def end(subject: str, by: str) -> None:
        together.wait()
        try:
            world.roles.end(subject, "administrator", by)
        except LastAdministrator:
            refused.append(subject)

    threads = [threading.Thread(target=end, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert [grant.subject for grant, _ in world.roles.holders("administrator")] == refused


def test_what_cannot_be_granted_names_its_field(world: World) -> None:
    (subject,) = world.settle(1)
    for wrong, error, field in (
        ((subject, "mayor", "", ""), RoleUnknown, "role"),
        (("stranger", "agent", "", ""), PersonUnknown, "subject"),
        ((subject, "agent", "2027-01-02T00:00:00Z", "2027-01-01T00:00:00Z"), RoleDates, "until"),
        ((subject, "agent", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), RoleDates, "until"),
        ((subject, "agent", "tomorrow", ""), BadInput, None),
    ):
        with pytest.raises(error) as refused:
            world.roles.grant(wrong[0], wrong[1], "admin", since=wrong[2], until=wrong[3])
        assert refused.value.field == field
    assert roles(world, subject) == ("resident",)


def test_a_person_is_found_by_names_and_birth_date_together_only(world: World) -> None:
    made = world.importing.run("nom;prénom;date de naissance\nLefèvre;Maëlle;24/05/1987\n".encode(), by="test")
    assert (found := world.roles.find("LEFEVRE", "Maelle", "1987-05-24")) and found.subject == made.subjects[0]
    assert world.roles.find("Lefèvre", "Maëlle", "1987-05-25") is None
    assert world.roles.find("Lefèvre", "", "1987-05-24") is None
