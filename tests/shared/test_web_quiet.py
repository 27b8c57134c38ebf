"""Quiet routes: no request line, no request id made or passed on, of a failure only its code."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from services.shared import errors, logs, web

POLL = "5f0c8a3e-1111-4222-8333-444455556666"
SECRET = "c0ffee" * 8


class SeqTaken(errors.Conflict):
    pass


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLines("ballot", "cast"))
    handler.addFilter(logs.worth_a_line)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def seen() -> list[str | None]:
    return []


@pytest.fixture
def client(seen: list[str | None]) -> Any:
    app = web.create_app("sample", ready=lambda: None)

    def handle(word: str) -> dict[str, str]:
        seen.append(logs.request_id())
        logging.getLogger("library").warning("handling %s", SECRET) if word == "chatty" else None
        if word == "refused":
            raise SeqTaken(SECRET)
        if word == "broken":
            raise RuntimeError(SECRET)
        return {"word": word}

    app.post("/quiet/<word>", who=web.ANYONE, quiet=True, endpoint="quiet")(handle)
    app.post("/plain/<word>", who=web.ANYONE, endpoint="plain")(handle)
    return app.test_client()


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_an_ordinary_request_leaves_one_line_with_its_id(client: Any, log: io.StringIO, seen: list[str]) -> None:
    answer = client.post(f"/plain/{SECRET}?q={SECRET}", headers={"X-Request-Id": "from-the-gateway"})
    (line,) = lines(log)
    assert (line["request"], line["route"], line["status"]) == ("from-the-gateway", "/plain/<word>", 200)
    assert answer.headers["X-Request-Id"] == "from-the-gateway"
    assert seen == ["from-the-gateway"]
    assert SECRET not in log.getvalue()


def test_a_request_without_an_id_gets_one(client: Any, log: io.StringIO, seen: list[str]) -> None:
    answer = client.post("/plain/x")
    assert answer.headers["X-Request-Id"] == lines(log)[0]["request"] == seen[0]


def test_a_quiet_request_leaves_no_line_and_passes_on_no_id(client: Any, log: io.StringIO, seen: list[str]) -> None:
    answer = client.post("/quiet/x", headers={"X-Request-Id": "from-the-gateway"})
    assert answer.status_code == 200
    assert "X-Request-Id" not in answer.headers
    assert log.getvalue() == ""
    assert seen == [None]


@pytest.mark.parametrize("word, status, code", [("refused", 409, "SeqTaken"), ("broken", 500, "RuntimeError")])
def test_of_a_quiet_failure_only_the_code_is_told(
    client: Any, log: io.StringIO, word: str, status: int, code: str
) -> None:
    assert client.post(f"/quiet/{word}", headers={"X-Request-Id": SECRET}).status_code == status
    (line,) = lines(log)
    assert set(line) == {"at", "level", "service", "door", "request", "message", "code"}
    assert (line["code"], line["request"], line["message"]) == (code, None, "failed")


def test_a_library_that_logs_within_a_quiet_request_is_reduced_to_a_code(client: Any, log: io.StringIO) -> None:
    client.post("/quiet/chatty")
    assert SECRET not in log.getvalue()
    assert [line["code"] for line in lines(log)] == ["Unnamed"]


def test_a_wrong_method_or_a_large_body_on_a_quiet_path_stays_quiet(client: Any, log: io.StringIO) -> None:
    assert client.get("/quiet/x", headers={"X-Request-Id": SECRET}).status_code == 405
    assert client.post("/quiet/x", data=b" " * 70_000).status_code == 413
    assert [line["code"] for line in lines(log)] == ["MethodNotAllowed", "TooLarge"]
    assert SECRET not in log.getvalue()


def test_the_request_after_a_quiet_one_is_told_again(client: Any, log: io.StringIO) -> None:
    client.post("/quiet/broken")
    client.post("/plain/x")
    assert lines(log)[-1]["route"] == "/plain/<word>"


def test_an_unknown_path_is_told_without_its_path(client: Any, log: io.StringIO) -> None:
    client.get(f"/nowhere/{SECRET}?q={SECRET}")
    assert lines(log)[0]["route"] == "(none)"
    assert SECRET not in log.getvalue()
