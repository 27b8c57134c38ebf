"""Importing people: each fault by line, field and reason; nothing at all when a line is at fault, unless asked."""

from __future__ import annotations

import pytest

from services.identity.application.demo import make_region
from services.identity.application.people_file import Fault, FileRefused, Report
from services.identity.domain import written
from tests.identity.conftest import World

HEAD = "Nom;Prénom;Date de naissance;Adresse;Bureau;Strate;Code de connexion"
GOOD = f"""{HEAD}
Lefèvre;Maëlle;24/05/1987;12 rue du Lavoir, Vère-le-Château;Bureau 1 – Mairie;;K7QP-2MXD-9F3T
Da Costa;João;1990-01-31;"3, place de la Halle; bâtiment B";Bureau 2;associations;
"""


def run(world: World, text: str | bytes, keep_good: bool = False) -> Report:
    data = text if isinstance(text, bytes) else text.encode()
    return world.importing.run(data, by="test", keep_good=keep_good)


def counted(world: World) -> int:
    with world.people.database.transaction(write=False) as tx:
        return int(tx.execute("SELECT COUNT(*) FROM account")[0][0])


def test_good_lines_become_residents_with_their_stratum(world: World) -> None:
    report = run(world, GOOD)
    assert (len(report.subjects), report.faults) == (2, ())
    first, second = (world.people.person(subject) for subject in report.subjects)
    assert first and second
    assert (first.display_name, first.birth_date, first.stratum) == ("Maëlle Lefèvre", "1987-05-24", "habitants")
    assert (second.address, second.stratum) == ("3, place de la Halle; bâtiment B", "associations")
    assert world.people.roles(first.subject, written(world.clock())) == ("resident",)
    assert world.sign_in.sign_in("K7QP-2MXD-9F3T", "here").subject == first.subject


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.replace(HEAD, HEAD.upper()),
        GOOD.replace("Prénom", "prenom").replace("Nom;", "NOM ;"),
        GOOD + "\n;;;;;;\n\n",
        GOOD.replace("é", "e\u0301"),
    ],
)
def test_the_ways_of_writing_the_same_file_give_the_same_people(world: World, text: str) -> None:
    assert len(run(world, text).subjects) == 2
    assert run(world, GOOD).faults[0].reason.endswith("known already")


def test_commas_do_as_well_as_semicolons(world: World) -> None:
    assert len(run(world, "nom,prénom,date de naissance\nHuet,Zoé,01/02/2003\n").subjects) == 1


@pytest.mark.parametrize(
    "line, field",
    [
        (";Zoé;01/02/2003;;;;", "nom"),
        ("Huet;;01/02/2003;;;;", "prénom"),
        ("Huet;Zoé;;;;;", "date de naissance"),
        ("Huet;Zoé;31/02/2003;;;;", "date de naissance"),
        ("Huet;Zoé;02-03-2003;;;;", "date de naissance"),
        ("Huet;Zoé;01/02/1899;;;;", "date de naissance"),
        ("Huet;Zoé;01/02/2999;;;;", "date de naissance"),
        ("Huet;Zoé;01/02/2003", "line"),
        ("Huet;Zoé;01/02/2003;;;;;;", "line"),
        ("Huet;Zoé;01/02/2003;;;Habitants !;", "strate"),
        ("Huet;Zoé;01/02/2003;;;;court", "code de connexion"),
        ("Huet;Zoé;01/02/2003;;;;é-é-é-é-é-é-é-é-é", "code de connexion"),
        ("H\x07uet;Zoé;01/02/2003;;;;", "nom"),
        (f"{'H' * 201};Zoé;01/02/2003;;;;", "nom"),
        ("Lefevre;MAËLLE;24/05/1987;;;;", "nom"),
        ("Huet;Zoé;01/02/2003;;;;k7qp2mxd9f3t", "code de connexion"),
    ],
)
def test_a_line_at_fault_is_told_by_number_field_and_reason_and_nothing_is_imported(
    world: World, line: str, field: str
) -> None:
    report = run(world, f"{GOOD}{line}\nRoyer;Hugo;01/02/2003;;;;\n")
    assert [(fault.line, fault.field) for fault in report.faults] == [(4, field)]
    assert report.faults[0].reason
    assert report.subjects == () and counted(world) == 0


def test_every_fault_is_told_in_the_order_of_the_lines(world: World) -> None:
    report = run(world, f"{HEAD}\nHuet;Zoé;01/02/2003;;;;\nHuet;Zoe;01/02/2003;;;;\n;;;x;;;\nHuet;Léa;x;;;;\n")
    assert [fault.line for fault in report.faults] == [3, 4, 5]


def test_the_good_lines_can_be_kept(world: World) -> None:
    report = run(world, f"{GOOD}Huet;Zoé;x;;;;\n", keep_good=True)
    assert (len(report.subjects), len(report.faults), counted(world)) == (2, 1, 2)


def test_a_second_import_of_the_same_file_adds_nobody(world: World) -> None:
    run(world, GOOD)
    report = run(world, GOOD, keep_good=True)
    assert report.subjects == () and counted(world) == 2
    assert {fault.line for fault in report.faults} == {2, 3}


def test_a_report_never_repeats_what_a_field_holds(world: World) -> None:
    report = run(world, f"{HEAD}\nSecretname;Zoé;someday;;;;\n")
    assert report.faults == (Fault(2, "date de naissance", "not a date like 24/05/1987"),)


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "nom"),
        (b"nom;prenom\nHuet;Zo\n", "date de naissance"),
        (b"nom;prenom;date de naissance;taille\n", "taille"),
        (b"nom;nom;prenom;date de naissance\n", "twice"),
        (b"nom;prenom;date de naissance\nHuet;Zo\xe9;01/02/2003\n", "line 2 is not UTF-8"),
        (b'nom;prenom;date de naissance\n"Huet;Zoe;01/02/2003\n', "line"),
        (b"PK\x03\x04\x14\x00\x06\x00\xff\xfe", "UTF-8"),
    ],
)
def test_a_file_that_is_no_list_of_people_is_refused_as_a_whole(world: World, data: bytes, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        run(world, data)


def test_the_demonstration_town_is_made_once(world: World) -> None:
    made = make_region(world.importing, world.roles, world.people, 60)
    assert (len(made["officers"]), len(made["residents"])) == (2, 58)
    for one in (*made["officers"], made["residents"][0]):
        found = world.sign_in.sign_in(one["code"], "here")
        assert (found.subject, found.name) == (one["subject"], one["name"])
    assert world.people.roles(made["officers"][0]["subject"], written(world.clock())) == (
        "administrator",
        "agent",
        "resident",
        "returning_officer",
    )
    assert make_region(world.importing, world.roles, world.people, 60)["made"] is False
    assert counted(world) == 60
