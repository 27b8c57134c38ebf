"""Puts the gateway together: one Flask app, its parts, its pages, its static files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flask import Response, g, request
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, PrefixLoader
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise  # type: ignore[import-untyped]

from services.gateway.clients.ballot import BallotClient
from services.gateway.clients.http import Service
from services.gateway.clients.identity import IdentityClient
from services.gateway.clients.notifications import NotificationsClient
from services.gateway.pages import (
    casting,
    errors,
    front,
    help,
    method_words,
    numbers,
    officer,
    people,
    polls,
    receipt,
    results,
    security,
    words,
)
from services.gateway.settings import GatewaySettings
from services.gateway.store import Sessions
from services.shared import keys, web
from services.shared.store import Database
from services.shared.tokens import TokenSigner

HERE: Final = Path(__file__).resolve().parent.parent
STATIC: Final = HERE / "static"
_HASHED: Final = re.compile(r"-[0-9a-f]{12}\.[a-z0-9]+$")
_FORM_LIMIT: Final = 64 * 1024  # a ballot of several questions with two hundred options each
_PAGES: Final = (polls, results, casting, receipt, people, officer, help)


class AssetsMissing(Exception):
    """The front end has not been built."""


def create_app(settings: GatewaySettings, database: Database, *, static: Path = STATIC) -> web.App:
    """The gateway. Raises AssetsMissing or keys.KeyRefused."""
    assets = _manifest(static)
    sessions = Sessions(database, settings.session_seconds)
    app = web.create_app(
        "gateway",
        ready=sessions.check,
        authenticate=front.authenticate,
        render_failure=errors.render,
        template_folder=str(HERE / "templates"),
    )
    app.config["MAX_FORM_MEMORY_SIZE"] = _FORM_LIMIT
    cookie_key = keys.load_secret(settings.cookie_key)
    app.extensions["front"] = front.Front(
        settings=settings,
        sessions=sessions,
        forms=security.Forms(cookie_key, secure=settings.secure_cookies),
        signer=TokenSigner(settings.token_key),
        cookie_key=cookie_key,
        **_clients(settings),
    )
    _set_up_templates(app, assets)
    app.before_request(_protect)
    app.after_request(_finish)
    for module in _PAGES:
        module.add_routes(app)
    served = WhiteNoise(app.wsgi_app, max_age=60, immutable_file_test=_immutable, add_headers_function=_asset_headers)
    served.add_files(str(static), prefix="assets/")
    app.wsgi_app = _behind(served, settings.trusted_proxies)  # type: ignore[method-assign]
    return app


def _behind(served: Any, proxies: int) -> Any:
    """Address and scheme as that many proxies tell them. The host stays the one that was asked for: a form's sender is
    held against it, so a proxy must pass `Host` on."""
    return ProxyFix(served, x_for=proxies, x_proto=proxies, x_host=0) if proxies else served


def _clients(settings: GatewaySettings) -> dict[str, Any]:
    common, deadline = settings.common, settings.deadline_seconds
    return {
        "ballot": BallotClient(
            Service("ballot", common.ballot_url, deadline), Service("cast", common.cast_url, deadline)
        ),
        "identity": IdentityClient(Service("identity", common.identity_url, deadline)),
        "notifications": NotificationsClient(Service("notifications", common.notifications_url, deadline)),
    }


def _manifest(static: Path) -> Mapping[str, Mapping[str, str]]:
    try:
        found: Mapping[str, Mapping[str, str]] = json.loads((static / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise AssetsMissing(
            "The front end has not been built: run `python services/gateway/assets/build.py` first."
        ) from None
    return found


def _set_up_templates(app: web.App, assets: Mapping[str, Mapping[str, str]]) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.loader = ChoiceLoader(
        [
            FileSystemLoader(HERE / "templates"),
            PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        ]
    )
    app.jinja_env.globals.update(
        asset=lambda name: f"/assets/{assets[name]['file']}",
        integrity=lambda name: assets[name]["integrity"],
        count=words.count,
        explain=method_words.explain,
        percent=words.percent,
        state=words.state,
        form_token=_form_token,
        token_field=security.FIELD,
        OFFICER=front.OFFICER,
    )
    for name in ("date_time", "short_date", "number", "duration", "fingerprint"):
        app.jinja_env.filters[name] = getattr(words, name)
    app.jinja_env.filters |= {"euros": numbers.euros, "shown": numbers.shown}
    app.context_processor(lambda: {"person": front.session(), "here": request.path})


def _form_token() -> str:
    return front.front().forms.token()


def _protect() -> None:
    """Every unsafe route is protected; those that answer an expired form in a kinder way check it themselves."""
    security.check_sender()
    if request.method == "POST" and request.endpoint not in casting.CHECK_THEMSELVES:
        front.front().forms.check()


def _finish(response: Response) -> Response:
    parts = front.front()
    parts.forms.remember(response)
    rule = g.get("rule")
    if g.get("session") is not None or (rule is not None and (rule.quiet or rule.who.signed_in)):
        response.headers["Cache-Control"] = "no-store"
    return security.harden(response, secure=parts.settings.secure_cookies)


def _immutable(_path: str, url: str) -> bool:
    return bool(_HASHED.search(url))


def _asset_headers(headers: Any, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
