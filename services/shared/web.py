"""The HTTP ground of every service: declared routes, strict bodies, refusals, health, metrics, request log.

    app = create_app("identity", ready=application.ready, token_keys=TokenVerifier(...))

    @app.post("/polls/<uuid:poll>/marks", who=RESIDENT, quiet=True)
    def mark(poll: UUID) -> dict[str, str]: ...

A route that does not say who may call it stops the program before it serves anything. A quiet route leaves no request
line, makes and passes on no request id, and of a failure tells its log only the code.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from flask import Response, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue
from gunicorn.http.errors import ParseException
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.routing import RequestRedirect, Rule

from services.shared import answers, errors, logs, openapi, strict
from services.shared.answers import Failure
from services.shared.errors import BadInput, NotAllowed, NotSignedIn, Refusal
from services.shared.openapi import MAX_PAGE
from services.shared.routes import ANYONE as ANYONE
from services.shared.routes import ANYONE_OR_KNOWN as ANYONE_OR_KNOWN
from services.shared.routes import RESIDENT as RESIDENT
from services.shared.routes import SIGNED_IN as SIGNED_IN
from services.shared.routes import App as App
from services.shared.routes import DeclaredRule as DeclaredRule
from services.shared.routes import RouteUndeclared as RouteUndeclared
from services.shared.routes import Who as Who
from services.shared.routes import role as role
from services.shared.store import Overtaken, StoreFailed
from services.shared.tokens import Caller, TokenVerifier

S = TypeVar("S", bound=msgspec.Struct)
_log = logging.getLogger("parvis")


class Health(msgspec.Struct, frozen=True):
    status: str


class NotReady(Exception):
    """What a `ready` callable raises: the sentence tells an operator what is missing."""


def create_app(
    name: str,
    *,
    ready: Callable[[], object],
    token_keys: TokenVerifier | None = None,
    authenticate: Callable[[], Caller | None] | None = None,
    render_failure: Callable[[Failure], ResponseReturnValue] | None = None,
    **flask_options: Any,
) -> App:
    """An app with /livez, /readyz, /metrics and /openapi.json, and no other route.

    `ready` raises NotReady or StoreFailed while the service cannot serve. Callers are known by bearer tokens, or by
    `authenticate` (the gateway's session). `render_failure` replaces the JSON shape of refusals (the gateway's pages).
    """
    flask_options.setdefault("static_folder", None)
    app = App(name, **flask_options)
    app.config.update(DEBUG=False, PROPAGATE_EXCEPTIONS=False, MAX_CONTENT_LENGTH=strict.MAX_BODY)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.compact = True  # type: ignore[attr-defined]
    app.extensions["parvis"] = authenticate or (lambda: _bearer(token_keys))
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(lambda _error: logs.end_request())

    def answer(error: Exception) -> ResponseReturnValue:
        if isinstance(error, RequestRedirect):
            return error.get_response()
        return _answer(error, render_failure)

    for kind in (Refusal, HTTPException, Exception):
        app.register_error_handler(kind, answer)
    _add_health(app, ready)
    answers.tell_build(name)
    return app


def body(kind: type[S]) -> S:
    """The request's JSON body as `kind`. Raises BadInput or TooLarge, naming field and reason."""
    rule: DeclaredRule | None = g.rule
    if rule is not None and rule.shapes.takes not in (None, kind):
        raise TypeError(f"{rule} declares another body than the one it reads: {kind.__name__}")
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("the body must be application/json")
    return answers.decode(kind, request.get_data(), _rule_limit())


def caller() -> Caller:
    """Who calls. Raises NotSignedIn."""
    found = caller_or_none()
    if found is None:
        raise NotSignedIn(field="Authorization")
    return found


def caller_or_none() -> Caller | None:
    """Who calls, None without a token. A token that does not hold raises NotSignedIn."""
    if "caller" not in g:
        g.caller = current_app.extensions["parvis"]()
    return g.caller  # type: ignore[no-any-return]


def page() -> int:
    """The page asked for, from 1."""
    text = request.args.get("page", "1")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_PAGE:
        raise BadInput(f"a number from 1 to {MAX_PAGE}", field="page")
    return int(text[:9])


def _begin() -> None:
    g.started = time.perf_counter()
    g.rule = rule = _rule()
    quiet = rule is not None and rule.quiet
    g.request_id = None if quiet else logs.accept_id(request.headers.get("X-Request-Id"))
    logs.begin_request(g.request_id, quiet=quiet)
    _refuse_large_body(_rule_limit())
    if request.url_rule is None or not isinstance(request.url_rule, DeclaredRule):
        return  # 404 or 405: the router's own answer follows
    if request.method == "OPTIONS" and getattr(request.url_rule, "provide_automatic_options", False):
        return
    who = request.url_rule.who
    if who.signed_in and not caller().roles & who.roles and who.roles:
        raise NotAllowed(f"needs the role {who.label}")


def _refuse_large_body(limit: int) -> None:
    """Before the view, so that a body nobody reads is refused too. Werkzeug cuts a chunked body at its maximum
    without a word: it may read one byte more than we allow, which shows the excess."""
    request.max_content_length = limit + 1
    length = request.content_length
    if length is None and request.environ.get("HTTP_TRANSFER_ENCODING"):
        try:
            length = len(request.get_data())
        except ParseException as e:
            raise BadInput(f"a broken body: {type(e).__name__}", field="body") from None
    if length is not None and length > limit:
        raise errors.TooLarge(f"at most {limit} bytes", field="body")


def _end(response: Response) -> Response:
    rule: DeclaredRule | None = g.rule
    seconds = time.perf_counter() - g.started
    route = rule.rule if rule is not None else "(none)"
    answers.observe(route, request.method, response.status_code, seconds)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if rule is not None and rule.who.signed_in:
        response.headers.setdefault("Cache-Control", "no-store")
    if g.request_id is not None:
        response.headers["X-Request-Id"] = g.request_id
        line = {
            "method": request.method,
            "route": route,
            "status": response.status_code,
            "ms": round(seconds * 1000, 1),
        }
        _log.info("request", extra=line | ({"code": g.code} if "code" in g else {}))
    elif "code" in g:
        logs.failure(g.code)
    return response


def _rule() -> DeclaredRule | None:
    """The route of this path; for a wrong method too, so that a quiet path stays quiet."""
    rule: Rule | None = request.url_rule
    if rule is None and isinstance(request.routing_exception, MethodNotAllowed):
        allowed = next(iter(request.routing_exception.valid_methods or ["GET"]))
        adapter = current_app.create_url_adapter(request)
        if adapter is not None:
            rule, _ = adapter.match(method=allowed, return_rule=True)
    return rule if isinstance(rule, DeclaredRule) else None


def _rule_limit() -> int:
    return g.rule.limit if g.rule is not None else strict.MAX_BODY


def _bearer(verifier: TokenVerifier | None) -> Caller | None:
    header = request.headers.get("Authorization")
    if header is None or verifier is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise NotSignedIn("a bearer token is needed", field="Authorization")
    return verifier.caller(token.strip())


def _answer(error: Exception, render: Callable[[Failure], ResponseReturnValue] | None) -> ResponseReturnValue:
    failure = _failure(error)
    g.code = failure.code if failure.status < 500 else type(error).__name__
    if failure.status == 500 and not logs.is_quiet():
        _log.error("unexpected failure", exc_info=error)
    elif isinstance(error, StoreFailed) and not logs.is_quiet():
        _log.error("the store cannot answer: %s", error)
    response = current_app.make_response(render(failure) if render else jsonify(failure.as_json()))
    response.status_code = failure.status
    if failure.status == 503:
        response.headers["Retry-After"] = "1"
    if isinstance(error, errors.TooOften):
        response.headers["Retry-After"] = str(error.seconds)
    if failure.status == 413:
        response.headers["Connection"] = "close"  # the rest of the body is not waited for
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(error.valid_methods)
    return response


def _failure(error: Exception) -> Failure:
    if isinstance(error, Refusal):
        return answers.failure_of(error)
    if isinstance(error, RequestEntityTooLarge):
        return Failure(413, "TooLarge", "body", f"at most {_rule_limit()} bytes")
    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        if isinstance(error, UnsupportedMediaType):
            return Failure(415, "UnsupportedMediaType", "Content-Type", error.description or error.name)
        return Failure(error.code, type(error).__name__, None, error.name)
    if isinstance(error, StoreFailed | Overtaken):
        return answers.failure_of(errors.Busy())
    if isinstance(error, NotReady):
        return Failure(503, "NotReady", None, str(error))
    return answers.UNEXPECTED


def _add_health(app: App, ready: Callable[[], object]) -> None:
    @app.get("/livez", who=ANYONE, quiet=True, gives=Health)
    def livez() -> Health:
        """Whether the process answers."""
        return Health("alive")

    @app.get("/readyz", who=ANYONE, quiet=True, gives=Health)
    def readyz() -> Health:
        """Whether it can serve: its stores are there and of this release."""
        try:
            ready()
        except StoreFailed as e:
            raise NotReady(str(e)) from e
        return Health("ready")

    @app.get("/metrics", who=ANYONE, quiet=True, content=CONTENT_TYPE_LATEST)
    def metrics() -> Response:
        """What it counts, for Prometheus."""
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)

    @app.get(openapi.PATH, who=ANYONE, quiet=True, content=openapi.JSON, endpoint="openapi")
    def description() -> Response:
        """This description."""
        return Response(msgspec.json.encode(described(app)), content_type=openapi.JSON)


def described(app: App) -> dict[str, Any]:
    """The OpenAPI description of an app."""
    rules = [rule for rule in app.url_map.iter_rules() if isinstance(rule, DeclaredRule)]
    return openapi.describe(app.name, rules, lambda endpoint: app.view_functions[endpoint].__doc__ or "")
