"""The OpenAPI 3.1 description of a service, made from what its routes declare; nothing in it is written by hand.

    describe("ballot", app.url_map.iter_rules(), about)

Names of operations are the routes' endpoints; their sentences are the views' docstrings. What the gateway publishes is
marked `x-public` with its scope; a body that rules beyond its shape may refuse is marked `x-ruled`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from services.shared.answers import VERSION
from services.shared.routes import ANYONE_OR_KNOWN, DeclaredRule

Json = dict[str, Any]
JSON: Final = "application/json"
PATH: Final = "/openapi.json"
MAX_PAGE: Final = 100_000
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SAFE: Final = "GET"
_NAME: Final = re.compile(r"<(?:(\w+):)?(\w+)>")
_REF: Final = "#/components/schemas/{name}"
_MEANING: Final[Mapping[int, str]] = {
    400: "The request is not of this shape; sending it again unchanged cannot succeed.",
    401: "A valid token is needed.",
    403: "This caller may not do that.",
    404: "There is no such thing.",
    409: "The state of the thing does not allow it.",
    413: "The body is too large.",
    415: "The body must be application/json.",
    429: "Too many requests: `Retry-After` says when to come back.",
    503: "Busy, or a store cannot answer: nothing was done, try again.",
}
_RULED: Final = "The request is not of this shape, or against a rule that no shape can say: `field` and `reason` tell."
_SUCCESS: Final[Mapping[int, str]] = {200: "Done.", 201: "Made."}


class Refused(msgspec.Struct, frozen=True):
    """Why a request was not served: the broken rule's name, the field that is wrong, and a sentence."""

    refusal: str
    field: str | None
    reason: str


def statuses(rule: DeclaredRule, method: str) -> tuple[int, ...]:
    """Every status that this route may answer with, beside 405 and what comes of no declaration at all."""
    shapes = rule.shapes
    found = {shapes.status, 503, *shapes.refuses}
    if method != _SAFE:
        found |= {400, 403, 404, 409, 413, 415, 429}
    if shapes.paged or shapes.reads:
        found.add(400)
    if rule.arguments:
        found.add(404)
    if rule.who.signed_in:
        found |= {401, 403, 404}
    if rule.who is ANYONE_OR_KNOWN:
        found.add(401)
    return tuple(sorted(found))


def describe(service: str, rules: Iterable[DeclaredRule], about: Callable[[str], str], *, title: str = "") -> Json:
    """`rules` are of a map; `about` gives an endpoint's docstring. Routes without `gives` or `content` are pages: left
    out."""
    declared = sorted((r for r in rules if r.shapes.gives or r.shapes.content), key=lambda rule: rule.rule)
    kinds: set[type[msgspec.Struct]] = {Refused}
    for rule in declared:
        kinds |= {kind for kind in (rule.shapes.takes, rule.shapes.gives) if kind is not None}
    named = sorted(kinds, key=lambda kind: (kind.__name__, kind.__module__))
    references, components = msgspec.json.schema_components(named, ref_template=_REF)
    by_kind = dict(zip(named, references, strict=True))
    paths: dict[str, Json] = {}
    for rule in declared:
        for method in METHODS:
            if method in (rule.methods or ()):
                entry = paths.setdefault(path_of(rule), {})
                entry[method.lower()] = _operation(rule, method, by_kind, about(rule.endpoint))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title or f"Parvis: {service}",
            "version": VERSION,
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "responses": _refusals(by_kind[Refused]),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A short-lived token that the gateway signs in a person's name.",
                }
            },
        },
    }


def _refusals(schema: Json) -> Json:
    """The answers that all services share, by status; `Ruled` is the 400 of a route with rules beyond its shape."""
    content = {JSON: {"schema": schema}}
    found: Json = {str(status): {"description": meaning, "content": content} for status, meaning in _MEANING.items()}
    found["Ruled"] = {"description": _RULED, "content": content}
    again = {"Retry-After": {"required": True, "schema": {"type": "string", "pattern": "^[0-9]+$"}}}
    return found | {str(status): found[str(status)] | {"headers": again} for status in (429, 503)}


def path_of(rule: DeclaredRule) -> str:
    """/polls/<uuid:poll> as /polls/{poll}."""
    return _NAME.sub(r"{\2}", rule.rule)


def _operation(rule: DeclaredRule, method: str, by_kind: Mapping[type[msgspec.Struct], Json], doc: str) -> Json:
    shapes = rule.shapes
    sentence = inspect.cleandoc(doc) if doc else ""
    found: Json = {"operationId": rule.endpoint if method in _only(rule) else f"{rule.endpoint}_{method.lower()}"}
    found["summary"] = sentence.split("\n\n")[0].replace("\n", " ") if sentence else rule.endpoint.replace("_", " ")
    found["description"] = f"For {rule.who.label}."
    parameters = [_in_path(rule, *one) for one in _NAME.findall(rule.rule)] + ([_PAGE] if shapes.paged else [])
    parameters += [_in_query(name, kind) for name, kind in shapes.reads.items()]
    if parameters:
        found["parameters"] = parameters
    if shapes.takes is not None:
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": by_kind[shapes.takes]}}}
    found["responses"] = {str(status): _answer(rule, status, by_kind) for status in statuses(rule, method)}
    found["security"] = _security(rule)
    if shapes.public:
        found["x-public"] = shapes.public
    if shapes.ruled:
        found["x-ruled"] = True
    return found


def _only(rule: DeclaredRule) -> set[str]:
    """The method of a route that has one alone."""
    methods = set(rule.methods or ()) & set(METHODS)
    return methods if len(methods) == 1 else set()


def _answer(rule: DeclaredRule, status: int, by_kind: Mapping[type[msgspec.Struct], Json]) -> Json:
    shapes = rule.shapes
    if status != shapes.status:
        return {"$ref": f"#/components/responses/{'Ruled' if status == 400 and shapes.ruled else status}"}
    content = shapes.content or JSON
    if shapes.gives is not None:
        schema = by_kind[shapes.gives]
    else:
        schema = {"type": "object"} if content.endswith(("/json", "+json")) else {"type": "string"}
    return {"description": _SUCCESS.get(status, "Done."), "content": {content: {"schema": schema}}}


def _security(rule: DeclaredRule) -> list[Json]:
    if rule.who.signed_in:
        return [{"token": []}]
    return [{}, {"token": []}] if rule.who is ANYONE_OR_KNOWN else []


def _in_path(rule: DeclaredRule, converter: str, name: str) -> Json:
    known = rule.shapes.names.get(name)
    if known is not None:
        schema = msgspec.json.schema(known)
    else:
        schema = msgspec.json.schema(UUID) if converter == "uuid" else {"type": "string", "pattern": "^[^/]+$"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(name: str, kind: Any) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": msgspec.json.schema(kind)}


_PAGE: Final[Json] = {
    "name": "page",
    "in": "query",
    "required": False,
    "description": "From 1; each answer says how many pages there are.",
    "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 1},
}
