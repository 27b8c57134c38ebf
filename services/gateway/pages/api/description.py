"""What the public API is: what services publish (`published.json`, by `make docs`) and what the gateway adds."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.shared import web

Json = dict[str, Any]
ROOT: Final = "/api/v1"
PUBLISHED: Final = Path(__file__).with_name("published.json")
_ABOUT: Final = (
    "What anyone may read of this platform, and what an organisation may do with a key. Without a key, requests are "
    "counted by address and minute; with one, by key and hour. `RateLimit` says what is left, `Retry-After` when to "
    "come back. Every refusal has the same shape. Answers carry an `ETag`: send it back as `If-None-Match`."
)
_KEY: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key of the public API, made by the authority's administrators. It is never needed for reading.",
}
_HEADERS: Final = {
    "RateLimit": {"description": 'What is left, as "key";r=999;t=1800', "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": 'The quota, as "key";q=1000;w=3600', "schema": {"type": "string"}},
}
_OWN_STATUSES: Final = ("401", "403", "429", "503")


@dataclass(frozen=True, slots=True)
class Published:
    """One operation of a service that the gateway passes on. `path` is without ROOT, as /polls/{poll}."""

    service: str
    path: str
    name: str
    scope: str
    content: str
    paged: bool
    reads: tuple[str, ...]
    streamed: bool
    patterns: dict[str, re.Pattern[str]]

    @property
    def rule(self) -> str:
        """The path as a route of the gateway's."""
        return ROOT + re.sub(
            r"\{(\w+)\}", lambda m: f"<{m[1]}>" if m[1] in self.patterns else f"<uuid:{m[1]}>", self.path
        )


def published() -> list[Published]:
    found = []
    for path, operations in _read()["paths"].items():
        one = operations["get"]
        parameters = one.get("parameters", ())
        texts = {p["name"]: p["schema"] for p in parameters if p["in"] == "path" and "format" not in p["schema"]}
        content = next(iter(one["responses"]["200"]["content"]))
        found.append(
            Published(
                service=one["x-service"],
                path=path,
                name=one["operationId"],
                scope=one["x-public"],
                content=content,
                paged=any(p["name"] == "page" for p in parameters),
                reads=tuple(p["name"] for p in parameters if p["in"] == "query" and p["name"] != "page"),
                streamed=content == "application/x-ndjson",
                patterns={name: re.compile(schema.get("pattern", "[^/]+")) for name, schema in texts.items()},
            )
        )
    return found


def merged(app: web.App) -> Json:
    """The OpenAPI description of everything under ROOT: the gateway's own, then what services publish."""
    said, given = web.described(app), _read()
    paths = {path.removeprefix(ROOT): one for path, one in said["paths"].items() if path.startswith(ROOT + "/")}
    for path, operations in given["paths"].items():
        paths[path] = {method: _passed_on(one) for method, one in operations.items()}
    for operations in paths.values():
        for one in operations.values():
            _as_public(one)
    return {
        "openapi": "3.1.0",
        "info": {**said["info"], "title": "Parvis: public API", "description": _ABOUT},
        "servers": [{"url": ROOT}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted({**said["components"]["schemas"], **given["components"]["schemas"]}.items())),
            "responses": said["components"]["responses"],
            "headers": _HEADERS,
            "securitySchemes": {"key": _KEY},
        },
    }


def _passed_on(operation: Json) -> Json:
    one = copy.deepcopy(operation)
    one.pop("x-service")
    for status in _OWN_STATUSES:
        one["responses"][status] = {"$ref": f"#/components/responses/{status}"}
    return one


def _as_public(one: Json) -> None:
    scope = one.pop("x-public", None)
    one["security"] = [{}, {"key": [scope] if scope else []}]
    one["description"] = f"For anyone, or with a key for `{scope}`." if scope else "For anyone."
    if scope:
        one["responses"]["200"]["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}
        one["responses"]["304"] = {"description": "Unchanged since the `ETag` that was sent."}
    one["responses"] = dict(sorted(one["responses"].items()))


def _read() -> Json:
    found: Json = json.loads(PUBLISHED.read_text("utf-8"))
    return found
