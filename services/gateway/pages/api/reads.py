"""What services publish, under /api/v1: passed on as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote

import msgspec
from flask import Response, request, stream_with_context

from services.gateway.clients.public import Answer
from services.gateway.pages.api.access import REFUSES, admit, api, cached, finish
from services.gateway.pages.api.description import ROOT, Published, merged, published
from services.shared import openapi, web
from services.shared.errors import NotFound

_FRESH: Final = 10  # seconds for which a copy is good: about an epoch of a lively poll
_SLOW: Final = 300


def add_routes(app: web.App) -> None:
    app.after_request(finish)
    refuses = (*REFUSES, 400, 404, 409)
    for one in published():
        declare = app.get(one.rule, who=web.ANYONE, endpoint=f"api_{one.name}", content=one.content, refuses=refuses)
        declare(_long(one) if one.streamed else _whole(one))


def add_description(app: web.App) -> None:
    """After all other routes: it is made now, and no service is asked."""
    made: list[bytes] = []

    @app.get(f"{ROOT}/openapi.json", who=web.ANYONE, content=openapi.JSON, endpoint="api_openapi")
    def description() -> Response:
        """This description."""
        return cached(Response(made[0], content_type=openapi.JSON), _SLOW)

    app.extensions["api_description"] = said = merged(app)
    made.append(msgspec.json.encode(said))


def _whole(one: Published) -> Callable[..., Response]:
    def view(**names: object) -> Response:
        admit(one.scope)
        params: dict[str, str | int] = {"page": web.page()} if one.paged else {}
        params |= {name: request.args[name] for name in one.reads if name in request.args}
        return _as_it_came(api().reads.read(one.service, _path(one, names), params), one)

    return view


def _long(one: Published) -> Callable[..., Response]:
    def view(**names: object) -> Response:
        admit(one.scope)
        path = _path(one, names)
        if request.method == "HEAD":
            return Response(content_type=one.content)
        found = api().reads.stream(one.service, path)
        if isinstance(found, Answer):
            return _as_it_came(found, one)

        def passed_on() -> Iterator[bytes]:
            yield from found

        name = f"{one.name}-{next(iter(names.values()), '')}.ndjson"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(stream_with_context(passed_on()), content_type=one.content, headers=headers)

    return view


def _path(one: Published, names: dict[str, object]) -> str:
    """Raises NotFound for a name that no service could know: what goes into another's address is checked here."""
    for name, pattern in one.patterns.items():
        if not pattern.fullmatch(str(names[name])):
            raise NotFound(field=name)
    return one.path.format(**{name: quote(str(value), safe="") for name, value in names.items()})


def _as_it_came(found: Answer, one: Published) -> Response:
    if found.status != 200:
        return Response(found.body, found.status, content_type=openapi.JSON)
    return cached(Response(found.body, content_type=one.content), _FRESH)
