"""Public pages are shared between visitors; nothing of a person ever is."""

from __future__ import annotations

import gzip
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from services.gateway.pages import public, security
from services.gateway.pages.api.access import is_api
from services.gateway.pages.app import create_app
from services.gateway.pages.shared_reads import SharedReads
from services.gateway.settings import GatewaySettings
from services.shared.store import open_database
from services.shared.web import ANYONE
from tests.gateway.conftest import Site
from tests.gateway.stub_services import CLOSED, DONE, OPEN, SOON, World

SHARED = ["/", "/?page=1", "/aide", "/accessibilite", "/hors-ligne", f"/scrutins/{OPEN}", f"/scrutins/{DONE}"] + [
    f"/scrutins/{poll}/resultats" for poll in (OPEN, SOON, DONE, CLOSED)
]
FILES = [f"/scrutins/{DONE}/resultats.csv", f"/scrutins/{DONE}/resultats.json", f"/scrutins/{OPEN}/manifeste.json"]
WITH_A_FORM = ["/connexion", f"/scrutins/{OPEN}/suivi", f"/scrutins/{OPEN}/voter"]
NOT_PUBLIC = {
    "/scrutins/<uuid:poll>/suivi": "its form carries a token, bound to a cookie",
    "/connexion": "its form carries a token, bound to a cookie",
    "/scrutins/<uuid:poll>/export": "passed on piece by piece, never whole in memory",
    "/scrutins": "a redirect",
    "/langue/<any(fr,en,br):chosen>": "sets the cookie that was asked for",
    "/scrutins/<uuid:poll>/voter/verifier": "a redirect, and quiet",
    "/scrutins/<uuid:poll>/voter/deposer": "a redirect, and quiet",
    **dict.fromkeys(("/connexion/code", "/connexion/code/saisie", "/connexion/courrier"), "a form of signing in"),
    **dict.fromkeys(("/connexion/courrier/demande", "/connexion/courrier/demande/faite"), "a form of signing in"),
    "/demonstration/messages": "messages to people, in the demonstration",
    "/connexion/fin": "also ends a sign-out at a provider, by a cookie",
    "/connexion/<provider>/retour": "a provider's answer, bound to a cookie",
    **dict.fromkeys(("/inscription", "/inscription/personne"), "a form, which carries its visitor's token"),
    "/livez": "says how this process is now",
    "/readyz": "says how this process is now",
    "/metrics": "says how this process is now",
    "/openapi.json": "for programs",
    "/connexion/code": "a form, which carries its visitor's token",
    "/connexion/code/saisie": "a form, for the browser that asked for a code",
    "/connexion/courrier": "a form, which carries its visitor's token",
    "/connexion/courrier/demande": "a form, which carries its visitor's token",
    "/connexion/courrier/demande/faite": "nobody is told what was asked for here a moment ago",
}
GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def shared(environment: World, static: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A gateway that shares pages for two seconds, as it does by default."""
    monkeypatch.delenv("PARVIS_PUBLIC_SECONDS")
    settings = GatewaySettings.from_env()
    return create_app(settings, open_database(settings.common, "gateway"), static=static)


@pytest.fixture
def someone(shared: Any, environment: World) -> Site:
    return Site(shared.test_client(), Path())


def asked(world: World) -> int:
    return len(world.seen)


def test_every_address_that_is_open_to_anyone_is_shared_or_says_why_not(app: Any) -> None:
    rules = [r for r in app.url_map.iter_rules() if "GET" in (r.methods or ()) and r.who is ANYONE]
    pages = [r for r in rules if not is_api(r.rule)]  # what programs get says what is left of each one's quota
    alone = {r.rule for r in pages if not public.is_public(r.endpoint, app)}
    assert alone == set(NOT_PUBLIC)


@pytest.mark.parametrize("path", SHARED)
def test_a_shared_page_holds_nothing_of_a_visitor(shared: Any, path: str) -> None:
    """No cookie, no token, no nonce, no form; the same bytes for a visitor who comes with cookies of ours."""
    plain = shared.test_client().get(path)
    assert plain.status_code == 200
    assert "Set-Cookie" not in plain.headers and "X-Request-Id" not in plain.headers
    assert plain.headers["Cache-Control"] == public.CONTROL
    assert {"Accept-Encoding", "Accept-Language", "Cookie"} == set(plain.headers["Vary"].split(", "))
    assert not re.search(rf'{security.FIELD}|nonce|<form|<script(?![^>]*src="/)', plain.text)
    other = shared.test_client(use_cookies=False)
    with_cookie = other.get(path, headers={"Cookie": f"voteur-{OPEN}=abc; formulaire=abc"})
    assert with_cookie.data == plain.data and "Set-Cookie" not in with_cookie.headers


@pytest.mark.parametrize("path", WITH_A_FORM)
def test_a_page_with_a_form_is_neither_shared_nor_compressed(shared: Any, path: str) -> None:
    for _ in range(2):
        page = shared.test_client().get(path, headers=GZIP)
        assert "public" not in page.headers["Cache-Control"] and "Content-Encoding" not in page.headers
        assert "Set-Cookie" in page.headers


@pytest.mark.parametrize("path", [*SHARED, *FILES, "/nulle-part"])
def test_whatever_holds_no_secret_travels_compressed(shared: Any, path: str) -> None:
    plain, small = shared.test_client().get(path), shared.test_client().get(path, headers=GZIP)
    assert small.headers["Content-Encoding"] == "gzip" and "Accept-Encoding" in small.headers["Vary"]
    assert gzip.decompress(small.data) == plain.data
    refused = shared.test_client().get(path, headers={"Accept-Encoding": "gzip;q=0, br"})
    assert "Content-Encoding" not in refused.headers


def test_pages_of_people_are_never_compressed(someone: Site) -> None:
    someone.sign_in()
    for path in ("/", "/messages", f"/scrutins/{OPEN}", f"/scrutins/{OPEN}/voter", "/nulle-part"):
        answer = someone.client.get(path, headers=GZIP)
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


def test_who_is_signed_in_never_gets_a_copy_and_leaves_none(shared: Any, someone: Site, world: World) -> None:
    anyone = shared.test_client()
    assert "Lilas" not in anyone.get("/").text
    someone.sign_in()
    assert "Lilas" in someone.get("/").text
    before = asked(world)
    assert "Lilas" not in anyone.get("/").text and "Lilas" in someone.get("/").text
    assert asked(world) == before


def test_the_page_for_moments_without_a_network_is_nobody_s(shared: Any, someone: Site) -> None:
    for_all = shared.test_client().get("/service-worker.js").text
    someone.sign_in()
    assert someone.client.get("/service-worker.js").text == for_all


@pytest.mark.parametrize("path", ["/", f"/scrutins/{OPEN}", f"/scrutins/{DONE}/resultats"])
def test_the_signed_in_share_what_services_tell_everyone_and_no_page(shared: Any, world: World, path: str) -> None:
    people = {code: Site(shared.test_client(), Path()) for code in ("LILAS-1", "ZOE-5")}
    for code, person in people.items():
        person.sign_in(code)
    before = asked(world)
    lilas, zoe = (person.get(path).text for person in people.values())
    assert asked(world) == before + 1
    assert "Lilas" in lilas and "Lilas" not in zoe and "Zoé" in zoe
    assert "Zoé" not in people["LILAS-1"].get(path).text


def test_a_copy_for_everyone_is_made_of_fresh_answers(shared: Any, someone: Site, world: World) -> None:
    """It may itself become two seconds old: an answer that was two seconds old already would make four of them."""
    someone.sign_in()
    someone.get("/")
    before = asked(world)
    shared.test_client().get("/")
    assert asked(world) == before + 1


def test_no_shared_answer_grows_older_than_a_copy(shared: Any, someone: Site, world: World) -> None:
    """Also where a page is made of two of them: what it is made of is not kept a second time."""
    now = 0.0
    shared.extensions["reads"] = SharedReads(2, clock=lambda: now)
    someone.sign_in("AUDE-3")
    for seconds, path in ((0.0, "/"), (1.4, "/agent/scrutins"), (2.8, "/agent/scrutins")):
        now = seconds
        assert someone.get(path).status == 200
    assert [path for _, path, _ in world.seen].count("/polls") == 2


def test_an_answer_that_did_not_come_is_asked_for_again(shared: Any, someone: Site, world: World) -> None:
    someone.sign_in()
    world.fail["ballot"] = 503
    assert "pour le moment" in someone.get("/").text
    world.fail.clear()
    assert "pour le moment" not in someone.get("/").text


def test_a_second_visitor_costs_the_services_nothing(shared: Any, world: World) -> None:
    first = shared.test_client().get("/")
    before = asked(world)
    assert shared.test_client().get("/").data == first.data
    assert asked(world) == before


def test_sixteen_visitors_at_once_cost_one_page(shared: Any, world: World) -> None:
    world.slow["ballot"] = 0.2
    barrier = threading.Barrier(16)

    def visit(_: int) -> bytes:
        barrier.wait(5)
        data: bytes = shared.test_client().get(f"/scrutins/{OPEN}").data
        return data

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(visit, range(16)))) == 1
    assert asked(world) == 1


def test_an_unknown_page_is_not_kept(shared: Any) -> None:
    for n in range(20):
        assert shared.test_client().get(f"/scrutins/00000000-0000-4000-8000-{n:012}").status_code == 404
    assert len(shared.extensions["public"].copies) == 0


def test_an_address_that_someone_made_up_makes_no_copy(shared: Any) -> None:
    for query in ("x=1", "page=1&x=2", "page=01", "page=9999999", "page=x"):
        shared.test_client().get(f"/?{query}")
    assert len(shared.extensions["public"].copies) == 0


@pytest.mark.parametrize("path", ["/", f"/scrutins/{OPEN}", f"/scrutins/{OPEN}/resultats"])
def test_a_page_made_in_trouble_is_kept_for_a_moment_only(shared: Any, world: World, path: str) -> None:
    world.fail["ballot"] = 503
    first = shared.test_client().get(path)
    assert "pour le moment" in first.text
    before = asked(world)
    assert shared.test_client().get(path).data == first.data
    assert asked(world) == before, "a service in trouble is spared"
    world.fail.clear()
    threading.Event().wait(public.SECONDS_IN_TROUBLE)
    again = shared.test_client().get(path)
    assert again.status_code == 200 and "pour le moment" not in again.text


def test_a_browser_that_has_the_page_is_told_so(shared: Any) -> None:
    first = shared.test_client().get("/", headers=GZIP)
    tag = first.headers["ETag"]
    second = shared.test_client().get("/", headers=GZIP | {"If-None-Match": tag})
    assert (second.status_code, second.data) == (304, b"")
    assert second.headers["ETag"] == tag and "Content-Security-Policy" in second.headers
    plain = shared.test_client().get("/", headers={"If-None-Match": tag})
    assert plain.status_code == 200, "the tag is of the compressed form"


def test_an_officers_act_shows_at_once(shared: Any, world: World) -> None:
    reader = Site(shared.test_client(), Path())
    reader.sign_in("ZOE-5")
    for code in ("AUDE-3", "PAUL-4"):
        assert "annulé" not in shared.test_client().get(f"/scrutins/{SOON}").text
        assert "annulé" not in reader.get(f"/scrutins/{SOON}").text
        site, path = Site(shared.test_client(), Path()), f"/agent/scrutins/{SOON}/annulation"
        site.sign_in(code)
        check = site.submit(site.get(path), path, motif="La liste publiée est erronée.")
        site.submit(check, path, etape="confirmer")
    for everyone in (shared.test_client(), reader):
        assert "Ce scrutin est annulé" in everyone.get(f"/scrutins/{SOON}").text


def test_copies_are_counted_as_requests(shared: Any) -> None:
    client = shared.test_client()
    labels = 'http_request_method="GET",http_response_status_code="200",http_route="/aide"'

    def count() -> float:
        found = re.search(rf"duration_seconds_count{{{labels}}} (\S+)", client.get("/metrics").text)
        return float(found[1]) if found else 0

    before = count()
    for _ in range(3):
        client.get("/aide")
    assert count() == before + 3
