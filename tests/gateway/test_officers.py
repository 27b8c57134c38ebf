"""The returning officers' pages: each decision takes two people, and a cancellation is asked twice."""

from __future__ import annotations

from services.gateway.pages.sessions import ours
from services.shared.web import App
from tests.gateway.conftest import Site
from tests.gateway.stub_services import CLOSED, OPEN, SOON, World


def test_an_opening_is_confirmed_by_two_different_people(site: Site, other_browser: Site, world: World) -> None:
    path = f"/agent/scrutins/{SOON}"
    site.sign_in("AUDE-3")
    assert site.submit(site.get(path), f"{path}/ouverture").status == 303
    assert "1\u00a0personne sur 2" in site.get(f"{path}?fait=ouverture").text
    again = site.submit(site.get(path), f"{path}/ouverture")
    assert (again.status, again.faults()) == (409, [])
    assert "doit venir d’une autre personne" in again.text
    other_browser.sign_in("PAUL-4")
    assert other_browser.submit(other_browser.get(path), f"{path}/ouverture").status == 303
    assert world.polls[SOON].opening == {"subject-aude", "subject-paul"}


def test_who_read_a_manifest_that_was_replaced_meanwhile_confirms_nothing_and_reads_the_new_one(
    site: Site, world: World
) -> None:
    path = f"/agent/scrutins/{SOON}"
    site.sign_in("AUDE-3")
    read = site.get(path)
    world.polls[SOON].title = "Un tarif unique pour toutes les cantines"
    answer = site.submit(read, f"{path}/ouverture")
    assert (answer.status, answer.faults()) == (409, [])
    assert "Le manifeste a été remplacé" in answer.text
    assert world.polls[SOON].manifest_hash in answer.text
    assert world.polls[SOON].opening == set()
    assert site.submit(answer, f"{path}/ouverture").status == 303
    assert world.polls[SOON].opening == {"subject-aude"}


def test_officers_see_that_identity_has_not_accepted_the_manifest_and_what_to_do(site: Site, world: World) -> None:
    site.sign_in("AUDE-3")
    path, waiting = f"/agent/scrutins/{SOON}", "En attente de l’accord du service des identités"
    assert waiting not in site.get(path).text
    world.polls[SOON].issuance_ready = False
    page = site.get(path)
    assert page.faults() == [] and waiting in page.text
    assert "Remplacez alors le manifeste" in page.text
    assert page.has_form("/ouverture"), "people may confirm before identity answers"
    world.polls[SOON].opening = {"subject-aude", "subject-paul"}
    assert "si le service des identités a donné son accord" in site.get(path).text
    assert waiting not in site.get(f"/agent/scrutins/{OPEN}").text


def test_a_count_is_confirmed_by_the_checkpoints_that_the_page_showed(site: Site, world: World) -> None:
    path = f"/agent/scrutins/{CLOSED}"
    site.sign_in("AUDE-3")
    page = site.get(path)
    assert world.polls[CLOSED].checkpoints_hash in page.text
    assert site.submit(page, f"{path}/comptage", scelles="00" * 32).status == 409
    assert world.polls[CLOSED].count == set()


def test_a_count_is_confirmed_once_the_poll_is_closed(site: Site, world: World) -> None:
    path = f"/agent/scrutins/{CLOSED}"
    site.sign_in("AUDE-3")
    assert site.submit(site.get(path), f"{path}/comptage").status == 303
    assert world.polls[CLOSED].count == {"subject-aude"}
    assert not site.get(f"/agent/scrutins/{OPEN}").has_form("/comptage")


def test_a_cancellation_needs_a_reason_a_second_look_and_a_second_person(
    site: Site, other_browser: Site, world: World
) -> None:
    path = f"/agent/scrutins/{OPEN}/annulation"
    site.sign_in("AUDE-3")
    other_browser.sign_in("PAUL-4")
    short = site.submit(site.get(path), path, motif="non")
    assert (short.status, short.faults()) == (400, [])
    for browser in (site, other_browser):
        asked = browser.submit(browser.get(path), path, motif="La liste est erronée.")
        assert (asked.status, asked.faults()) == (200, []) and "Confirmer l’annulation" in asked.text
        assert browser.submit(asked, path, etape="confirmer").status == 303
    assert world.polls[OPEN].state == "cancelled"
    assert "La liste est erronée." in site.get(f"/scrutins/{OPEN}").text


def test_a_wrong_code_says_so_and_is_not_repeated(site: Site) -> None:
    page = site.submit(site.get("/connexion"), "/connexion", code="SECRET-9")
    assert (page.status, page.faults()) == (403, [])
    assert "SECRET-9" not in page.source and "n’est pas reconnu" in page.text


def test_signing_in_leads_back_to_the_page_that_asked_and_never_elsewhere(site: Site) -> None:
    page = site.get(f"/scrutins/{OPEN}/voter")
    assert page.status == 401
    back = site.submit(page, "/connexion", code="LILAS-1")
    assert back.headers["Location"] == f"/scrutins/{OPEN}/voter"
    form = site.get("/connexion?suite=//mal.example/x")
    assert site.submit(form, "/connexion", code="LILAS-1").headers["Location"] == "/"
    for wrong in ("//mal.example", "https://mal.example", "/\\mal.example", "/%2F/x", "/x\r\ny", "javascript:x"):
        assert ours(wrong) == "/"


def test_a_new_sign_in_ends_the_session_before(site: Site, app: App) -> None:
    site.sign_in("LILAS-1")
    cookie = site.client.get_cookie("session")
    assert cookie is not None
    site.sign_in("NOE-2")
    site.client.set_cookie("session", cookie.value)
    assert site.get("/messages").status == 401
