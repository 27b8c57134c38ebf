"""The JSON API of identity, as the gateway calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.identity.api import create_api
from services.identity.domain import ROLES
from services.shared import keys
from services.shared.tokens import TokenSigner, TokenVerifier
from tests.identity.conftest import CLOSES, OPENS, POLL, World

MARK = {"credential": "11" * 32, "salt": "22" * 32}
POISON = [
    b"",
    b"[]",
    b"null",
    b"NaN",
    b'{"credential":NaN}',
    b'{"salt":"a","salt":"b"}',
    b"[" * 60_000,
    b" " * 20_000_000,
    b'{"' + b"a" * 60_000 + b'":1}',
    b'{"code":1,"strata":1,"credential":1,"subject":1}',
    b'{"code":null}',
    b'{"code":"\\u0000"}',
    b'{"subject":""}',
    b"\xff\xfe",
]


class Api:
    """Calls the API as someone."""

    def __init__(self, world: World, folder: Path) -> None:
        keys.make_key_pair(folder / "token.key", folder / "token.pub")
        self.signer = TokenSigner(folder / "token.key")
        tokens = TokenVerifier(folder / "token.pub", "identity")
        parts = (world.sign_in, world.external, world.roles, world.personal, world.issuance)
        app = create_api(*parts, tokens, lambda: None, codes=world.codes, desk=world.desk, registry=world.registry)
        self.client = app.test_client()
        self.routes = list(app.url_map.iter_rules())

    def __call__(self, method: str, path: str, body: Any = None, *, by: str = "", roles: str = "") -> TestResponse:
        token = self.signer.token(by, roles.split(), "identity") if by else None
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = body if isinstance(body, bytes | None) else json.dumps(body)
        kind = "application/json" if body is not None else None
        return self.client.open(path, method=method, data=data, content_type=kind, headers=headers)


@pytest.fixture
def api(world: World, tmp_path: Path) -> Api:
    return Api(world, tmp_path)


def refusal(answer: TestResponse) -> tuple[int, str, str | None]:
    told = answer.get_json()
    return answer.status_code, told["refusal"], told["field"]


def test_a_person_signs_in_by_code(api: Api, world: World) -> None:
    (subject,) = world.settle(1)
    code = world.sign_in.new_code(subject)
    answer = api("POST", "/sign-in", {"code": code})
    assert (answer.status_code, answer.get_json()["subject"], answer.get_json()["roles"]) == (
        200,
        subject,
        ["resident"],
    )
    assert refusal(api("POST", "/sign-in", {"code": code + "0"})) == (403, "CodeUnknown", "code")


def test_wrong_codes_are_counted_by_the_source_that_the_gateway_names(api: Api) -> None:
    for _ in range(5):
        assert refusal(api("POST", "/sign-in", {"code": "AAAA-AAAA", "source": "visitor-1"}))[1] == "CodeUnknown"
    assert refusal(api("POST", "/sign-in", {"code": "AAAA-AAAA", "source": "visitor-1"}))[:2] == (403, "TooManyTries")
    assert refusal(api("POST", "/sign-in", {"code": "AAAA-AAAA", "source": "visitor-2"}))[1] == "CodeUnknown"


def test_an_officer_prepares_the_issuance(api: Api, world: World) -> None:
    world.settle(2)
    body = {"strata": ["habitants"], "opens_at": OPENS, "closes_at": CLOSES}
    answer = api("POST", f"/polls/{POLL}/issuance", body, by="officer", roles="returning_officer").get_json()
    assert answer["issuer_key"] == world.keys.issuer_key(POLL)
    assert answer["strata"][0]["id"] == "habitants" and answer["strata"][0]["roll_size"] == 2
    assert refusal(api("POST", f"/polls/{POLL}/issuance", body, by="x", roles="resident agent"))[0] == 403
    assert refusal(
        api("POST", f"/polls/{POLL}/issuance", {**body, "opens_at": "soon"}, by="o", roles="returning_officer")
    )[:2] == (400, "BadInput")


def test_a_resident_asks_whether_they_may_vote_and_takes_their_credential(api: Api, world: World) -> None:
    (subject,) = world.settle(1)
    world.publish()
    path = f"/polls/{POLL}"
    assert api("GET", f"{path}/eligibility", by=subject).get_json() == {"eligible": True, "stratum": "habitants"}
    assert api("GET", f"{path}/eligibility", by="x").get_json() == {"eligible": False, "stratum": None}
    marked = api("POST", f"{path}/marks", MARK, by=subject, roles="resident")
    assert (marked.status_code, marked.get_json()["stratum"]) == (200, "habitants")
    assert "X-Request-Id" not in marked.headers
    again = api("POST", f"{path}/marks", {**MARK, "salt": "33" * 32}, by=subject, roles="resident")
    assert refusal(again) == (409, "AnotherCredentialMarked", None)
    assert refusal(api("POST", f"{path}/marks", MARK, by="x", roles="resident")) == (403, "NotOnRoll", None)
    assert refusal(api("POST", f"{path}/marks", MARK, by=subject, roles="auditor"))[0] == 403
    assert refusal(api("POST", f"{path}/marks", MARK))[0] == 401


def test_two_officers_reissue(api: Api, world: World) -> None:
    (subject,) = world.settle(1)
    world.publish()
    api("POST", f"/polls/{POLL}/marks", MARK, by=subject, roles="resident")
    ask = {"subject": subject}
    path, officer = f"/polls/{POLL}/reissues", "returning_officer"
    assert api("POST", path, ask, by="officer-1", roles=officer).get_json() == {"state": "asked"}
    assert refusal(api("POST", path, ask, by="officer-1", roles=officer))[:2] == (409, "SecondPersonNeeded")
    assert api("POST", path, ask, by="officer-2", roles=officer).get_json() == {"state": "confirmed"}


@pytest.mark.parametrize(
    "change, field",
    [
        ({"credential": "11" * 31}, "credential"),
        ({"credential": "GG" * 32}, "credential"),
        ({"credential": "11" * 32 + "\n"}, "credential"),
        ({"credential": "AA" * 32}, "credential"),
        ({"salt": 5}, "salt"),
        ({"name": "x"}, "name"),
    ],
)
def test_a_mark_that_is_not_two_times_32_bytes_names_its_field(
    api: Api, world: World, change: dict[str, Any], field: str
) -> None:
    (subject,) = world.settle(1)
    world.publish()
    answer = api("POST", f"/polls/{POLL}/marks", {**MARK, **change}, by=subject, roles="resident")
    assert refusal(answer) == (400, "BadInput", field)


def test_unknown_polls_are_not_found(api: Api) -> None:
    for method, what, body in (("GET", "eligibility", None), ("POST", "marks", MARK)):
        assert refusal(api(method, f"/polls/{POLL}/{what}", body, by="x", roles="resident"))[:2] == (404, "PollUnknown")


def test_no_body_whatever_makes_a_route_fail(api: Api) -> None:
    everyone = " ".join((*ROLES, "gateway"))
    for rule in api.routes:
        for method in (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
            for data in POISON:
                answer = api(method, _somewhere(rule.rule), data, by="x", roles=everyone)
                told = answer.get_json()
                assert 400 <= answer.status_code < 500, (rule.rule, data[:40], answer.text)
                assert told["field"] and told["reason"], (rule.rule, data[:40], told)


def _somewhere(rule: str) -> str:
    return rule.replace("<uuid:poll>", POLL).replace("<uuid:roll_import>", POLL)


def test_what_others_keep_of_a_person_is_sealed_by_a_key_that_goes_with_the_person(api: Api, world: World) -> None:
    subject, other = world.settle(2)
    ask = lambda by, use: api("POST", "/me/seals", {"use": use}, by=by, roles="resident")  # noqa: E731
    key = ask(subject, "gateway").get_json()["key"]
    assert ask(subject, "gateway").get_json()["key"] == key
    assert len({key, ask(subject, "other").get_json()["key"], ask(other, "gateway").get_json()["key"]}) == 3
    world.personal.erase(subject, "agent-1")
    world.personal.erase(subject, "agent-2")
    assert refusal(ask(subject, "gateway"))[:2] == (404, "PersonUnknown")
    assert refusal(ask(other, "Une phrase"))[0] == 400


def test_staff_see_names_and_nothing_of_who_was_erased(api: Api, world: World) -> None:
    subject, other = world.settle(2)
    ask = {"subjects": [subject, other, "stranger"]}
    names = api("POST", "/people/names", ask, by="a", roles="agent").get_json()["names"]
    assert set(names) == {subject, other} and names[other].startswith("Camille Martin")
    world.personal.erase(subject, "agent-1")
    world.personal.erase(subject, "agent-2")
    assert set(api("POST", "/people/names", ask, by="a", roles="auditor").get_json()["names"]) == {other}
    assert refusal(api("POST", "/people/names", ask, by="a", roles="resident"))[0] == 403


def test_who_holds_which_role_comes_by_pages_by_date_of_end(api: Api, world: World) -> None:
    people = world.settle(52)
    for day, subject in enumerate(people):
        world.roles.grant(subject, "agent", "admin", until=f"2027-{1 + day // 28:02}-{1 + day % 28:02}T00:00:00Z")
    pages = [api("GET", f"/roles?page={n}", by="a", roles="auditor").get_json() for n in (1, 2)]
    assert [page["pages"] for page in pages] == [2, 2]
    told = [grant["until"] for page in pages for grant in page["grants"]]
    assert len(told) == 52 and told == sorted(told)
    assert {grant["role"] for page in pages for grant in page["grants"]} == {"agent"}
    world.clock.go(days=3650)
    assert api("GET", "/roles", by="a", roles="administrator").get_json()["grants"] == []
