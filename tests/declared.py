"""Holds what a route answers against what it declares, in every test that has an app: drift cannot pass."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from flask import Response, request

from services.shared import openapi
from services.shared.routes import DeclaredRule

_OUTSIDE = (304, 405, 413, 500)
"""What the asker has already, another method, a body that nobody asked for, a failure that a test planted."""


def drift(rule: DeclaredRule, method: str, status: int, content_type: str, body: bytes | None) -> str | None:
    """What is wrong with an answer. `body` None: it streams, and is not read here. Pages declare no shape: never."""
    shapes = rule.shapes
    if (shapes.gives is None and shapes.content is None) or status in _OUTSIDE or method == "OPTIONS":
        return None
    said = f"{method} {rule.rule} answered {status}"
    if status not in openapi.statuses(rule, "GET" if method == "HEAD" else method):
        return f"{said}, which it does not declare"
    if method == "HEAD":
        return None
    wanted = shapes.content if status == shapes.status and shapes.content else openapi.JSON
    if content_type != wanted:
        return f"{said} as {content_type}, not {wanted}"
    gives = shapes.gives if status == shapes.status else openapi.Refused
    return None if body is None or gives is None else _unlike(body, gives, said)


def _unlike(body: bytes, gives: type[msgspec.Struct], said: str) -> str | None:
    """A field too many, too few or of another type."""
    try:
        shaped: Any = msgspec.to_builtins(msgspec.json.decode(body, type=gives))
    except msgspec.MsgspecError as e:
        return f"{said} unlike {gives.__name__}: {e}"
    return None if shaped == json.loads(body) else f"{said} with other fields than {gives.__name__}: {body[:300]!r}"


class Watch:
    """What `App.watch` calls; keeps what it saw."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __call__(self, rule: DeclaredRule | None, response: Response) -> None:
        if rule is not None:
            body = None if response.is_streamed or response.direct_passthrough else response.get_data()
            seen = drift(rule, request.method, response.status_code, response.content_type or "", body)
            if seen:
                self.found.append(seen)
