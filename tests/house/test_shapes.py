"""Every JSON route declares what it takes and gives, and what it answers is what it declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import jsonschema
import msgspec
import pytest

from services.ballot.cast import described as cast_described
from services.shared import openapi, web
from tests.declared import Watch
from tests.house.test_routes import APPS


@pytest.fixture(params=sorted(APPS))
def app(request: pytest.FixtureRequest) -> web.App:
    return APPS[request.param]()


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    wish: str


class Told(msgspec.Struct, frozen=True):
    heard: str


def undeclared(app: web.App) -> list[str]:
    """Routes that say not what they take, or not what they give."""
    found = []
    for rule in app.url_map.iter_rules():
        assert isinstance(rule, web.DeclaredRule)
        if rule.shapes.gives is None and rule.shapes.content is None:
            found.append(f"{rule} gives nothing")
        if rule.shapes.takes is None and {"POST", "PUT", "PATCH"} & (rule.methods or set()):
            found.append(f"{rule} takes nothing")
    return found


def test_every_route_of_a_service_declares_what_it_takes_and_gives(app: web.App) -> None:
    assert undeclared(app) == []


def test_a_route_without_shapes_is_seen() -> None:
    app = web.create_app("sample", ready=lambda: None)
    app.post("/wishes", who=web.ANYONE)(dict)
    assert undeclared(app) == ["/wishes gives nothing", "/wishes takes nothing"]


def test_every_body_refuses_fields_that_it_does_not_know(app: web.App) -> None:
    takes = {rule.shapes.takes for rule in app.url_map.iter_rules()} - {None}  # type: ignore[attr-defined]
    assert [kind.__name__ for kind in takes if not kind.__struct_config__.forbid_unknown_fields] == []


def loose(app: web.App) -> list[str]:
    """Patterns of bodies that let a line break through: to Python, `$` also matches before one at the end, to others
    not. `$(?!\\n)` means the same to all."""
    takes = {rule.shapes.takes for rule in app.url_map.iter_rules()} - {None}  # type: ignore[attr-defined]
    _, shapes = msgspec.json.schema_components(sorted(takes, key=lambda kind: kind.__name__), ref_template="#/{name}")
    return sorted({one["pattern"] for one in _texts(shapes) if not one["pattern"].endswith(r"$(?!\n)")})


def _texts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield value
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def test_no_pattern_of_a_body_lets_a_line_break_through(app: web.App) -> None:
    assert loose(app) == []


def test_a_pattern_that_lets_one_through_is_seen() -> None:
    class Loose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        slug: Annotated[str, msgspec.Meta(pattern="^[a-z]+$", max_length=40)]

    app = web.create_app("sample", ready=lambda: None)
    app.post("/wishes", who=web.ANYONE, takes=Loose, gives=Told, quiet=True)(lambda: Told(web.body(Loose).slug))
    assert app.test_client().post("/wishes", json={"slug": "a\n"}).status_code == 200
    assert loose(app) == ["^[a-z]+$"]


@pytest.mark.parametrize("made", [*(lambda n=n: web.described(APPS[n]()) for n in sorted(APPS)), cast_described])
def test_a_description_is_whole(made: Any) -> None:
    """Each reference leads somewhere, operations have names of their own, shapes are JSON Schema."""
    said = made()
    operations = [one for path in said["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(names) == len(set(names)) >= 5
    for schema in said["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for reference in _references(said):
        place: Any = said
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
    assert all(one["summary"] for one in operations)


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [found for one in value.values() for found in _references(one)]
    return [found for one in value for found in _references(one)] if isinstance(value, list) else []


def test_a_service_serves_its_description(app: web.App) -> None:
    answer = app.test_client().get(openapi.PATH)
    assert answer.status_code == 200 and answer.get_json() == web.described(app)


def sample() -> web.App:
    app = web.create_app("sample", ready=lambda: None)

    @app.post("/wishes/<uuid:wish>", who=web.ANYONE, takes=Asked, gives=Told, quiet=True)
    def wish(wish: object) -> dict[str, Any]:
        match web.body(Asked).wish:
            case "more":
                return {"heard": "yes", "more": 1}
            case "less":
                return {}
            case "other":
                return {"heard": 7}
            case "status":
                return {"heard": "yes"}, 202  # type: ignore[return-value]
            case "text":
                return "yes"  # type: ignore[return-value]
        return {"heard": "yes"}

    return app


@pytest.mark.parametrize("wish", ["more", "less", "other", "status", "text"])
def test_an_answer_unlike_its_declaration_is_seen(wish: str, watched: Watch) -> None:
    path = "/wishes/00000000-0000-0000-0000-000000000001"
    client = sample().test_client()
    assert client.post(path, json={"wish": "well"}).status_code == 200 and watched.found == []
    client.post(path, json={"wish": wish})
    assert len(watched.found) == 1 and "POST /wishes/<uuid:wish> answered" in watched.found.pop()


def test_a_view_that_reads_another_body_than_it_declares_fails() -> None:
    app = web.create_app("sample", ready=lambda: None)
    app.post("/wishes", who=web.ANYONE, takes=Asked, gives=Told)(lambda: {"heard": web.body(Told).heard})
    assert app.test_client().post("/wishes", json={"heard": "x"}).status_code == 500


def test_a_description_says_what_routes_declare() -> None:
    said = web.described(sample())
    operation = said["paths"]["/wishes/{wish}"]["post"]
    assert operation["parameters"] == [
        {"name": "wish", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
    ]
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Asked"}
    assert set(operation["responses"]) == {"200", "400", "403", "404", "409", "413", "415", "429", "503"}
    assert operation["security"] == [] and "x-public" not in operation
