"""Keys of the public API: made and ended by an administrator, counted by the hour whoever counts, on both engines."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.gateway.pages.api.quotas import MOST_SOURCES, KeyQuotas, SourceQuotas
from services.gateway.store import STEPS
from services.gateway.store.api_keys import SCOPES, ApiKeys, KeyMadeAlready, KeyRequestWrong
from services.shared.store import Database, StoreFailed
from tests.gateway.conftest import Site
from tests.gateway.stub_services import World
from tests.shared.fixtures_servers import empty_store as empty_store
from tests.shared.fixtures_servers import postgres_server as postgres_server

NEW = "/agent/cles/nouvelle"
WANTED = {
    "family_name": "Moreau",
    "given_name": "Lilas",
    "birth_date": "12/03/1980",
    "label": "Portail de données",
    "scopes": "polls:read",
    "quota": "2",
}


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def keys(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[ApiKeys]:
    if request.param == "sqlite":
        database = Database(tmp_path / "gateway.db")
    else:
        database = Database(request.getfixturevalue("empty_store")())
    database.migrate(STEPS)
    yield ApiKeys(database, clock)
    database.close()


def make(keys: ApiKeys, *, quota: int = 100, ends_on: str = "") -> tuple[str, str]:
    key, secret = keys.make("an-organisation", "Une association", ["polls:read"], quota, "admin", ends_on)
    return key.id, secret


def test_a_key_is_found_by_its_secret_until_its_last_day(keys: ApiKeys, clock: Clock) -> None:
    key_id, secret = make(keys, ends_on="2027-01-17")
    assert keys.today() == "2027-01-15"
    found = keys.find(secret)
    assert found is not None and found == keys.get(key_id) and found.owner == "an-organisation"
    assert keys.find(secret[:-1] + ("A" if secret[-1] != "A" else "B")) is None
    clock.now += 2 * 86_400
    assert keys.find(secret) is None


@pytest.mark.parametrize(
    "field, given",
    [
        ("scopes", ("o", "l", [], 1, "a", "")),
        ("scopes", ("o", "l", ["all"], 1, "a", "")),
        ("quota", ("o", "l", SCOPES, 0, "a", "")),
        ("label", ("o", " ", SCOPES, 1, "a", "")),
        ("ends_on", ("o", "l", SCOPES, 1, "a", "2027-01-15")),
        ("ends_on", ("o", "l", SCOPES, 1, "a", "tomorrow")),
    ],
)
def test_a_key_that_cannot_be_is_refused(field: str, given: tuple[object, ...], keys: ApiKeys) -> None:
    with pytest.raises(KeyRequestWrong) as refused:
        keys.make(*given)  # type: ignore[arg-type]
    assert refused.value.field == field and keys.page(1) == ([], 1)


def test_the_same_request_twice_makes_one_key(keys: ApiKeys) -> None:
    made = {"key_id": "0123456789ab"}
    keys.make("o", "l", SCOPES, 1, "a", **made)
    with pytest.raises(KeyMadeAlready):
        keys.make("o", "l", SCOPES, 1, "a", **made)
    assert len(keys.page(1)[0]) == 1


def test_a_quota_holds_under_many_threads_to_the_very_last_use(keys: ApiKeys, clock: Clock) -> None:
    key_id, _ = make(keys, quota=500)
    key = keys.get(key_id)
    assert key is not None
    quotas, allowed = KeyQuotas(keys, clock), []

    def ask() -> None:
        for _ in range(100):
            allowed.append(quotas.take(key).allowed)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    quotas.share()
    hour = int(clock.now) // 3600
    assert allowed.count(True) == 500 and len(allowed) == 800
    assert keys.used(key_id, hour) == 500
    used = keys.get(key_id)
    assert used is not None and used.last_used_on == "2027-01-15"


def test_two_processes_share_a_quota_but_for_ten_seconds_of_uses(keys: ApiKeys, clock: Clock) -> None:
    key_id, _ = make(keys, quota=100)
    key = keys.get(key_id)
    assert key is not None
    one, other = KeyQuotas(keys, clock), KeyQuotas(keys, clock)
    taken = 0
    for _ in range(30):  # each asks ten times in ten seconds
        clock.now += 10
        for quotas in (one, other):
            taken += sum(quotas.take(key).allowed for _ in range(10))
    assert 100 <= taken <= 120
    clock.now += 3600
    assert one.take(key).remaining == 99 and keys.used(key_id, int(clock.now) // 3600) == 1
    assert keys.used(key_id, int(clock.now) // 3600 - 1) == 0  # older hours are forgotten


def test_most_uses_write_nothing(keys: ApiKeys, clock: Clock) -> None:
    key_id, _ = make(keys, quota=10_000)
    key = keys.get(key_id)
    assert key is not None
    writes = 0

    class Counted(ApiKeys):
        def add_uses(self, *given: object) -> dict[str, int]:
            nonlocal writes
            writes += 1
            return keys.add_uses(*given)  # type: ignore[arg-type]

    quotas = KeyQuotas(Counted(keys._database, clock), clock)
    for _ in range(1000):
        clock.now += 0.05
        assert quotas.take(key).allowed
    assert writes in (5, 6)  # 50 seconds


def test_a_store_that_cannot_be_written_costs_no_answer(keys: ApiKeys, clock: Clock) -> None:
    key_id, _ = make(keys, quota=3)
    key = keys.get(key_id)
    assert key is not None

    class Full(ApiKeys):
        def add_uses(self, *given: object) -> dict[str, int]:
            raise StoreFailed("no space left")

    quotas = KeyQuotas(Full(keys._database, clock), clock)
    assert [quotas.take(key).allowed for _ in range(4)] == [True, True, True, False]


def test_addresses_are_counted_by_the_minute_ipv6_by_network(clock: Clock) -> None:
    quotas = SourceQuotas(2, b"k" * 32, clock)
    asked = ["192.0.2.1", "192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2", "2001:db8::3", "::ffff:192.0.2.1"]
    assert [quotas.take(address).allowed for address in asked] == [True, True, False, True, True, False, False]
    clock.now += 60
    assert quotas.take("192.0.2.1").allowed


def test_however_many_addresses_ask_memory_stays_small(clock: Clock) -> None:
    quotas = SourceQuotas(1, b"k" * 32, clock)
    allowed = sum(quotas.take(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}").allowed for n in range(MOST_SOURCES + 500))
    assert allowed == MOST_SOURCES + 100  # those beyond share one quota of a hundred
    assert len(quotas._used) == MOST_SOURCES + 1


def test_an_administrator_makes_a_key_which_is_shown_once_and_works(site: Site, world: World) -> None:
    site.sign_in("ADA-6")
    form = site.get(NEW)
    made = site.submit(form, NEW, **WANTED)
    assert (made.status, made.faults()) == (200, [])
    secret = made.source.split("parvis_")[1].split("<")[0]
    header = {"Authorization": f"Bearer parvis_{secret}"}
    assert site.client.get("/api/v1/polls", headers=header).headers["RateLimit-Policy"] == '"key";q=2;w=3600'
    again = site.submit(form, NEW, **WANTED)
    assert again.status == 409 and "déjà créée" in again.text and "parvis_" not in again.source
    listed = site.get("/agent/cles")
    assert "Portail de données" in listed.text and "Lilas Moreau" in listed.text
    assert secret not in listed.source and listed.text.count("Portail de données") <= 2
    assert "Clé créée" in site.get("/agent/journal").text
    asked = site.submit(listed, "/agent/cles/fin")
    assert "Révoquer la clé" in asked.text
    assert site.submit(asked, "/agent/cles/fin/confirmer").status == 303
    assert site.client.get("/api/v1/polls", headers=header).status_code == 401
    assert "Révoquée" in site.get("/agent/cles").text


def test_a_wrong_form_comes_back_with_what_was_typed(site: Site, world: World) -> None:
    site.sign_in("ADA-6")
    form = site.get(NEW)
    page = site.submit(form, NEW, **WANTED | {"quota": "beaucoup", "ends_on": "31/02/2030"})
    assert (page.status, page.faults()) == (400, [])
    assert "beaucoup" in page.source and "31/02/2030" in page.source and "Moreau" in page.source
    late = site.submit(form, NEW, **WANTED | {"ends_on": "01/01/2020"})
    assert late.status == 400 and "Choisissez un jour à venir" in late.text
