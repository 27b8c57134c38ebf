"""/api: the public API for people to read, drawn on the server from the description that programs get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Response, current_app

from services.gateway.pages.api.description import ROOT, Json
from services.gateway.pages.front import front, page
from services.gateway.pages.public import public
from services.shared import web

TITLES: Final = {
    "api_catalogue": "Moissonner le catalogue de données ouvertes",
    "api_openapi": "Obtenir cette description pour un programme",
    "export": "Télécharger le registre public d’un scrutin",
    "list_epochs": "Suivre la participation d’un scrutin",
    "list_polls": "Lister les scrutins",
    "one_checkpoint": "Lire le dernier scellé d’un bureau",
    "one_manifest": "Lire le manifeste d’un scrutin",
    "one_poll": "Lire un scrutin",
    "one_result": "Lire le résultat publié d’un scrutin",
}
"""By operation. A test wants one for each."""
_NAMES: Final = {
    "poll": "identifiant du scrutin",
    "station": "identifiant du bureau de vote",
    "page": "numéro de page, à partir de 1 (facultatif)",
}
_TYPES: Final = {
    "string": "texte",
    "integer": "nombre entier",
    "number": "nombre",
    "boolean": "vrai ou faux",
    "object": "objet",
    "null": "null",
}
_DEEPEST: Final = 6


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked. `shape`: lines of what comes back, empty where it is no JSON of a known shape."""

    id: str
    title: str
    path: str
    example: str
    scope: str
    parameters: tuple[tuple[str, str], ...]
    kind: str
    shape: tuple[str, ...]


def operations(said: Json) -> list[Operation]:
    """What the merged description holds, in its order."""
    return [_operation(path, one, said) for path, found in said["paths"].items() for one in found.values()]


def _operation(path: str, one: Json, said: Json) -> Operation:
    kind, content = next(iter(one["responses"]["200"]["content"].items()))
    example = path.replace("{poll}", "5f0c8a3e-1111-4222-8333-444455556666").replace("{station}", "bureau-1")
    scopes = one["security"][-1]["key"]
    return Operation(
        id=one["operationId"],
        title=TITLES.get(one["operationId"]) or str(one["summary"]),
        path=ROOT + path,
        example=ROOT + example,
        scope=scopes[0] if scopes else "",
        parameters=tuple((p["name"], _NAMES.get(p["name"], "")) for p in one.get("parameters", ())),
        kind=kind.partition(";")[0],
        shape=tuple(_outline(content["schema"], said["components"]["schemas"])) if "$ref" in content["schema"] else (),
    )


def _outline(schema: Json, schemas: Json, depth: int = 0) -> list[str]:
    """The shape as JSON with words for values, a line each."""
    schema = _resolved(schema, schemas)
    if "anyOf" in schema:
        kinds = [_resolved(one, schemas) for one in schema["anyOf"]]
        full = next((one for one in kinds if one.get("type") != "null"), kinds[0])
        lines = _outline(full, schemas, depth)
        return [*lines[:-1], lines[-1] + (" ou null" if len(kinds) > 1 else "")]
    if schema.get("type") == "array":
        return _bracketed("[", _outline(schema.get("items", {}), schemas, depth + 1), "]")
    if "properties" in schema and depth < _DEEPEST:
        inner: list[str] = []
        for name, value in schema["properties"].items():
            first, *others = _outline(value, schemas, depth + 1)
            inner += [f'"{name}": {first}', *others]
        return _bracketed("{", inner, "}")
    if "enum" in schema:
        return [" | ".join(f'"{value}"' for value in schema["enum"])]
    return [_TYPES.get(schema.get("type", ""), "valeur")]


def _bracketed(left: str, inner: list[str], right: str) -> list[str]:
    if len(inner) == 1 and left == "[":
        return [f"[{inner[0]}, …]"]
    return [left, *(f"  {line}" for line in inner), right]


def _resolved(schema: Json, schemas: Json) -> Json:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


def add_routes(app: web.App) -> None:
    made: dict[str, Any] = {}

    @public
    def browse() -> Response:
        """The same for everyone: the site's address is the setting's, not the one that this visitor asked."""
        if "operations" not in made:
            made["operations"] = operations(current_app.extensions["api_description"])
        settings = front().settings.open
        site = settings.url or "https://adresse-du-site"
        values: dict[str, Any] = {
            "a_minute": settings.per_minute,
            "licence": settings.licence,
            "site": site,
            "base": ROOT,
        }
        return page("pages/api.html", operations=made["operations"], **values)

    app.get("/api", who=web.ANYONE, endpoint="api_page")(browse)
