"""What every HTTP door answers alike, under Flask or ASGI: status of a refusal, typed bodies, the request metric."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec
from prometheus_client import Gauge, Histogram

from services.shared import errors, strict
from services.shared.errors import BadInput, Refusal

S = TypeVar("S", bound=msgspec.Struct)
STATUS: Final[dict[type[Refusal], int]] = {
    errors.BadInput: 400,
    errors.NotSignedIn: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.TooOften: 429,
    errors.Busy: 503,
}
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_DURATION: Final = Histogram(
    "http_server_request_duration_seconds",
    "Time from a request's head to its answer's, by route template.",
    ("http_route", "http_request_method", "http_response_status_code"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
VERSION: Final = "0.1.0"
_BUILD: Final = Gauge("parvis_build_info", "1; its labels say which release runs.", ("service", "version"))
_AT_PATH: Final = re.compile(r"(?P<reason>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_NAMED_FIELD: Final = re.compile(r"field `([^`]*)`")


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that was not served, as its caller may know it."""

    status: int
    code: str
    field: str | None
    reason: str

    def as_json(self) -> dict[str, str | None]:
        return {"refusal": self.code, "field": self.field, "reason": self.reason}


UNEXPECTED: Final = Failure(500, "Unexpected", None, "the service failed; the failure is in its log")


def failure_of(refusal: Refusal) -> Failure:
    status = next(code for kind, code in STATUS.items() if isinstance(refusal, kind))
    return Failure(status, refusal.code, refusal.field, refusal.reason)


def decode(kind: type[S], data: bytes, limit: int = strict.MAX_BODY) -> S:
    """The bytes as `kind`. Raises BadInput or TooLarge, naming field and reason."""
    value = strict.parse(data, limit=limit)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as e:
        raise _bad_input(str(e)) from None


def tell_build(service: str) -> None:
    _BUILD.labels(service, VERSION).set(1)


def observe(route: str, method: str, status: int, seconds: float) -> None:
    """Counts a request under its route's template; anything a caller can invent is folded into one label."""
    _DURATION.labels(route, method if method in METHODS else "OTHER", str(status)).observe(seconds)


def _bad_input(message: str) -> BadInput:
    """msgspec says "reason - at `$.path`"; a missing or unknown field is named in the reason itself."""
    found = _AT_PATH.fullmatch(message)
    reason, path = (found["reason"], found["path"] or "") if found else (message, "")
    named = _NAMED_FIELD.search(reason)
    field = ".".join(part for part in (path, named[1] if named else "") if part) or "body"
    return BadInput(reason[:200], field=field[:80])
