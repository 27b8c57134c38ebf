"""An account that tells no birth date finds nobody: who is signed in by code links it, if it bears their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.gateway.settings import GatewaySettings
from tests.gateway.french import french_in
from tests.gateway.html import Page
from tests.gateway.stub_provider import Liar
from tests.gateway.stub_services import World
from tests.gateway.test_external import Visitor, address_of, asked, new_client, refused
from tests.gateway.test_external import liar as liar

ACTION = "/connexion/proconnect"
BUTTON = "Rattacher mon compte ProConnect"


@pytest.fixture
def agent(environment: World, liar: Liar, static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """A browser; ProConnect says who is in front of it: Lilas, born nobody knows when."""
    for name, value in liar.settings(tmp_path, "PROCONNECT").items():
        monkeypatch.setenv(name, value)
    found = Visitor(new_client(static), GatewaySettings.from_env().common.data)
    found.liar, found.action = liar, ACTION
    liar.info_claims = {"birthdate": None, "family_name": None, "usual_name": "Moreau"}
    return found


def test_an_account_that_is_linked_to_nobody_is_told_how_to_be(agent: Visitor, world: World) -> None:
    page = agent.signs_in()
    refused(page, 403, "Ce compte n’est encore rattaché à personne ici")
    assert "connectez-vous avec votre code de connexion" in page.text
    assert agent.name is None and world.linked == {}


def test_who_is_signed_in_by_code_links_an_account_and_needs_no_code_afterwards(agent: Visitor, world: World) -> None:
    assert BUTTON not in agent.get("/connexion").text
    agent.sign_in("LILAS-1")
    page = agent.get("/connexion")
    assert BUTTON in page.text and page.faults() == []
    page = agent.comes_back(agent.begins("/messages")["state"])
    assert (page.status, page.title) == (200, "Votre compte ProConnect est rattaché – Parvis")
    assert "/messages" in [a["href"] for a in page.all("a")] and page.faults() == []
    assert agent.name == "Lilas Moreau" and world.vouched == [], "the session is the one that was there"
    agent.submit(agent.get("/"), "/deconnexion")
    assert agent.name is None
    assert agent.signs_in().status == 303
    assert agent.name == "Lilas Moreau"
    assert BUTTON not in agent.get("/connexion").text, "nothing to link for who came by it"


def test_linking_speaks_english(agent: Visitor) -> None:
    agent.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    pages = [agent.signs_in()]
    known = agent.liar.info_claims
    agent.sign_in("LILAS-1")
    agent.liar.info_claims = known | {"usual_name": "Morel"}
    pages.append(agent.signs_in())
    agent.liar.info_claims = known
    pages.append(agent.signs_in())
    assert [french_in(page) for page in pages] == [[]] * 3
    assert pages[1].title == "This account has other names than yours – Parvis"
    assert pages[2].title == "Your ProConnect account is linked – Parvis"


def test_the_account_of_whoever_sat_there_before_is_not_linked(agent: Visitor, world: World) -> None:
    agent.sign_in("NOE-2")
    refused(agent.signs_in(), 409, "Ce compte porte d’autres noms que les vôtres")
    assert world.linked == {} and agent.name == "Noé Le Goff"


@pytest.mark.parametrize("then", [None, "NOE-2"])
def test_a_link_that_was_begun_in_another_session_is_not_made(agent: Visitor, world: World, then: str | None) -> None:
    agent.sign_in("LILAS-1")
    state = agent.begins()["state"]
    if then is None:
        agent.submit(agent.get("/"), "/deconnexion")
    else:
        agent.sign_in(then)
    refused(agent.comes_back(state), 400, "La connexion n’a pas pu être reprise")
    assert world.linked == {}


def test_nobody_links_without_being_signed_in(agent: Visitor, world: World) -> None:
    page = agent.submit(agent.get("/connexion"), ACTION, rattacher="oui")
    agent.liar.nonce = asked(address_of(page))["nonce"]
    assert agent.comes_back(asked(address_of(page))["state"]).status == 403
    assert world.linked == {}


def test_a_provider_that_tells_the_birth_date_offers_no_link(
    agent: Visitor, static: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARVIS_PROCONNECT_SCOPES", "openid given_name family_name birthdate")
    site = Visitor(new_client(static), agent.data)
    site.sign_in("LILAS-1")
    page: Page = site.get("/connexion")
    assert BUTTON not in page.text and "Se connecter avec ProConnect" in page.text
