"""Public pages: the same for every visitor who is not signed in, so rendered once in two seconds and shared.

A route says so (`app.get("/", who=web.ANYONE)(public(home))`). Such a page holds no nonce, cookie or token, and nothing
of who asks but the language. `PublicPages` stands before Flask and hands copies out; `settle` is the one step after
every answer that decides whether it may be shared and whether it may be compressed.
"""

from __future__ import annotations

import gzip
import itertools
import logging
import re
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

from flask import Flask, Response, current_app, g, request
from werkzeug.datastructures import Accept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header
from werkzeug.routing import RequestRedirect

from services.gateway.pages import language
from services.gateway.pages.copies import Copies, Copy
from services.shared import answers, logs, web

View = TypeVar("View", bound=Callable[..., Any])
Environ = dict[str, Any]
_ASKED: Final = "parvis.public.asked"  # PublicPages asks, for everyone
_IN_TROUBLE: Final = "parvis.public.in_trouble"  # and is told that the answer may be shared, if only for a moment
_OF_THE_ASKER: Final = frozenset(
    f"HTTP_{name}"
    for name in ("ACCEPT_ENCODING", "ACCEPT_LANGUAGE", "AUTHORIZATION", "COOKIE", "IF_NONE_MATCH", "RANGE", "REFERER")
)
_NUMBERED: Final = re.compile(r"(?:page=[1-9]\d{0,5})?")
_OWN: Final = frozenset({"content-length", "content-encoding", "x-request-id", "cache-control", "vary", "etag"})
_COMPRESSED: Final = ("text/", "application/json", "image/svg")
_WORTH_IT: Final = 512
VARY: Final = ("Accept-Encoding", "Accept-Language", "Cookie")
# Shared caches may keep a page for as long as we do. A browser asks each time (a 304 costs 300 bytes): it would else
# show a page of before its visitor signed in, or chose another language.
CONTROL: Final = "public, max-age=0, s-maxage=2"
SECONDS_IN_TROUBLE: Final = 0.5
"""How old a copy may become that was made while a service did not answer: long enough to spare the service, short
enough to show soon that it is back."""
_PHRASES: Final = {200: "200 OK", 503: "503 SERVICE UNAVAILABLE"}
_log = logging.getLogger("parvis")


def public(view: View) -> View:
    """Declares that the view gives everyone who is not signed in the same page."""
    view.public = True  # type: ignore[attr-defined]
    return view


def is_public(endpoint: str | None, app: Flask | None = None) -> bool:
    views = (app or current_app).view_functions
    return getattr(views.get(endpoint or ""), "public", False)


def renew() -> None:
    """What public pages say has just been changed from here."""
    current_app.extensions["public"].renew()


def version() -> int:
    """Another after each change that is made from here."""
    return cast(int, current_app.extensions["public"].version)


def cut_short() -> None:
    """A block of this page is missing because a service is down: the page must not be kept for long."""
    g.cut_short = True


def settle(response: Response, *, personal: bool) -> None:
    """May this answer be shared, may it be compressed? `personal`: a person's, or with a form's token in it.

    What is personal is never compressed: its length would tell of the token that it holds beside what a stranger may
    have put into the address (the attack called BREACH).
    """
    if personal or response.is_streamed or "Set-Cookie" in response.headers:
        return
    if request.environ.get(_ASKED):  # headers and compression are then PublicPages' part
        request.environ[_IN_TROUBLE] = "cut_short" in g or response.status_code != 200
        return
    kind, accepted = response.content_type or "", request.headers.get("Accept-Encoding", "")
    if kind.startswith("text/html"):
        response.vary.update(VARY)
    if response.status_code == 200 and is_public(request.endpoint):
        response.headers["Cache-Control"] = CONTROL
    if kind.startswith(_COMPRESSED) and accepts_gzip(accepted):
        _compress(response)


class PublicPages:
    """WSGI middleware: answers from copies where route and visitor allow it, passes everything else on."""

    def __init__(self, app: web.App, session_cookie: str, seconds: float) -> None:
        """`seconds`: how old a copy may become; with 0 only those who ask at once share one."""
        self.copies = Copies[Copy]()
        self._app, self._wsgi = app, app.wsgi_app
        self._mark = f"{session_cookie}="
        self._seconds = seconds
        self._version = itertools.count(1)
        self.version = 0

    def renew(self) -> None:
        """What pages say has just been changed from here: the copies made before are not given any more."""
        self.version = next(self._version)

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        query = environ.get("QUERY_STRING", "")
        if (
            environ["REQUEST_METHOD"] != "GET"
            or self._mark in environ.get("HTTP_COOKIE", "")
            or not _NUMBERED.fullmatch(query)
        ):
            return self._wsgi(environ, start)
        began = time.perf_counter()
        key = (self.version, environ["PATH_INFO"], query, language.of(environ))
        copy = self.copies.ready(key)
        if copy is None:
            route = self._route(environ)
            if route is None:
                return self._wsgi(environ, start)
            made: list[_Whole] = []
            copy = self.copies.get(key, lambda: self._make(environ, route, made))
            if made:  # this very request went to Flask, which has counted it
                return _answer(copy, environ, start) if copy is not None else made[0].send(start)
            if copy is None:
                return self._wsgi(environ, start)
        _count(copy, environ, began)
        return _answer(copy, environ, start)

    def _route(self, environ: Environ) -> str | None:
        """The template of a public route, None where the path is none."""
        try:
            rule, _ = self._app.url_map.bind_to_environ(environ).match(return_rule=True)
        except (HTTPException, RequestRedirect):
            return None
        return rule.rule if is_public(rule.endpoint, self._app) else None

    def _make(self, environ: Environ, route: str, made: list[_Whole]) -> Copy | None:
        asked = {k: v for k, v in environ.items() if k not in _OF_THE_ASKER}
        asked |= {_ASKED: True, language.ENVIRON: language.of(environ)}
        whole = _Whole()
        pieces = self._wsgi(asked, whole.start)
        try:
            whole.body = b"".join(pieces)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        made.append(whole)
        if _IN_TROUBLE not in asked or int(whole.status[:3]) not in _PHRASES:
            return None
        seconds = min(self._seconds, SECONDS_IN_TROUBLE) if asked[_IN_TROUBLE] else self._seconds
        kept = tuple((k, v) for k, v in whole.headers if k.lower() not in _OWN)
        return Copy.of(int(whole.status[:3]), kept, whole.body, route, seconds)


class _Whole:
    """What Flask answered, whole."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    def start(self, status: str, headers: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], object]:
        self.status, self.headers = status, headers
        return lambda _data: None

    def send(self, start: Any) -> Iterable[bytes]:
        start(self.status, self.headers)
        return [self.body]


def _answer(copy: Copy, environ: Environ, start: Any) -> Iterable[bytes]:
    small = len(copy.plain) > _WORTH_IT and accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", ""))
    tag = f'"{copy.tag}-gzip"' if small else f'"{copy.tag}"'
    headers = [*copy.headers, ("Vary", ", ".join(VARY))]
    if copy.status != 200:
        headers += [("Cache-Control", "no-store"), ("Content-Length", str(len(copy.plain)))]
        start(_PHRASES[copy.status], headers)
        return [copy.plain]
    headers += [("Cache-Control", CONTROL), ("ETag", tag)]
    if tag in environ.get("HTTP_IF_NONE_MATCH", ""):
        start("304 NOT MODIFIED", [(k, v) for k, v in headers if k != "Content-Type"])
        return []
    body = copy.small if small else copy.plain
    if small:
        headers.append(("Content-Encoding", "gzip"))
    headers.append(("Content-Length", str(len(body))))
    start("200 OK", headers)
    return [body]


def _count(copy: Copy, environ: Environ, began: float) -> None:
    """A page from a copy is a request like another: in the metric and in the log."""
    seconds = time.perf_counter() - began
    answers.observe(copy.route, "GET", copy.status, seconds)
    logs.begin_request(logs.accept_id(environ.get("HTTP_X_REQUEST_ID")), quiet=False)
    line = {"method": "GET", "route": copy.route, "status": copy.status, "ms": round(seconds * 1000, 1), "copy": True}
    _log.info("request", extra=line)
    logs.end_request()


@lru_cache(256)
def accepts_gzip(header: str) -> bool:
    return parse_accept_header(header, Accept).quality("gzip") > 0


def _compress(response: Response) -> None:
    response.vary.add("Accept-Encoding")
    data = response.get_data()
    if len(data) > _WORTH_IT:
        response.set_data(gzip.compress(data, 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
