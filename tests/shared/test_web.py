"""The HTTP ground: declared routes, callers, health, and one shape for every failure."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn
from uuid import UUID

import pytest
from flask import Blueprint
from prometheus_client import REGISTRY

from services.shared import errors, keys, web
from services.shared.errors import Refusal
from services.shared.store import StoreFailed
from services.shared.tokens import TokenSigner, TokenVerifier

POLL = "5f0c8a3e-1111-4222-8333-444455556666"


class SeqTaken(errors.Conflict):
    reason = "another ballot stands at this seq"


@pytest.fixture
def signer(tmp_path: Path) -> TokenSigner:
    keys.make_key_pair(tmp_path / "token.key", tmp_path / "token.pub")
    return TokenSigner(tmp_path / "token.key")


@pytest.fixture
def app(tmp_path: Path, signer: TokenSigner) -> web.App:
    return web.create_app("sample", ready=lambda: None, token_keys=TokenVerifier(tmp_path / "token.pub", "sample"))


def bearer(signer: TokenSigner, *roles: str, audience: str = "sample") -> dict[str, str]:
    return {"Authorization": f"Bearer {signer.token('9f3a', roles, audience)}"}


def test_a_route_that_does_not_say_who_may_call_it_stops_the_program(app: web.App) -> None:
    with pytest.raises(web.RouteUndeclared, match="/polls"):
        app.get("/polls")(dict)


def test_a_route_declared_by_a_word_instead_of_a_role_is_not_declared(app: web.App) -> None:
    with pytest.raises(web.RouteUndeclared):
        app.get("/polls", who="anyone")(dict)


def test_a_blueprint_cannot_smuggle_a_route_in(app: web.App) -> None:
    pages = Blueprint("pages", __name__)
    pages.get("/hidden")(dict)
    with pytest.raises(web.RouteUndeclared, match="/hidden"):
        app.register_blueprint(pages)


def test_a_blueprint_may_declare(app: web.App) -> None:
    pages = Blueprint("pages", __name__)
    pages.get("/open", who=web.ANYONE)(lambda: {"open": True})
    app.register_blueprint(pages)
    assert app.test_client().get("/open").json == {"open": True}


def test_static_files_are_for_anyone_without_saying_so(tmp_path: Path) -> None:
    (tmp_path / "page.css").write_text("body {}")
    app = web.create_app("sample", ready=lambda: None, static_folder=str(tmp_path), static_url_path="/static")
    assert app.test_client().get("/static/page.css").status_code == 200


def test_every_route_of_an_app_carries_its_declaration(app: web.App) -> None:
    assert {rule.rule for rule in app.url_map.iter_rules()} == {"/livez", "/readyz", "/metrics", "/openapi.json"}
    assert all(isinstance(rule, web.DeclaredRule) for rule in app.url_map.iter_rules())


def test_a_route_for_people_who_are_signed_in_refuses_nobody_and_lets_the_others_in(
    app: web.App, signer: TokenSigner
) -> None:
    app.get("/inbox", who=web.SIGNED_IN)(lambda: {"subject": web.caller().subject})
    client = app.test_client()
    assert (client.get("/inbox").status_code, client.get("/inbox").get_json()["refusal"]) == (401, "NotSignedIn")
    assert client.get("/inbox", headers={"Authorization": "Basic eDp5"}).status_code == 401
    assert client.get("/inbox", headers=bearer(signer, audience="other")).status_code == 401
    answer = client.get("/inbox", headers=bearer(signer))
    assert answer.json == {"subject": "9f3a"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_route_for_a_role_wants_one_of_them(app: web.App, signer: TokenSigner) -> None:
    app.post("/polls", who=web.role("returning_officer", "administrator"))(dict)
    client = app.test_client()
    refused = client.post("/polls", headers=bearer(signer, "resident"))
    assert (refused.status_code, refused.get_json()["refusal"]) == (403, "NotAllowed")
    assert "returning_officer or administrator" in refused.get_json()["reason"]
    assert client.post("/polls", headers=bearer(signer, "administrator")).status_code == 200


def test_head_is_guarded_like_get_and_options_tells_only_the_methods(app: web.App, signer: TokenSigner) -> None:
    app.get("/inbox", who=web.SIGNED_IN)(dict)
    client = app.test_client()
    assert client.head("/inbox").status_code == 401
    assert client.head("/inbox", headers=bearer(signer)).status_code == 200
    told = client.options("/inbox")
    assert told.status_code == 200 and set(told.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_an_open_route_knows_who_calls_when_told_and_refuses_a_broken_token(app: web.App, signer: TokenSigner) -> None:
    @app.get("/polls", who=web.ANYONE)
    def polls() -> dict[str, bool]:
        return {"known": web.caller_or_none() is not None}

    client = app.test_client()
    assert client.get("/polls").json == {"known": False}
    assert client.get("/polls", headers=bearer(signer)).json == {"known": True}
    assert client.get("/polls", headers={"Authorization": "Bearer x"}).status_code == 401


@pytest.mark.parametrize(
    "refusal, status",
    [
        (errors.BadInput("why", field="seq"), 400),
        (errors.NotSignedIn(), 401),
        (errors.NotAllowed(), 403),
        (errors.NotFound(), 404),
        (SeqTaken(field="seq"), 409),
        (errors.TooLarge(), 413),
        (errors.Busy(), 503),
    ],
)
def test_a_refusal_becomes_its_status_and_names_code_field_and_reason(
    app: web.App, refusal: Refusal, status: int
) -> None:
    def refuse() -> NoReturn:
        raise refusal

    app.get("/refuse", who=web.ANYONE)(refuse)
    answer = app.test_client().get("/refuse")
    assert (answer.status_code, answer.get_json()) == (status, refusal.as_json())
    assert answer.headers.get("Retry-After") == ("1" if status == 503 else None)


def test_unknown_paths_and_wrong_methods_answer_in_the_same_shape(app: web.App) -> None:
    client = app.test_client()
    assert (client.get("/nothing").status_code, client.get("/nothing").get_json()["refusal"]) == (404, "NotFound")
    wrong = client.delete("/livez")
    assert (wrong.status_code, wrong.get_json()["refusal"]) == (405, "MethodNotAllowed")
    assert "GET" in wrong.headers["Allow"]


def test_a_path_that_is_no_poll_id_is_not_found(app: web.App) -> None:
    @app.get("/polls/<uuid:poll>", who=web.ANYONE)
    def poll(poll: UUID) -> dict[str, str]:
        return {"poll": str(poll)}

    client = app.test_client()
    assert client.get(f"/polls/{POLL}").json == {"poll": POLL}
    for odd in ("1", "../etc", POLL + "0", "%00", "x" * 3000):
        assert client.get(f"/polls/{odd}").status_code == 404


def test_a_fault_of_ours_is_a_500_without_a_word_about_it(app: web.App, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> NoReturn:
        raise RuntimeError("inner detail")

    app.get("/fail", who=web.ANYONE)(fail)
    answer = app.test_client().get("/fail")
    assert (answer.status_code, answer.get_json()["refusal"]) == (500, "Unexpected")
    assert "inner detail" not in answer.text
    assert "inner detail" in caplog.text


def test_a_store_that_cannot_answer_is_a_503(app: web.App) -> None:
    def fail() -> NoReturn:
        raise StoreFailed("disk full")

    app.get("/fail", who=web.ANYONE)(fail)
    answer = app.test_client().get("/fail")
    assert (answer.status_code, answer.get_json()["refusal"], answer.headers["Retry-After"]) == (503, "Busy", "1")


@pytest.mark.parametrize("failure", [web.NotReady("the log's key is missing"), StoreFailed("run `migrate` first")])
def test_readiness_says_in_a_sentence_what_is_missing_while_liveness_holds(failure: Exception) -> None:
    def ready() -> None:
        raise failure

    client = web.create_app("sample", ready=ready).test_client()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["reason"]) == (503, str(failure))
    assert client.get("/livez").status_code == 200


def test_requests_are_measured_by_route_template_never_by_path(app: web.App) -> None:
    app.get("/measured/<word>", who=web.ANYONE)(lambda word: {})
    client = app.test_client()
    client.get("/measured/c0ffee")
    client.get("/nowhere/c0ffee")
    client.open("/measured/x", method="BREW")
    assert "c0ffee" not in client.get("/metrics").text
    name = "http_server_request_duration_seconds_count"
    labels = {"http_route": "/measured/<word>", "http_request_method": "GET", "http_response_status_code": "200"}
    assert REGISTRY.get_sample_value(name, labels) == 1
    labels |= {"http_request_method": "OTHER", "http_response_status_code": "405"}
    assert REGISTRY.get_sample_value(name, labels) == 1
    assert REGISTRY.get_sample_value("parvis_build_info", {"service": "sample", "version": "0.1.0"}) == 1


def test_a_gateway_may_know_callers_by_session_and_show_failures_as_pages() -> None:
    app = web.create_app(
        "gateway",
        ready=lambda: None,
        authenticate=lambda: None,
        render_failure=lambda failure: f"<h1>{failure.status} {failure.code}</h1>",
    )
    app.get("/space", who=web.SIGNED_IN)(lambda: "")
    answer = app.test_client().get("/space")
    assert (answer.status_code, answer.text) == (401, "<h1>401 NotSignedIn</h1>")


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "1.5", "100001", "9" * 40, "²"])
def test_a_page_number_out_of_reason_is_refused(app: web.App, page: str) -> None:
    app.get("/list", who=web.ANYONE)(lambda: {"page": web.page()})
    answer = app.test_client().get("/list", query_string={"page": page})
    assert (answer.status_code, answer.get_json()["field"]) == (400, "page")
