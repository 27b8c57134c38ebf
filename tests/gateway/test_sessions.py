"""Sessions: new at each sign-in, prolonged on demand, warned of, forgotten on shared computers; a form outlives one."""

from __future__ import annotations

from typing import Any

import pytest

from services.gateway.settings import GatewaySettings
from services.gateway.store.sessions import LONGEST_SECONDS, REMEMBERED_SECONDS, SHARED_SECONDS, Sessions
from services.shared.store import open_database
from tests.gateway.conftest import Site
from tests.gateway.stub_services import OPEN, World
from tests.gateway.test_kit import GIVE, INES


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(environment: World, clock: Clock) -> Sessions:
    return Sessions(open_database(GatewaySettings.from_env().common, "gateway"), 7200, clock)


def end(app: Any) -> None:
    """Every session ends, by its time."""
    with open_database(GatewaySettings.from_env().common, "gateway").transaction() as tx:
        tx.execute("UPDATE sessions SET expires_at = 1700000000")
    app.extensions["front"].sessions.find("")


def soon(app: Any) -> None:
    with open_database(GatewaySettings.from_env().common, "gateway").transaction() as tx:
        tx.execute("UPDATE sessions SET expires_at = ?", (int(app.extensions["front"].sessions._clock()) + 300,))


def test_a_session_is_prolonged_up_to_twelve_hours_after_the_sign_in(sessions: Sessions, clock: Clock) -> None:
    token = sessions.open("s", ["resident"], "Zoé Martin")
    for _ in range(40):
        clock.now += 3600
        sessions.prolong(token, ["agent"])
    assert sessions.find(token) is None
    token = sessions.open("s", ["resident"], "Zoé Martin")
    clock.now += 3600
    assert sessions.prolong(token, ["agent"]) == int(clock.now) + 7200
    found = sessions.find(token)
    assert found is not None and (found.roles, found.name) == (frozenset(["agent"]), "Zoé Martin")
    clock.now = found.opened_at + LONGEST_SECONDS
    assert sessions.find(token) is None


def test_a_shared_session_is_short_has_a_new_token_and_is_not_remembered(sessions: Sessions, clock: Clock) -> None:
    first = sessions.open("s", ["resident"], "Zoé Martin", told=b"told")
    second = sessions.share(first)
    assert second is not None and sessions.find(first) is None and sessions.told(second) == b"told"
    found = sessions.find(second)
    assert found is not None and found.shared and found.expires_at == int(clock.now) + SHARED_SECONDS
    clock.now += SHARED_SECONDS
    assert sessions.find(second) is None and sessions.ended(second) is None


def test_an_ended_session_is_remembered_for_hours_and_opens_nothing(sessions: Sessions, clock: Clock) -> None:
    token = sessions.open("s", ["resident"], "Zoé Martin")
    assert sessions.ended(token) is None
    clock.now += 7200
    assert (sessions.find(token), sessions.ended(token)) == (None, "s")
    clock.now += REMEMBERED_SECONDS
    sessions.open("other", [], "Noé")
    assert sessions.ended(token) is None


def test_no_name_lies_in_the_store(site: Site) -> None:
    site.sign_in("ADA-6")
    kept = b"".join(path.read_bytes() for path in site.data.glob("gateway*") if path.is_file())
    assert b"subject-ada" in kept and b"Lebrun" not in kept


def test_a_form_that_outlives_its_session_is_kept_for_its_author_alone(
    site: Site, other_browser: Site, app: Any
) -> None:
    site.sign_in("ADA-6")
    page = site.get(f"{GIVE}/personne")
    end(app)
    answer = site.submit(page, f"{GIVE}/personne", **INES)
    assert (answer.status, answer.faults()) == (401, [])
    assert "ce que vous avez saisi est gardé" in answer.text and "Diallo" not in answer.source
    back = site.submit(answer, "/connexion", code="ADA-6").headers["Location"]
    assert back == f"{GIVE}/personne"
    assert "Diallo" in site.get(back).source
    other_browser.sign_in("TOUS-9")
    assert "Diallo" not in other_browser.get(back).source


def test_who_comes_after_on_the_same_browser_finds_nothing(site: Site, app: Any) -> None:
    site.sign_in("ADA-6")
    page = site.get(f"{GIVE}/personne")
    end(app)
    answer = site.submit(page, f"{GIVE}/personne", **INES)
    back = site.submit(answer, "/connexion", code="TOUS-9").headers["Location"]
    assert "Diallo" not in site.get(back).source


def test_a_form_of_nobody_or_from_elsewhere_is_not_kept(site: Site, app: Any, world: World) -> None:
    site.sign_in("ADA-6")
    page = site.get(f"{GIVE}/personne")
    end(app)
    assert "est gardé" not in site.submit(page, f"{GIVE}/personne", **INES, jeton="vieux").text
    world.fail["identity"] = 503
    assert "est gardé" not in site.submit(page, f"{GIVE}/personne", **INES).text
    world.fail.clear()
    site.client.delete_cookie("session")
    assert "est gardé" not in site.submit(page, f"{GIVE}/personne", **INES).text


def test_a_choice_of_a_vote_rides_in_the_page_and_is_kept_nowhere(site: Site, app: Any) -> None:
    site.sign_in()
    page = site.get(f"/scrutins/{OPEN}/voter")
    end(app)
    answer = site.submit(page, f"/scrutins/{OPEN}/voter/verifier", **{"reponse-q1": "choix:oui"})
    assert answer.status == 401 and "choix:oui" in answer.source
    with open_database(GatewaySettings.from_env().common, "gateway").transaction() as tx:
        assert tx.execute("SELECT COUNT(*) FROM drafts")[0][0] == 0


def test_the_page_warns_ten_minutes_before_the_end_and_gives_more_time(site: Site, app: Any) -> None:
    site.sign_in("ADA-6")
    calm = site.get("/mon-espace")
    assert "hidden" in next(d for d in calm.all("div") if d.get("id") == "fin-de-session")
    soon(app)
    page = site.get("/mon-espace")
    assert "hidden" not in next(d for d in page.all("div") if d.get("id") == "fin-de-session")
    assert page.faults() == [] and "Votre session se termine à" in page.text
    assert site.submit(page, "/session/prolonger").headers["Location"] == "/mon-espace"
    assert "hidden" in next(d for d in site.get("/mon-espace").all("div") if d.get("id") == "fin-de-session")


def test_more_time_comes_with_the_roles_of_the_moment(site: Site, world: World) -> None:
    site.sign_in("TOUS-9")
    world.identity.parts.roles().end("subject-tous", "administrator", "subject-ada")
    page = site.get("/mon-espace")
    site.submit(page, "/session/prolonger")
    assert site.get("/agent/roles/nouveau").status == 403


def test_a_shared_computer_forgets_everything_at_the_end(site: Site) -> None:
    page = site.get("/connexion")
    signed = site.submit(page, "/connexion", code="LILAS-1", partage="oui")
    (cookie,) = [c for c in signed.cookies() if c.startswith("session=")]
    assert "Max-Age" not in cookie
    end_page = site.submit(site.get("/mon-espace"), "/deconnexion")
    assert '"storage"' in end_page.headers["Clear-Site-Data"] and '"cookies"' in end_page.headers["Clear-Site-Data"]


def test_elsewhere_the_end_leaves_the_voters_own_cookie(site: Site) -> None:
    site.sign_in()
    assert site.submit(site.get("/mon-espace"), "/deconnexion").headers["Clear-Site-Data"] == '"cache"'


def test_a_session_becomes_shared_on_demand_under_a_new_token(site: Site) -> None:
    site.sign_in()
    before = site.client.get_cookie("session")
    assert site.submit(site.get("/mon-espace"), "/session/partage").status == 303
    after = site.client.get_cookie("session")
    assert before is not None and after is not None and before.value != after.value
    page = site.get("/mon-espace")
    assert "cet ordinateur oubliera tout" in page.text and page.faults() == []
    assert page.headers["Cache-Control"] == "no-store"
