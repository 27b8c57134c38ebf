"""What every route declares: who may call it, whether it keeps quiet, how large a body may be, and for the API's
description (`services.shared.openapi`) the shapes of body and answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Final, TypeVar

import msgspec
from flask import Flask, Response, g
from werkzeug.routing import Rule

from services.shared import strict

View = TypeVar("View", bound=Callable[..., Any])
_log = logging.getLogger("parvis")


class RouteUndeclared(Exception):
    """A route does not say who may call it. The program must not serve."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who may call a route. No roles and `signed_in`: every person with a valid token."""

    label: str
    signed_in: bool
    roles: frozenset[str] = frozenset()


ANYONE: Final = Who("anyone", False)
ANYONE_OR_KNOWN: Final = Who("anyone, and some see more with a token", False)
SIGNED_IN: Final = Who("signed in", True)


def role(*names: str) -> Who:
    return Who(" or ".join(names), True, frozenset(names))


RESIDENT: Final = role("resident")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """What an API's description says of a route besides who may call it."""

    takes: type[msgspec.Struct] | None = None  # the JSON body
    gives: type[msgspec.Struct] | None = None  # the JSON answer
    content: str | None = None  # the content type of an answer that is not `gives` as this process writes it
    status: int = 200  # of an answer that is no refusal
    paged: bool = False  # reads the query parameter `page`
    reads: Mapping[str, Any] = field(default_factory=dict)  # other query parameters: types that msgspec knows
    ruled: bool = False  # a body of the right shape may still be refused with 400, by a rule that no shape can say
    names: Mapping[str, Any] = field(default_factory=dict)  # what a name in the path may be: a type that msgspec knows
    refuses: tuple[int, ...] = ()  # statuses of refusals besides those that go with method, path and `who`
    public: str | None = None  # the scope under which the gateway gives it to anyone, as "polls:read"


_SHAPES: Final = tuple(one.name for one in fields(Shapes))


class DeclaredRule(Rule):
    """A route with its declaration. Keyword arguments: who, quiet, limit; `trail`, under which name the gateway keeps
    that a member of staff did it; and the fields of `Shapes`."""

    def __init__(
        self,
        string: str,
        *args: Any,
        who: Who | None = None,
        quiet: bool = False,
        limit: int = strict.MAX_BODY,
        trail: str = "",
        **kw: Any,
    ) -> None:
        if not isinstance(who, Who):
            raise RouteUndeclared(f"{string} does not declare who may call it: add who=…")
        shapes = {name: kw.pop(name) for name in _SHAPES if name in kw}
        super().__init__(string, *args, **kw)
        self.who = who
        self.quiet = quiet
        self.limit = limit
        self.trail = trail
        self.shapes = Shapes(**shapes)

    def get_empty_kwargs(self) -> dict[str, Any]:
        declared = {name: getattr(self.shapes, name) for name in _SHAPES}
        own = {"who": self.who, "quiet": self.quiet, "limit": self.limit, "trail": self.trail}
        return {**super().get_empty_kwargs(), **declared, **own}


class App(Flask):
    """Flask whose routes are all declared. `app.get/post/route(rule, who=…, quiet=…, limit=…, takes=…, gives=…)`.
    A view may answer with a msgspec.Struct, which goes out as JSON.

    `watch` is shown every answer with its route: tests hold it against the declaration."""

    url_rule_class = DeclaredRule
    watch: ClassVar[Callable[[DeclaredRule | None, Response], None] | None] = None

    def add_url_rule(self, rule: str, endpoint: str | None = None, *args: Any, **options: Any) -> None:
        if endpoint == "static":
            options.setdefault("who", ANYONE)
        super().add_url_rule(rule, endpoint, *args, **options)

    def get(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self._routed("GET", rule, options)

    def post(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self._routed("POST", rule, options)

    def _routed(self, method: str, rule: str, options: dict[str, Any]) -> Callable[[View], View]:
        """As Flask's own, for views that may answer with a struct."""

        def declared(view: View) -> View:
            self.add_url_rule(rule, options.pop("endpoint", None), view, methods=[method], **options)
            return view

        return declared

    def make_response(self, rv: Any) -> Response:
        if isinstance(rv, msgspec.Struct):
            rv = _json(rv)
        elif isinstance(rv, tuple) and rv and isinstance(rv[0], msgspec.Struct):
            rv = (_json(rv[0]), *rv[1:])
        return super().make_response(rv)

    def process_response(self, response: Response) -> Response:
        response = super().process_response(response)
        if App.watch is not None:
            App.watch(g.get("rule"), response)
        return response

    def log_exception(self, exc_info: Any) -> None:
        """Only what fails outside a view comes here; the formatter keeps quiet routes quiet."""
        _log.error("unexpected failure", exc_info=exc_info)


def _json(value: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(value), content_type="application/json")
