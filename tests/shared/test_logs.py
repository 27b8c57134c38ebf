"""Logs are JSON lines, and a quiet request leaves a code and nothing else."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from services.shared import logs


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the root logger writes, through our formatter, while a test runs."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLines("identity", "api"))
    handler.addFilter(logs.worth_a_line)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)
    logs.end_request()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_level_service_door_and_request(written: io.StringIO) -> None:
    logs.begin_request("abc", quiet=False)
    logging.getLogger("parvis").info("roll\nimported", extra={"people": 3})
    (line,) = lines(written)
    assert (line["level"], line["service"], line["door"], line["request"]) == ("info", "identity", "api", "abc")
    assert line["message"] == "roll\nimported" and line["people"] == 3


def test_a_traceback_stays_within_its_line(written: io.StringIO) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("parvis").exception("failed")
    (line,) = lines(written)
    assert "ValueError: broken" in line["exception"]


def test_within_a_quiet_request_a_library_cannot_log_more_than_a_code(written: io.StringIO) -> None:
    logs.begin_request("abc", quiet=True)
    logging.getLogger("some.library").info("credential %s", "c0ffee")
    logging.getLogger("some.library").error("credential %s", "c0ffee", extra={"credential": "c0ffee"})
    try:
        raise ValueError("c0ffee")
    except ValueError:
        logging.getLogger("parvis").exception("c0ffee")
    assert "c0ffee" not in written.getvalue()
    assert [line["code"] for line in lines(written)] == ["Unnamed", "ValueError"]
    assert all(line["request"] is None for line in lines(written))


def test_the_time_of_a_quiet_line_is_told_to_the_minute(written: io.StringIO) -> None:
    logs.begin_request(None, quiet=True)
    logs.failure("SeqTaken")
    (line,) = lines(written)
    assert line["at"].endswith(":00Z") and line["code"] == "SeqTaken"


def test_once_a_quiet_request_has_ended_lines_are_whole_again(written: io.StringIO) -> None:
    logs.begin_request(None, quiet=True)
    logs.end_request()
    logging.getLogger("parvis").info("told")
    assert lines(written)[0]["message"] == "told"


@pytest.mark.parametrize("given", ["", "a b", "é", "x" * 65, "a\nb", None])
def test_a_harmful_request_id_is_replaced(given: str | None) -> None:
    assert logs.accept_id(given) != given
    assert len(logs.accept_id(given)) == 32


def test_a_harmless_request_id_is_kept() -> None:
    assert logs.accept_id("req-1.A_b") == "req-1.A_b"
