"""Bodies: what is accepted is exactly what was declared; anything else is a 4xx that names field and reason."""

from __future__ import annotations

import io
from typing import Annotated, Any

import msgspec
import pytest

from services.shared import web


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    n: int


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Annotated[str, msgspec.Meta(max_length=10)]
    parts: list[Inner] = []


@pytest.fixture
def client() -> Any:
    app = web.create_app("sample", ready=lambda: None)

    @app.post("/things", who=web.ANYONE)
    def things() -> dict[str, str]:
        return {"code": web.body(Sample).code}

    @app.post("/unread", who=web.ANYONE)
    def unread() -> dict[str, str]:
        return {}

    @app.post("/small", who=web.ANYONE, limit=100)
    def small() -> dict[str, str]:
        return {"code": web.body(Sample).code}

    return app.test_client()


def post(client: Any, data: bytes, path: str = "/things", **options: Any) -> Any:
    options.setdefault("content_type", "application/json")
    return client.post(path, data=data, **options)


def test_a_body_as_declared_is_accepted(client: Any) -> None:
    assert post(client, b'{"code":"a","parts":[{"n":1}]}').json == {"code": "a"}
    assert post(client, b'{"code":"a"}', content_type="application/json; charset=utf-8").json == {"code": "a"}


@pytest.mark.parametrize(
    "data, field",
    [
        (b"", "body"),
        (b"null", "body"),
        (b"[]", "body"),
        (b'"code"', "body"),
        (b'{"code":1}', "code"),
        (b'{"code":null}', "code"),
        (b'{"code":true}', "code"),
        (b"{}", "code"),
        (b'{"code":"a","extra":1}', "extra"),
        (b'{"code":"a","parts":[{"n":"1"}]}', "parts[0].n"),
        (b'{"code":"a","parts":[{"n":1},{}]}', "parts[1].n"),
        (b'{"code":"a","parts":{"n":1}}', "parts"),
        (b'{"code":"aaaaaaaaaaa"}', "code"),
        (b'{"code":"a","code":"b"}', "code"),
        (b'{"code":NaN}', "body"),
        (b'{"code":Infinity}', "body"),
        (b'{"parts":[{"n":1e999}],"code":"a"}', "body"),
        (b'{"parts":[{"n":9007199254740993}],"code":"a"}', "body"),
        (b'{"code":"\\ud800"}', "body"),
        (b'{"code":"\\u0000"}', "body"),
        (b'{"code":"\xff"}', "body"),
        ('{"code":"a"}'.encode("utf-16"), "body"),
        (b"\xef\xbb\xbf{}", "body"),
        (b"[" * 50_000, "body"),
        (b'{"code":' * 7_000, "body"),
        (b"{'code':'a'}", "body"),
        (b'{"code":"a"}x', "body"),
        (b'{"code":"a"', "body"),
    ],
)
def test_a_body_that_is_not_as_declared_names_its_field_and_reason(client: Any, data: bytes, field: str) -> None:
    answer = post(client, data)
    assert (answer.status_code, answer.json["field"]) == (400, field), answer.text
    assert answer.json["reason"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/json5"])
def test_a_body_of_another_type_is_a_415(client: Any, kind: str) -> None:
    answer = post(client, b'{"code":"a"}', content_type=kind)
    assert (answer.status_code, answer.json["field"]) == (415, "Content-Type")


@pytest.mark.parametrize("path", ["/things", "/unread", "/livez"])
def test_20_megabytes_are_a_413_even_where_nobody_reads_them(client: Any, path: str) -> None:
    answer = (
        post(client, b" " * 20_000_000, path=path) if path != "/livez" else client.get(path, data=b" " * 20_000_000)
    )
    assert (answer.status_code, answer.json["refusal"]) == (413, "TooLarge")


def test_100_000_levels_are_a_413_and_never_a_500(client: Any) -> None:
    assert post(client, b"[" * 100_000).status_code == 413


def test_a_chunked_body_is_cut_off_nowhere_but_refused_beyond_the_limit(client: Any) -> None:
    def chunked(data: bytes) -> Any:
        environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "wsgi.input": io.BytesIO(data)}
        return client.post("/things", content_type="application/json", environ_overrides=environ)

    whole = b'{"code":"a"}'
    assert chunked(whole + b" " * (65_536 - len(whole))).json == {"code": "a"}
    answer = chunked(whole + b" " * (65_537 - len(whole)))
    assert (answer.status_code, answer.json["refusal"]) == (413, "TooLarge")


def test_a_route_may_set_a_limit_of_its_own(client: Any) -> None:
    assert post(client, b'{"code":"a"}', path="/small").status_code == 200
    assert post(client, b'{"code":"a"}' + b" " * 100, path="/small").status_code == 413
