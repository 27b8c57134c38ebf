"""The OpenAPI descriptions of all services, made without starting one: docs/api/*.json, and what of them the gateway
publishes under /api/v1."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from services.ballot.api import create_api as ballot
from services.ballot.cast import described as cast
from services.identity.api import create_api as identity
from services.notifications.api import create_api as notifications
from services.shared import web

Json = dict[str, Any]
PUBLISHED: Final = "../services/gateway/pages/api/published.json"  # from docs/

SERVICES: Final[dict[str, Callable[[], Json]]] = {
    "ballot": lambda: web.described(without_parts(ballot)),
    "cast": cast,
    "identity": lambda: web.described(without_parts(identity)),
    "notifications": lambda: web.described(without_parts(notifications)),
}


def without_parts(create_api: Callable[..., web.App]) -> web.App:
    """A service's app with nothing behind it: a description asks nothing of a service's parts."""
    parts = inspect.signature(create_api).parameters.values()
    return create_api(
        *(None for part in parts if part.kind is part.POSITIONAL_OR_KEYWORD and part.default is part.empty),
        **{part.name: None for part in parts if part.kind is part.KEYWORD_ONLY and part.default is part.empty},
    )


class TwoOfOneName(Exception):
    """Two services publish a path, an operation or a shape of the same name: one of them must have another."""


def written(name: str) -> str:
    return _text(SERVICES[name]())


def published() -> str:
    """The operations that services declare with `public=`, with the shapes that they need."""
    paths: Json = {}
    schemas: Json = {}
    for service, made in SERVICES.items():
        said = made()
        for path, operations in said["paths"].items():
            public = {method: one | {"x-service": service} for method, one in operations.items() if one.get("x-public")}
            if public:
                _add(paths, path, public)
                for name in _needed(said, public):
                    _add(schemas, name, said["components"]["schemas"][name])
    return _text({"paths": paths, "components": {"schemas": dict(sorted(schemas.items()))}})


def _add(to: Json, name: str, value: Json) -> None:
    if to.setdefault(name, value) != value:
        raise TwoOfOneName(name)


def _needed(said: Json, value: Any) -> set[str]:
    """Names of the shapes that a part of a description leads to, directly or through others."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        for reference in _references(waiting.pop()):
            section, name = reference.split("/")[-2:]
            if section == "schemas" and name not in found:
                found.add(name)
            elif section == "schemas":
                continue
            waiting.append(said["components"][section][name])
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
