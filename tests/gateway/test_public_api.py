"""The public API: what anyone reads, what a key changes, and that nothing of a page or a cookie gets into it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.ballot.api import create_api as ballot
from services.gateway.pages.api import browse, description
from services.gateway.pages.api.access import api
from services.gateway.pages.app import create_app
from services.gateway.settings import GatewaySettings
from services.gateway.store import STEPS
from services.gateway.store.api_keys import ApiKeys
from services.shared import keys, web
from services.shared.store import open_database
from tests.ballot.kit import YES, Town, draft
from tests.contract_checks import check, served
from tests.gateway.conftest import Site
from tests.gateway.stub_services import DONE, OPEN, SOON, World

ROOT = "/api/v1"
READS = ("/polls", f"/polls/{OPEN}", f"/polls/{OPEN}/manifest", f"/polls/{OPEN}/epochs", f"/polls/{DONE}/results")


@pytest.fixture
def client(app: web.App) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def made(app: web.App) -> Callable[..., str]:
    """A new key's secret."""

    def make(*scopes: str, quota: int = 1000, ends_on: str = "") -> str:
        with app.app_context():
            return api().keys.make("an-organisation", "Une association", scopes, quota, "admin", ends_on)[1]

    return make


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def told(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["refusal"]


@pytest.mark.parametrize("path", READS)
def test_anyone_reads_what_is_public_and_any_site_may(path: str, client: FlaskClient) -> None:
    answer = client.get(ROOT + path)
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers and "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "public, max-age=10"
    again = client.get(ROOT + path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304 and again.data == b""


def test_the_manifest_is_the_very_bytes_that_its_hash_is_of(client: FlaskClient, world: World) -> None:
    assert sha256(client.get(f"{ROOT}/polls/{OPEN}/manifest").data).hexdigest() == world.polls[OPEN].manifest_hash


def test_the_register_streams_as_lines(client: FlaskClient) -> None:
    answer = client.get(f"{ROOT}/polls/{DONE}/export")
    assert answer.mimetype == "application/x-ndjson" and len(answer.data.splitlines()) == 3
    assert client.head(f"{ROOT}/polls/{DONE}/export").status_code == 200
    assert client.get(f"{ROOT}/polls/{DONE}/stations/bureau-1/checkpoint").mimetype == "text/plain"


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/nothing", 404),
        ("GET", "/polls/not-a-poll", 404),
        ("GET", f"/polls/{SOON}/results", 404),
        ("GET", f"/polls/{OPEN}/stations/..%2f..%2fme/checkpoint", 404),
        ("GET", f"/polls/{OPEN}/stations/%2e%2e/checkpoint", 404),
        ("GET", f"/polls/{OPEN}/stations/A?b/checkpoint", 404),
        ("GET", "/polls?page=0", 400),
        ("GET", "/polls?page=99999999999", 400),
        ("POST", "/polls", 405),
        ("DELETE", f"/polls/{OPEN}", 405),
    ],
)
def test_whatever_is_wrong_is_told_as_json(method: str, path: str, status: int, client: FlaskClient) -> None:
    answer = client.open(ROOT + path, method=method)
    assert (answer.status_code, answer.mimetype) == (status, "application/json")
    assert set(answer.get_json()) == {"refusal", "field", "reason"} and b"<" not in answer.data


def test_a_service_that_is_down_is_a_503_as_json(client: FlaskClient, world: World) -> None:
    world.fail["ballot"] = 500
    answer = client.get(f"{ROOT}/polls")
    assert told(answer) == (503, "ServiceUnavailable") and answer.headers["Retry-After"] == "1"
    assert answer.headers["Cache-Control"] == "no-store"


def test_who_is_signed_in_is_nobody_here(site: Site, world: World) -> None:
    """No session reaches a service through the API, so no page of another site can read as the visitor."""
    site.sign_in("AUDE-3")
    world.seen.clear()
    assert site.client.get(f"{ROOT}/polls/{OPEN}").status_code == 200
    assert [headers.get("authorization") for _, _, headers in world.seen] == [None]


def test_an_address_may_ask_so_often_a_minute(
    environment: World, static: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARVIS_API_PER_MINUTE", "3")
    settings = GatewaySettings.from_env()
    client = create_app(settings, open_database(settings.common, "gateway"), static=static).test_client()
    left = [client.get(f"{ROOT}/polls").headers["RateLimit"].split(";")[1] for _ in range(3)]
    assert left == ["r=2", "r=1", "r=0"]
    answer = client.get(f"{ROOT}/polls")
    assert told(answer) == (429, "QuotaUsedUp")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["RateLimit-Policy"] == '"address";q=3;w=60'
    other = client.get(f"{ROOT}/polls", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert other.status_code == 200
    assert client.get("/").status_code == 200  # pages are not counted


def test_a_key_has_a_quota_of_its_own_and_opens_what_it_is_for(client: FlaskClient, made: Callable[..., str]) -> None:
    secret = made("polls:read", quota=2)
    first = client.get(f"{ROOT}/polls", headers=bearer(secret))
    assert (first.status_code, first.headers["RateLimit-Policy"]) == (200, '"key";q=2;w=3600')
    assert first.headers["Cache-Control"] == "private, max-age=10"
    assert told(client.get(f"{ROOT}/polls/{DONE}/export", headers=bearer(secret))) == (403, "ScopeMissing")
    assert client.get(f"{ROOT}/polls", headers=bearer(secret)).status_code == 200
    assert told(client.get(f"{ROOT}/polls", headers=bearer(secret))) == (429, "QuotaUsedUp")
    assert client.get(f"{ROOT}/polls").status_code == 200  # without it, as anyone


@pytest.mark.parametrize("header", ["Bearer nothing", "Bearer parvis_000000000000_" + "A" * 43, "Basic eDp5", "Bearer"])
def test_a_key_that_is_not_known_opens_nothing(header: str, client: FlaskClient) -> None:
    answer = client.get(f"{ROOT}/polls", headers={"Authorization": header})
    assert told(answer) == (401, "KeyUnknown") and answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_that_was_ended_opens_nothing_from_that_moment_on(
    app: web.App, client: FlaskClient, made: Callable[..., str]
) -> None:
    secret = made("polls:read")
    assert client.get(f"{ROOT}/polls", headers=bearer(secret)).status_code == 200
    with app.app_context():
        [key] = api().keys.page(1)[0]
        assert api().keys.end(key.id, "admin") and not api().keys.end(key.id, "admin")
    assert told(client.get(f"{ROOT}/polls", headers=bearer(secret))) == (401, "KeyUnknown")


def test_another_sites_script_learns_by_preflight_that_it_may_read(client: FlaskClient) -> None:
    answer = client.options(f"{ROOT}/polls", headers={"Origin": "https://example.org"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD"


def test_the_description_is_the_merge_of_what_services_publish_and_the_gateways_own(
    client: FlaskClient, world: World
) -> None:
    world.fail["ballot"] = 500  # nobody is asked
    said = client.get(f"{ROOT}/openapi.json").get_json()
    assert {"/polls", "/polls/{poll}", "/polls/{poll}/export", "/catalogue.jsonld", "/openapi.json"} <= set(
        said["paths"]
    )
    assert said["servers"] == [{"url": ROOT}]
    for schema in said["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    assert {one.rule for one in description.published()} <= {
        str(rule) for rule in client.application.url_map.iter_rules()
    }
    assert "x-service" not in json.dumps(said)


def test_every_published_operation_has_french_words(client: FlaskClient) -> None:
    said = client.get(f"{ROOT}/openapi.json").get_json()
    names = {one["operationId"] for path in said["paths"].values() for one in path.values()}
    assert names == set(browse.TITLES)


def test_the_page_for_people_shows_each_operation(site: Site) -> None:
    page = site.get("/api")
    assert page.faults() == [] and page.status == 200
    for title in browse.TITLES.values():
        assert title in page.text
    assert (
        f"curl https://adresse-du-site{ROOT}/polls/" in page.source
        and '"turnout": nombre entier' in page.source.replace("&#34;", '"')
    )


@pytest.fixture
def real(
    tmp_path: Path, static: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[web.App, dict[str, list[str]]]]:
    """The gateway before the real ballot service, in this process; and what is there."""
    town = Town.embedded(tmp_path / "ballot")
    manifest = town.open()
    town.cast(manifest, town.voter(manifest).ballot(YES))
    town.seal_now(manifest)
    counted = town.open()
    town.close(counted)
    town.count(counted)
    town.application.draft(draft(), "officer-a")
    monkeypatch.setenv("PARVIS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PARVIS_API_PER_MINUTE", "1000000")
    settings = GatewaySettings.from_env()
    keys.make_key_pair(settings.token_key, settings.token_pub)
    keys.make_key(settings.cookie_key)
    with served(ballot(town.application, town.views, town.box, town.log, None, lambda: None)) as url:
        monkeypatch.setenv("PARVIS_BALLOT_URL", url)
        settings = GatewaySettings.from_env()
        database = open_database(settings.common, "gateway")
        database.migrate(STEPS)
        known = {"poll": [manifest.poll, counted.poll], "station": [one.id for one in manifest.stations]}
        yield create_app(settings, database, static=static), known
    database.close()
    town.shut()


def test_the_public_api_is_as_it_says(real: tuple[web.App, dict[str, list[str]]]) -> None:
    app, known = real
    said: dict[str, Any] = app.extensions["api_description"]
    with app.app_context():
        secret = api().keys.make("an-organisation", "Une association", ["polls:read"], 1_000_000, "admin")[1]
    for token in (None, lambda: secret):
        with served(app) as url:
            found = check(said, url + ROOT, examples=3, seed=20_261_125, token=token, known=known)
        print(found.requests, dict(found.statuses))
        assert found.findings == {} and not [status for status in found.statuses if status >= 500]
        assert len(found.operations) == len(browse.TITLES) and {200, 400, 404, 405} <= set(found.statuses)


def test_keys_are_kept_as_hashes_and_uses_by_the_hour(app: web.App, made: Callable[..., str]) -> None:
    secret = made("polls:read", "exports:read")
    client = app.test_client()
    client.get(f"{ROOT}/polls", headers=bearer(secret))
    settings = GatewaySettings.from_env()
    with app.app_context():
        api().by_key.share()
    held = b"".join(path.read_bytes() for path in settings.common.data.glob("gateway.db*"))
    assert b"an-organisation" in held and secret.split("_", 2)[2].encode() not in held
    [key] = ApiKeys(open_database(settings.common, "gateway")).page(1)[0]
    assert key.last_used_on == key.created_on and key.scopes == {"polls:read", "exports:read"}


def test_a_filter_that_a_service_declares_is_passed_on(client: FlaskClient) -> None:
    told = client.get(f"{ROOT}/polls?state=open").get_json()
    assert [poll["poll"] for poll in told["polls"]] == [OPEN]
