"""Signing in by a code that is asked for, and the desk, on the pages; the service behind them is the real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.gateway.pages.app import create_app
from services.gateway.settings import GatewaySettings
from services.shared.store import open_database
from tests.gateway.conftest import Site
from tests.gateway.html import Page
from tests.gateway.stub_services import World

MAIL = "subject-lilas@exemple.fr"
ASK, TYPE = "/connexion/code", "/connexion/code/saisie"
ONCE, LETTER = "/connexion/courrier", "/connexion/courrier/demande"
DESK = "/agent/guichet/connexion"
LILAS = {"family_name": "Moreau", "given_name": "Lilas", "birth_date": "12/03/1980"}


def ask(site: Site, contact: str = MAIL) -> Page:
    """As far as the page where the code is typed."""
    answer = site.submit(site.get(ASK), ASK, contact=contact)
    return site.get(answer.headers["Location"]) if answer.status == 303 else answer


def words(page: Page) -> str:
    return " ".join(page.source.replace("\u00a0", " ").split())


def test_a_code_that_was_sent_signs_in_and_leads_back(site: Site, world: World) -> None:
    asked = site.submit(site.get(f"{ASK}?suite=/messages"), ASK, contact=MAIL)
    page = site.get(asked.headers["Location"])
    opened = site.submit(page, TYPE, code=world.code())
    assert (opened.status, opened.headers["Location"]) == (303, "/messages")
    assert "Lilas Moreau" in site.get("/").source
    assert site.get(TYPE).status == 303, "the request is used up"


def test_known_and_unknown_contacts_see_the_same_page(site: Site, world: World) -> None:
    def without_token(page: Page) -> str:
        token = page.form(TYPE)["jeton"]
        return page.source.replace(token, "")

    known, unknown = ask(site), ask(site, "personne@exemple.fr")
    assert without_token(known) == without_token(unknown)
    assert "Si cette adresse ou ce numéro est connu" in words(known)
    wrong = [words(site.submit(page, TYPE, code="00000000")) for page in (known, unknown)]
    assert wrong[0].replace(known.form(TYPE)["jeton"], "") == wrong[1].replace(unknown.form(TYPE)["jeton"], "")


def test_the_field_is_made_for_codes_and_a_wrong_one_is_not_shown_back(site: Site, world: World) -> None:
    page = ask(site)
    assert 'autocomplete="one-time-code"' in page.source and 'inputmode="numeric"' in page.source
    wrong = site.submit(page, TYPE, code="1357 2468")
    assert wrong.status == 403
    assert "1357" not in wrong.source and "Ce code n’est pas le bon" in words(wrong)


def test_what_was_typed_to_be_reached_by_is_kept_with_the_fault(site: Site) -> None:
    page = ask(site, "lilas@exemple")
    assert page.status == 400
    assert 'value="lilas@exemple"' in page.source and "Saisissez une adresse complète" in words(page)


def test_who_asks_too_often_is_told_when_to_come_back(site: Site, world: World) -> None:
    for _ in range(3):
        ask(site)
    page = ask(site)
    assert page.status == 429
    assert "réessayez dans" in words(page) and "minute" in words(page)
    assert words(ask(site, "personne@exemple.fr")), "another contact may still be asked for"


def test_after_five_wrong_codes_another_one_must_be_asked_for(site: Site, world: World) -> None:
    page = ask(site)
    right = world.code()
    said = [site.submit(page, TYPE, code="00000000").status for _ in range(5)]
    assert said == [403] * 5
    last = site.submit(page, TYPE, code=right)
    assert last.status == 429 and "Trop d’essais" in words(last)


def test_the_request_stays_with_the_browser_that_made_it(site: Site, world: World, app: Any) -> None:
    ask(site)
    code = world.code()
    other = Site(app.test_client(), Path())
    assert other.get(TYPE).headers["Location"] == ASK
    mine = ask(other, "personne@exemple.fr")
    assert other.submit(mine, TYPE, code=code).status == 403


def test_a_letter_is_asked_for_and_its_code_signs_in(site: Site, world: World) -> None:
    done = site.submit(site.get(LETTER), LETTER, **LILAS)
    said = words(site.get(done.headers["Location"]))
    assert "Si une personne de ces nom, prénom et date de naissance figure" in said
    opened = site.submit(site.get(ONCE), ONCE, code=world.code().lower())
    assert opened.status == 303 and "Lilas Moreau" in site.get("/").source


def test_a_letter_for_nobody_known_says_the_same(site: Site) -> None:
    done = site.submit(site.get(LETTER), LETTER, **LILAS | {"given_name": "Personne"})
    assert done.headers["Location"] == f"{LETTER}/faite"


def desk_code(app: Any, world: World) -> str:
    agent = Site(app.test_client(), Path())
    agent.sign_in("INES-7")
    page = agent.submit(agent.get(DESK), DESK, **LILAS, proof="passport")
    assert page.status == 200 and "Code pour Lilas Moreau" in words(page)
    return page.source.split('class="sheet__key">')[1].split("<")[0]


def test_an_agent_signs_in_a_person_on_the_publics_computer(site: Site, world: World, app: Any) -> None:
    opened = site.submit(site.get(ONCE), ONCE, code=desk_code(app, world))
    assert opened.status == 303
    (cookie,) = [c for c in opened.cookies() if c.startswith("session=")]
    assert "Max-Age" not in cookie and "Expires" not in cookie, "it goes with the browser's window"
    left = site.submit(site.get("/"), "/deconnexion")
    assert left.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'


def test_a_session_of_ones_own_stays_and_clears_no_cookie(site: Site) -> None:
    opened = site.sign_in()
    assert any("Max-Age" in c for c in opened.cookies() if c.startswith("session="))
    assert site.submit(site.get("/"), "/deconnexion").headers["Clear-Site-Data"] == '"cache"'


def test_the_desk_stands_in_both_trails(site: Site, world: World, app: Any) -> None:
    desk_code(app, world)
    site.sign_in("ADA-6")
    acts = words(site.get("/agent/guichet/journal"))
    assert "Connexion au guichet" in acts and "Passeport" in acts and "Inès Diallo" in acts and "Lilas Moreau" in acts
    assert "Connexion au guichet" in words(site.get("/agent/journal"))


def test_a_code_of_the_desk_is_kept_nowhere_in_the_gateway(site: Site, world: World, app: Any, tmp_path: Path) -> None:
    code = desk_code(app, world)
    kept = [p for p in tmp_path.rglob("*") if p.is_file() and code.encode() in p.read_bytes()]
    assert kept == []


def test_two_agents_change_how_a_person_is_reached(site: Site, world: World, app: Any) -> None:
    first, new = Site(app.test_client(), Path()), "/agent/guichet/coordonnees/nouvelles"
    first.sign_in("INES-7")
    first.submit(first.get(f"{new}/personne"), f"{new}/personne", **LILAS)
    given = {"email": "neuve@exemple.fr", "phone": "", "proof": "passport"}
    first.submit(first.get(f"{new}/coordonnees"), f"{new}/coordonnees", **given)
    check = first.get(f"{new}/verifier")
    assert "neuve@exemple.fr" in check.source
    assert first.submit(check, f"{new}/envoyer").status == 303
    mine = first.get("/agent/guichet/coordonnees")
    assert not mine.has_form("/agent/guichet/coordonnees/confirmation"), "one does not confirm what one asked for"
    site.sign_in("TOUS-9")
    asked = site.submit(site.get("/agent/guichet/coordonnees"), "/agent/guichet/coordonnees/confirmation")
    assert "neuve@exemple.fr" in asked.source and MAIL in asked.source and "Passeport" in words(asked)
    done = site.submit(asked, "/agent/guichet/coordonnees/confirmation/confirmer")
    assert done.headers["Location"].endswith("?fait=confirme")
    person = world.identity.parts.people.person("subject-lilas")
    assert person is not None and (person.email, person.phone) == ("neuve@exemple.fr", "")


def test_the_spool_is_shown_only_where_that_was_set(
    environment: World, static: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = _browser(static)
    assert "4821 7390" in shown.get("/demonstration/messages").source
    assert "/demonstration/messages" in shown.get(ASK).source
    monkeypatch.delenv("PARVIS_SPOOL_PAGE")
    closed = _browser(static)
    assert closed.get("/demonstration/messages").status == 404
    assert "/demonstration" not in closed.get(ASK).source


def _browser(static: Path) -> Site:
    settings = GatewaySettings.from_env()
    app = create_app(settings, open_database(settings.common, "gateway"), static=static)
    return Site(app.test_client(), Path())


def test_a_session_of_the_desk_gains_no_role_by_being_prolonged(site: Site, world: World, app: Any) -> None:
    agent = Site(app.test_client(), Path())
    agent.sign_in("INES-7")
    solene = {"family_name": "Roux", "given_name": "Solène", "birth_date": "12/03/1980", "proof": "passport"}
    page = agent.submit(agent.get(DESK), DESK, **solene)
    code = page.source.split('class="sheet__key">')[1].split("<")[0]
    site.submit(site.get(ONCE), ONCE, code=code)
    assert site.get("/agent/roles").status == 403, "she is an administrator, but not here"
    fields = site.get("/messages").form("/deconnexion")
    assert site.post("/session/prolonger", **fields).status == 303
    assert site.get("/agent/roles").status == 403


def test_whoever_says_so_leaves_nothing_on_a_shared_computer(site: Site, world: World) -> None:
    opened = site.submit(ask(site), TYPE, code=world.code(), partage="oui")
    (cookie,) = [c for c in opened.cookies() if c.startswith("session=")]
    assert "Max-Age" not in cookie
