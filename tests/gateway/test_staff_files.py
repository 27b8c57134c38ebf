"""People, duplicates, what waits for a second pair of eyes, appeals: the back office over the real identity service."""

from __future__ import annotations

import pytest

from services.gateway.pages.staff import entries
from services.identity.application.standing import REASONS
from services.identity.domain import Person
from tests.gateway import staff_cases as cases
from tests.gateway.conftest import Site
from tests.gateway.html import Page
from tests.gateway.staff_cases import AGENT, COLLEAGUE, LILAS, PERSON
from tests.gateway.stub_services import World

PEOPLE, INBOX, TWINS, APPEALS = "/agent/personnes", "/agent/a-valider", "/agent/doublons", "/agent/recours"


def known(world: World, subject: str) -> Person | None:
    return world.identity.parts.people.person(subject)


def opened(site: Site, action: str, at: str = INBOX) -> Page:
    """What a row's button shows."""
    page = site.submit(site.get(at), action)
    assert (page.status, page.faults()) == (200, []), page.text
    return page


def decide(site: Site, page: Page, action: str, **fields: str) -> Page:
    return site.submit(page, f"{action}/confirmer", **fields)


# --- sheets and corrections ---


def sheet(site: Site, **change: str) -> Page:
    return site.submit(site.get(PEOPLE), PEOPLE, **(PERSON | change))


def test_a_sheet_is_found_by_names_and_birth_date_and_each_look_is_in_the_journal(site: Site, world: World) -> None:
    cases.appeal(world)
    cases.correction(world)
    site.sign_in("INES-7")
    page = sheet(site)
    assert (page.status, page.faults()) == (200, []) and LILAS not in page.headers.get("Location", "")
    for said in ("12 mars 1980", "subject-lilas@exemple.fr", "Correction demandée", "Solène Roux", "Recours déposé"):
        assert said.replace(" mars", "\u00a0mars") in page.text, said
    unknown = sheet(site, given_name="Lila")
    assert (unknown.status, unknown.faults()) == (404, []) and 'value="Lila"' in unknown.source
    world.fail["identity"] = 503
    down = sheet(site)
    assert down.status == 503 and 'value="Moreau"' in down.source
    world.fail.clear()
    site.sign_in("RENE-8")
    assert "Fiche de personne consultée Sur qui Lilas Moreau" in site.get("/agent/journal").text


def test_an_address_is_corrected_at_once_and_a_name_waits_for_a_colleague(
    site: Site, other_browser: Site, world: World
) -> None:
    site.sign_in("INES-7")
    path = f"{PEOPLE}/correction"
    asked = site.submit(sheet(site), path)
    assert asked.faults() == [] and "12 rue du Lavoir" in asked.text
    wrong = decide(site, asked, path, field="email", value="nulle part", reason="demandé au guichet")
    assert (wrong.status, wrong.faults()) == (409, []) and 'value="nulle part"' in wrong.source
    assert "demandé au guichet" in wrong.source
    done = decide(site, wrong, path, field="address", value="4 quai de la Vère", reason="justificatif vu")
    assert "La correction est faite" in site.get(done.headers["Location"]).text
    lilas = known(world, LILAS)
    assert lilas is not None and lilas.address == "4 quai de la Vère"
    waits = decide(site, asked, path, field="family_name", value="Morel", reason="acte de naissance vu")
    assert "Un autre agent doit la valider" in site.get(waits.headers["Location"]).text
    own = opened(site, f"{INBOX}/correction")
    assert "un collègue doit la valider" in own.text and 'value="accept"' not in own.source
    forced = decide(site, own, f"{INBOX}/correction", decision="accept")
    assert forced.status == 409 and "un autre agent doit la valider" in forced.text
    other_browser.sign_in("TOUS-9")
    theirs = opened(other_browser, f"{INBOX}/correction")
    assert "Morel" in theirs.text and "Inès Diallo" in theirs.text
    accepted = decide(other_browser, theirs, f"{INBOX}/correction", decision="accept")
    assert "C’est accepté et fait" in other_browser.get(accepted.headers["Location"]).text
    lilas = known(world, LILAS)
    assert lilas is not None and lilas.family_name == "Morel"
    gone = decide(site, own, f"{INBOX}/correction", decision="refuse", reason="trop tard")
    assert (gone.status, gone.faults()) == (404, []) and "entre-temps" in gone.text


def test_a_refusal_needs_its_reason_and_what_was_typed_stays(site: Site, world: World) -> None:
    cases.correction(world)
    site.sign_in("INES-7")
    page = opened(site, f"{INBOX}/correction")
    bare = decide(site, page, f"{INBOX}/correction", decision="refuse")
    assert (bare.status, bare.faults()) == (400, []) and "Indiquez le motif du refus" in bare.text
    assert bare.checked() == ["refuse"]
    world.fail["identity"] = 503
    down = decide(site, bare, f"{INBOX}/correction", decision="refuse", reason="pièce illisible")
    assert (down.status, down.faults()) == (503, []) and "pièce illisible" in down.source
    world.fail.clear()
    assert decide(site, down, f"{INBOX}/correction", decision="refuse", reason="pièce illisible").status == 303
    assert "pièce illisible" in sheet(site).text


def test_nobody_decides_on_their_own_record(site: Site, world: World) -> None:
    correct = world.identity.registry().corrections.correct
    correct(AGENT, "given_name", "Inesse", "acte vu", COLLEAGUE)
    site.sign_in("INES-7")
    page = opened(site, f"{INBOX}/correction")
    assert "son propre cas" in page.text and not page.has_form("/confirmer")


# --- the inbox ---


def test_all_that_waits_stands_on_one_page_with_a_count_on_the_first(site: Site, world: World) -> None:
    cases.all_waits(world)
    site.sign_in("INES-7")
    page = site.get(INBOX)
    assert (page.status, page.faults()) == (200, [])
    for kind in ("Correction", "Nouvelles coordonnées", "Fusion", "organisation", "Rattachement", "Effacement"):
        assert kind in page.text, kind
    assert "Vous : un collègue doit décider".replace(" :", "\u00a0:") in page.text
    assert not page.has_form("/coordonnees/confirmation") and page.has_form("/coordonnees/retrait")
    first = site.get("/agent")
    assert first.faults() == [] and "6 en attente" in first.text and "1 en attente" in first.text
    assert "Les Jardins de la Vère" in site.get(f"{INBOX}?format=csv").source
    site.sign_in("ADA-6")
    assert "Nouvelles coordonnées" not in site.get(INBOX).text, "administrators do not confirm those"
    world.fail["identity"] = 503
    assert site.get("/agent").status == 200 and "pour le moment" in site.get("/agent").text
    assert "n’est pas disponible" in site.get(INBOX).text


def test_an_account_is_attached_to_a_list_that_there_is(site: Site, world: World) -> None:
    cases.sign_up(world)
    site.sign_in("INES-7")
    path = f"{INBOX}/rattachement"
    page = opened(site, path)
    bare = decide(site, page, path, decision="accept", reason="justificatif vu")
    assert (bare.status, bare.faults()) == (400, []) and "Choisissez la liste" in bare.text
    wrong = decide(site, page, path, decision="accept", reason="justificatif vu", stratum="martiens")
    assert wrong.status == 400
    assert decide(site, bare, path, decision="accept", reason="vu", stratum="habitants").status == 303
    found = world.identity.parts.roles().find("Fabre", "Rosa", "1990-02-01")
    assert found is not None and found.stratum == "habitants"
    assert "Rien n’attend de second regard" in site.get(INBOX).text


def test_an_organisation_is_confirmed_until_a_day_or_refused(site: Site, world: World) -> None:
    cases.organisation(world)
    site.sign_in("INES-7")
    path = f"{INBOX}/organisation"
    page = opened(site, path)
    assert "W123456789" in page.text and "Lilas Moreau" in page.text
    past = decide(site, page, path, decision="accept", reason="vu au registre", until="01/01/2020")
    assert (past.status, past.faults()) == (409, []) and "La fin doit être à venir" in past.text
    assert decide(site, past, path, decision="accept", reason="vu au registre", until="24/05/2040").status == 303
    (one,) = world.identity.registry().organisations.own(LILAS)
    assert one[0].state == "active" and one[1] is not None and one[1].until == "2040-05-23T22:00:00Z"


def test_an_erasure_takes_two_and_its_asker_may_withdraw_it(site: Site, other_browser: Site, world: World) -> None:
    path = f"{INBOX}/effacement"
    cases.erasure(world, by=AGENT)
    site.sign_in("INES-7")
    own = opened(site, path)
    assert 'value="accept"' not in own.source
    assert decide(site, own, path, decision="refuse").status == 303 and known(world, "subject-noe") is not None
    cases.erasure(world, by=AGENT)
    other_browser.sign_in("TOUS-9")
    page = opened(other_browser, path)
    assert "sans retour possible" in page.text
    assert decide(other_browser, page, path, decision="accept").status == 303 and known(world, "subject-noe") is None


# --- duplicates ---


def test_two_accounts_are_compared_and_merged_by_two_agents(site: Site, other_browser: Site, world: World) -> None:
    cases.twins(world)
    path = f"{TWINS}/examen"
    site.sign_in("INES-7")
    page = opened(site, path, TWINS)
    assert "Moreaux" in page.text and "Différent" in page.text and "4 impasse des Tilleuls" in page.text
    bare = decide(site, page, path, decision="second")
    assert (bare.status, bare.faults()) == (400, []) and bare.checked() == ["second"]
    keep = "first" if page.form(f"{path}/confirmer")["first"] == LILAS else "second"
    asked = decide(site, page, path, decision=keep, reason="même livret de famille")
    assert "Un autre agent doit dire la même chose" in site.get(asked.headers["Location"]).text
    assert known(world, "subject-lila") is not None, "one agent alone merges nothing"
    own = opened(site, path, TWINS)
    assert [i["value"] for i in own.all("input") if i.get("type") == "radio"] == ["two"]
    other_browser.sign_in("TOUS-9")
    theirs = opened(other_browser, path, INBOX)
    assert "même livret de famille" in theirs.text
    merged = decide(other_browser, theirs, path, decision=keep, reason="vu aussi")
    assert "Les deux comptes sont fusionnés" in other_browser.get(merged.headers["Location"]).text
    assert known(world, "subject-lila") is None and known(world, LILAS) is not None
    late = decide(site, own, path, decision="two", reason="trop tard")
    assert late.status == 404 and "entre-temps" in late.text


def test_two_people_are_told_apart_by_one_agent(site: Site, world: World) -> None:
    cases.twins(world)
    site.sign_in("INES-7")
    done = decide(site, opened(site, f"{TWINS}/examen", TWINS), f"{TWINS}/examen", decision="two", reason="jumelles")
    page = site.get(done.headers["Location"])
    assert "ce sont deux personnes" in page.text and "Aucun doublon probable" in page.text


# --- appeals ---


def test_an_appeal_is_read_with_its_standing_and_answered(site: Site, world: World) -> None:
    cases.appeal_about_a_poll(world)
    site.sign_in("INES-7")
    path = f"{APPEALS}/reponse"
    page = opened(site, path, APPEALS)
    assert "J’habite ici depuis mai." in page.text and "La place Hoche" in page.text and "est sur la liste" in page.text
    assert "déjà" not in page.text, "that she took her right to vote is not for agents to know"
    bare = decide(site, page, path, decision="dismissed")
    assert (bare.status, bare.faults()) == (400, []) and "Écrivez la réponse" in bare.text
    world.fail["identity"] = 503
    down = decide(site, bare, path, decision="dismissed", answer="La liste était figée.")
    assert down.status == 503 and "La liste était figée." in down.source
    world.fail.clear()
    done = decide(site, down, path, decision="dismissed", answer="La liste était figée.")
    assert "Aucun recours n’attend" in site.get(done.headers["Location"]).text
    (entry,) = world.identity.registry().dossier.of(LILAS)
    assert (entry.state, entry.words["answer"], entry.decided_by) == ("dismissed", "La liste était figée.", AGENT)
    closed = opened(site, path, f"{APPEALS}?state=dismissed")
    assert "a été rejeté" in closed.text and not closed.has_form("/confirmer")
    again = decide(site, bare, path, decision="granted", answer="Si, pourtant.")
    assert again.status == 404 and "déjà reçu une réponse" in again.text


# --- all of them ---


def test_no_address_and_no_journal_names_a_person(site: Site, world: World) -> None:
    cases.twins(world)
    cases.appeal(world)
    site.sign_in("INES-7")
    for at in (INBOX, TWINS, APPEALS, PEOPLE):
        page = site.get(at)
        links = [a.get("href", "") for a in page.all("a")] + [f.get("action", "") for f in page.all("form")]
        assert not any("subject" in link for link in links)
    sheet(site)
    site.sign_in("RENE-8")
    assert "subject-" not in site.get("/agent/journal").text


@pytest.mark.parametrize("code", ["LILAS-1", "AUDE-3", "RENE-8"])
def test_these_pages_are_agents_and_administrators_alone(site: Site, code: str) -> None:
    site.sign_in(code)
    assert {site.get(at).status for at in (INBOX, TWINS, APPEALS, PEOPLE)} == {403}


def test_every_standing_has_its_words() -> None:
    assert set(entries._STANDINGS) == set(REASONS) - {"may_vote", "took_credential"} | {"on_roll"}
