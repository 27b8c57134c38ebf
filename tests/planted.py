"""A service with a fault in it, for showing that faults are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from services.shared import web
from services.shared.errors import BadInput


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: int


class Told(msgspec.Struct, frozen=True):
    doubled: int


def app(view: Callable[[], Any], **declared: Any) -> web.App:
    made = web.create_app("planted", ready=lambda: None)
    shapes = {"takes": Asked, "gives": Told, **declared}
    made.post("/numbers", who=web.ANYONE, **shapes)(view)
    return made


def fails() -> Told:
    number = web.body(Asked).number
    return Told(number * 2 if number < 100 else number // 0)


def drifts() -> dict[str, Any]:
    number = web.body(Asked).number
    return {"doubled": number * 2 if number < 100 else str(number)}


def accepts_anything() -> Told:
    return Told(1)


def refuses() -> Told:
    web.body(Asked)
    raise BadInput("never", field="number")


FAULTS: list[tuple[Callable[[], Any], str]] = [
    (fails, "not_a_server_error"),
    (drifts, "response_schema_conformance"),
    (accepts_anything, "negative_data_rejection"),
    (refuses, "positive_data_acceptance"),
]
"""What is wrong, and the check that finds it."""
