"""Voter rolls in the back office: shown, imported from a file as it was checked; with the real identity service."""

from __future__ import annotations

import inspect
import io
import re
from typing import Any

import pytest

from services.gateway.pages.staff import roll_words
from services.identity.application import import_pass, people_file
from services.identity.domain import Person
from tests.gateway.conftest import Site
from tests.gateway.html import Page
from tests.gateway.staff_cases import FAULTY, GOOD, HEAD, IMPORT, freeze, send
from tests.gateway.stub_services import OPEN, World

ROOT = "/agent/listes"
ONE = f"{ROOT}/import/{IMPORT}"


def upload(site: Site, text: str, **fields: str) -> Page:
    page = site.get(f"{ROOT}/import")
    file = (io.BytesIO(text.encode()), "liste.csv")
    typed = page.form(f"{ROOT}/import") | fields | {"file": file}
    return Page(site.client.post(f"{ROOT}/import", data=typed, content_type="multipart/form-data"))


def to_the_question(site: Site, at: str) -> Page:
    return site.submit(site.get(at), f"{ROOT}/import/confirmation")


def test_a_file_is_sent_checked_reported_confirmed_followed_and_done(site: Site, world: World) -> None:
    site.sign_in("INES-7")
    sent = upload(site, FAULTY)
    assert sent.status == 303, sent.text
    at = sent.headers["Location"]
    checking = site.get(at)
    assert checking.headers["Refresh"] == "5" and "vérification en cours" in checking.text and checking.faults() == []
    assert "Refresh" not in site.get(f"{at}?arret=1").headers, "whoever wants it to stand still says so"
    world.identity.work()
    checked = site.get(at)
    assert "Refresh" not in checked.headers and "Lignes refusées 1" in checked.text and checked.faults() == []
    report = site.get(f"{at}/rapport")
    assert report.faults() == [] and "Écrivez-la comme 24/05/1987" in report.text
    assert "Hugo" not in report.text and "Petit" not in report.text
    faults = site.get(f"{at}/rapport?kind=fault&format=csv").data.decode("utf-8-sig").splitlines()
    assert faults[0] == "Ligne;Résultat;Champ;Raison;Que faire" and len(faults) == 2
    asked = to_the_question(site, at)
    assert asked.faults() == [] and asked.status == 200
    refused = site.submit(asked, f"{ROOT}/import/confirmation/confirmer", with_changes="oui")
    assert (refused.status, refused.faults()) == (409, []) and "cochez pour importer les autres" in refused.text
    assert "checked" in next(i for i in refused.all("input") if i.get("name") == "with_changes"), (
        "what was ticked stays"
    )
    started = site.submit(refused, f"{ROOT}/import/confirmation/confirmer", with_changes="oui", keep_good="oui")
    assert started.status == 303 and started.headers["Location"] == at
    assert "Refresh" in site.get(at).headers
    world.identity.work()
    done = site.get(at)
    assert "L’import est terminé" in done.text and "Personnes ajoutées 1" in done.text and done.faults() == []
    lilas = world.identity.parts.people.person("subject-lilas")
    assert lilas is not None and lilas.address == "9 quai de la Vère"
    assert "Inès Diallo" in site.get(f"{ROOT}/imports").text
    site.sign_in("RENE-8")
    assert "Import de liste lancé" in site.get("/agent/journal").text


def test_a_file_larger_than_a_part_arrives_whole(site: Site, world: World) -> None:
    site.sign_in("INES-7")
    many = HEAD + "".join(f"Martin{n};Camille;01/02/1990;{'x' * 150};\n" for n in range(4000))
    sent = upload(site, many)
    assert sent.status == 303, sent.text
    at = sent.headers["Location"]
    world.identity.work()
    assert "4\u202f000" in site.get(at).text or "4\u00a0000" in site.get(at).text


@pytest.mark.parametrize(
    ("text", "fields", "said"),
    [
        ("", {}, "Ce fichier est vide"),
        (GOOD, {"stratum": "Les Jeunes"}, "minuscules, chiffres et tirets"),
    ],
)
def test_what_cannot_be_sent_is_said_beside_the_field(site: Site, text: str, fields: dict[str, str], said: str) -> None:
    site.sign_in("INES-7")
    page = upload(site, text, **fields)
    assert (page.status, page.faults()) == (400, []) and said in page.text
    assert not fields or 'value="Les Jeunes"' in page.source


def test_without_a_file_nothing_is_sent(site: Site) -> None:
    site.sign_in("INES-7")
    page = site.submit(site.get(f"{ROOT}/import"), f"{ROOT}/import", stratum="jeunes")
    assert (page.status, page.faults()) == (400, []) and "Choisissez le fichier" in page.text
    assert 'value="jeunes"' in page.source


def test_a_file_that_is_no_list_is_refused_with_what_to_do(site: Site) -> None:
    site.sign_in("INES-7")
    page = site.get(upload(site, "nom;taille\n").headers["Location"])
    assert (
        "fichier refusé" in page.text and "«\u00a0taille\u00a0» n’est pas connue" in page.text and page.faults() == []
    )


def test_an_outage_says_that_the_file_did_not_arrive(site: Site, world: World) -> None:
    site.sign_in("INES-7")
    world.fail["identity"] = 503
    page = upload(site, GOOD, stratum="jeunes")
    assert (page.status, page.faults()) == (503, []) and 'value="jeunes"' in page.source


def test_an_import_is_given_up(site: Site, world: World) -> None:
    send(world)
    site.sign_in("INES-7")
    asked = site.submit(site.get(ONE), f"{ROOT}/import/abandon")
    done = site.submit(asked, f"{ROOT}/import/abandon/confirmer")
    assert "son fichier est détruit" in site.get(done.headers["Location"]).text
    assert "rien n’a été importé" in site.get(ONE).text
    again = site.submit(asked, f"{ROOT}/import/abandon/confirmer")
    assert again.status == 409 and "ne s’abandonne plus" in again.text


def test_a_roll_shows_its_size_its_frozen_roots_and_its_files(site: Site, world: World) -> None:
    send(world, start=True)
    world.identity.work()
    site.sign_in("INES-7")
    lists = site.get(f"{ROOT}?q=HAB")
    assert "habitants" in lists.text and "jeunes" not in lists.text and lists.faults() == []
    page = site.get(f"{ROOT}/liste/habitants")
    assert page.status == 200 and page.faults() == [] and "Aucun scrutin publié" in page.text
    freeze(world)
    frozen = site.get(f"{ROOT}/liste/habitants")
    root = str(world.identity.registry().standings.roll(OPEN).strata[0]["roll_root"])
    assert root[:8] in frozen.text and "La place Hoche" in frozen.text and frozen.faults() == []
    assert root in site.get(f"{ROOT}/liste/habitants?format=csv").source
    world.fail["ballot"] = 503
    assert site.get(f"{ROOT}/liste/habitants").status == 200, "titles are not worth a page"
    assert site.get(f"{ROOT}/liste/personne").status == 404


@pytest.mark.parametrize("name", ["nulle-part", "é", "a%20b", "a%3Fpage=2", "..%2Fimports"])
def test_a_list_that_there_is_not_is_not_found_whatever_its_name(site: Site, name: str) -> None:
    site.sign_in("INES-7")
    page = site.get(f"{ROOT}/liste/{name}")
    assert (page.status, page.faults()) == (404, [])


def test_the_template_is_a_file_that_identity_takes(site: Site) -> None:
    site.sign_in("INES-7")
    head = site.get(f"{ROOT}/modele.csv").data.decode("utf-8-sig").strip()
    assert set(head.split(";")) == set(people_file.KNOWN)


def test_every_reason_that_identity_gives_has_its_words() -> None:
    said = {people_file.EMPTY, people_file.TOO_LONG, people_file.CONTROL, people_file.NO_DATE, people_file.FAR_DATE}
    for source in (inspect.getsource(people_file), inspect.getsource(import_pass)):
        said |= set(re.findall(r'FieldRefused\([\w"é .]+, "([^"]+)"\)', source))
        said |= set(re.findall(r'Line\(entry.line, "\w+", [^"]*(?:"[^"]+"[^"]*)?, "([^"]+)"\)', source))
    said |= {"not an e-mail address", "not a telephone number"}
    assert len(said) >= 13 and said == set(roll_words.REASONS)
    fields = set(Person.__dataclass_fields__) - {"subject", "family_name", "given_name", "birth_date"}
    assert fields - set(import_pass.COLUMNS) <= set(roll_words.FIELDS)


def test_rolls_are_the_staff_s_alone(site: Site, world: World) -> None:
    send(world)
    for code in ("LILAS-1", "RENE-8"):
        site.sign_in(code)
        assert {site.get(path).status for path in (ROOT, ONE, f"{ONE}/rapport", f"{ROOT}/import")} == {403}


def test_a_file_that_came_lies_on_no_disk_of_the_gateway(app: Any) -> None:
    with app.test_request_context():
        from flask import request

        assert isinstance(request._get_file_stream(10**9, "text/csv"), io.BytesIO)
