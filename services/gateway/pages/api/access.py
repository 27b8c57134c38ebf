"""Who may use the public API and how often; what all of its answers have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from flask import Response, current_app, g, jsonify, request

from services.gateway.clients.public import PublicReads
from services.gateway.pages.api.description import ROOT
from services.gateway.pages.api.quotas import KeyQuotas, Left, SourceQuotas
from services.gateway.settings import GatewaySettings
from services.gateway.store.api_keys import ApiKey, ApiKeys
from services.shared.answers import Failure
from services.shared.errors import NotAllowed, NotSignedIn, TooOften
from services.shared.store import Database

REFUSES: Final = (401, 403, 429)
"""What `admit` may answer, for a route's declaration."""
_EXPOSED: Final = "ETag, RateLimit, RateLimit-Policy, Retry-After"


class KeyUnknown(NotSignedIn):
    reason = "this key is not known, or it has ended"


class ScopeMissing(NotAllowed):
    """The key is good, but not for this."""


class QuotaUsedUp(TooOften):
    reason = "the quota is used up: wait, or ask for a key"


@dataclass(frozen=True, slots=True)
class Api:
    """What the API needs, made once by `app.create_app`."""

    reads: PublicReads
    keys: ApiKeys
    by_key: KeyQuotas
    by_source: SourceQuotas


def make(settings: GatewaySettings, database: Database, cookie_key: bytes) -> Api:
    common = settings.common
    urls = {"ballot": common.ballot_url, "identity": common.identity_url, "notifications": common.notifications_url}
    keys = ApiKeys(database)
    return Api(
        reads=PublicReads(urls, settings.deadline_seconds),
        keys=keys,
        by_key=KeyQuotas(keys),
        by_source=SourceQuotas(settings.open.per_minute, cookie_key),
    )


def api() -> Api:
    return cast(Api, current_app.extensions["api"])


def is_api(path: str) -> bool:
    """Whether this address is for programs: whatever is wrong with it is told as JSON."""
    return path == ROOT or path.startswith(ROOT + "/")


def render(failure: Failure) -> Response:
    return jsonify(failure.as_json())


def admit(scope: str) -> None:
    """Counts this request. Raises KeyUnknown, ScopeMissing or QuotaUsedUp."""
    key = _key()
    if key is not None and scope not in key.scopes:
        raise ScopeMissing(f"this key is not for {scope}", field="Authorization")
    left = api().by_key.take(key) if key is not None else api().by_source.take(request.remote_addr or "")
    g.api_left = left
    if not left.allowed:
        raise QuotaUsedUp(seconds=left.reset)


def _key() -> ApiKey | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, secret = header.partition(" ")
    found = api().keys.find(secret.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        raise KeyUnknown(field="Authorization")
    return found


def cached(response: Response, seconds: int) -> Response:
    """With an ETag, and good for so long; 304 where the asker has it already."""
    shared = "private" if "Authorization" in request.headers else "public"
    response.headers["Cache-Control"] = f"{shared}, max-age={seconds}"
    response.add_etag(weak=True)  # the same for what travels compressed
    response.make_conditional(request)
    return response


def finish(response: Response) -> Response:
    """Any site's script may read this, without credentials."""
    if is_api(request.path):
        left: Left | None = g.get("api_left")
        response.headers.update(left.headers() if left is not None else {})
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, HEAD"
            response.headers["Access-Control-Allow-Headers"] = "If-None-Match"
        if response.status_code >= 400:
            response.headers["Cache-Control"] = "no-store"
        if response.status_code == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="Parvis"'
    return response
