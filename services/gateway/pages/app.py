"""Puts the gateway together: one Flask app, its parts, its pages, its static files."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

from flask import Response, g, request
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, PrefixLoader
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise  # type: ignore[import-untyped]

from services.gateway.clients.ballot import BallotClient
from services.gateway.clients.codes import CodesClient, DeskClient
from services.gateway.clients.http import Service
from services.gateway.clients.identity import IdentityClient
from services.gateway.clients.notifications import NotificationsClient
from services.gateway.clients.openid import Provider
from services.gateway.clients.own import OwnClient
from services.gateway.clients.registry import RegistryClient
from services.gateway.clients.rolls import RollsClient
from services.gateway.pages import (
    casting,
    codes,
    declaration,
    errors,
    external,
    front,
    help,
    language,
    method_words,
    numbers,
    officer,
    people,
    polls,
    public,
    receipt,
    receipts,
    results,
    security,
    sessions,
    shared_reads,
    spool,
    theme,
    uploads,
    words,
)
from services.gateway.pages.api import access, browse, catalogue, reads
from services.gateway.pages.citizen import appeals, associations, data, sign_up, standing
from services.gateway.pages.declaration import LABELS
from services.gateway.pages.kit import pieces, trail
from services.gateway.pages.office import figures, making, running
from services.gateway.pages.results import drawing
from services.gateway.pages.sealed_cookie import SealedCookie
from services.gateway.pages.staff import (
    answers,
    api_keys,
    contacts,
    decisions,
    desk,
    duplicates,
    inbox,
    journal,
    reception,
    roles,
    roll_import,
    roll_reports,
    rolls,
    sheets,
)
from services.gateway.settings import GatewaySettings
from services.gateway.store import STEPS
from services.gateway.store.drafts import Drafts
from services.gateway.store.sessions import Sessions
from services.gateway.store.trail import Trail
from services.gateway.turns import InTurn
from services.shared import keys, web
from services.shared.store import Database
from services.shared.tokens import TokenSigner

HERE: Final = Path(__file__).resolve().parent.parent
STATIC: Final = HERE / "static"
_HASHED: Final = re.compile(r"-[0-9a-f]{12}\.[a-z0-9]+$")
_FORM_LIMIT: Final = 64 * 1024  # a ballot of several questions with two hundred options each
_SECOND_CALLS: Final = 16  # one for each thread that may be rendering
_WARNED_SECONDS: Final = 600
_PATIENCE: Final = 120  # seconds for what takes longer the more people there are: a list of a million is frozen in one
PAGES: Final = (
    *(polls, results, casting, receipt, people, codes, sessions, external, receipts, spool),
    *(standing, appeals, sign_up, associations, data),
    *(desk, officer, making, running, figures, reception, contacts, roles, api_keys, journal, help),
    *(rolls, roll_import, roll_reports, sheets, duplicates, inbox, decisions, answers),
    *(reads, catalogue, browse),
)


class AssetsMissing(Exception):
    """The front end has not been built."""


def create_app(
    settings: GatewaySettings, database: Database, *, static: Path = STATIC, pages: Sequence[Any] = PAGES
) -> web.App:
    """The gateway. Raises AssetsMissing, keys.KeyRefused or SettingRefused."""
    assets = _manifest(static)
    app = web.create_app(
        "gateway",
        ready=lambda: database.check(STEPS),
        authenticate=front.authenticate,
        render_failure=errors.render,
        template_folder=str(HERE / "templates"),
    )
    cookie_key, signer = keys.load_secret(settings.cookie_key), TokenSigner(settings.token_key)
    drafts = Drafts(database)
    app.extensions["front"] = front.Front(
        settings=settings,
        sessions=Sessions(database, settings.session_seconds),
        forms=security.Forms(cookie_key, secure=settings.secure_cookies),
        signer=signer,
        cookie_key=cookie_key,
        declaration=declaration.load(settings.accessibility),
        look=theme.load(settings.theme, (static / assets["parvis.css"]["file"]).read_text("utf-8")),
        pool=ThreadPoolExecutor(_SECOND_CALLS, thread_name_prefix="second-call"),
        providers={p.name: Provider(p, keys.load_password(p.secret_file)) for p in settings.providers},
        leaving=SealedCookie(cookie_key, "connexion-externe", secure=settings.secure_cookies),
        leaving_for_good=SealedCookie(cookie_key, "deconnexion-externe", secure=settings.secure_cookies),
        drafts=drafts,
        trail=Trail(database),
        **_clients(settings, signer, drafts.forget),
    )
    app.extensions["static"] = static
    app.extensions["api"] = access.make(settings, database, cookie_key)
    _set_up_templates(app, assets)
    app.before_request(_protect)
    app.after_request(_finish)
    app.teardown_request(lambda _error: language.end())
    for module in pages:
        module.add_routes(app)
    _serve(app, static, settings)
    return app


def _serve(app: web.App, static: Path, settings: GatewaySettings) -> None:
    """What stands before the pages: copies of the public ones, the assets, and what proxies tell."""
    app.request_class = uploads.Request
    app.config["MAX_FORM_MEMORY_SIZE"] = _FORM_LIMIT
    reads.add_description(app)
    cookie = app.extensions["front"].session_cookie
    app.wsgi_app = cast(Any, InTurn(app.wsgi_app))  # type: ignore[method-assign]
    app.extensions["public"] = shared = public.PublicPages(app, cookie, settings.public_seconds)
    app.extensions["reads"] = shared_reads.SharedReads(settings.public_seconds)
    served = WhiteNoise(shared, max_age=60, immutable_file_test=_immutable, add_headers_function=_asset_headers)
    served.add_files(str(static), prefix="assets/")
    if app.extensions["front"].look.files:
        app.extensions["own files"] = own = TemporaryDirectory(prefix="parvis-look-")
        app.extensions["front"].look.write(Path(own.name))
        served.add_files(own.name, prefix="assets/")
    app.wsgi_app = _behind(served, settings.trusted_proxies)  # type: ignore[method-assign]


def _behind(served: Any, proxies: int) -> Any:
    """Address and scheme as that many proxies tell them. The host stays the one that was asked for: a form's sender is
    held against it, so a proxy must pass `Host` on."""
    return ProxyFix(served, x_for=proxies, x_proto=proxies, x_host=0) if proxies else served


def _clients(settings: GatewaySettings, signer: TokenSigner, erased: Callable[[str], object]) -> dict[str, Any]:
    common, deadline = settings.common, settings.deadline_seconds
    identity = Service("identity", common.identity_url, deadline)
    return {
        "ballot": BallotClient(
            Service("ballot", common.ballot_url, deadline), Service("cast", common.cast_url, deadline)
        ),
        "identity": IdentityClient(identity, Service("identity", common.identity_url, _PATIENCE), erased),
        "own": OwnClient(identity),
        "codes": CodesClient(identity, lambda: signer.own("identity")),
        "desk": DeskClient(identity),
        "registry": RegistryClient(identity),
        "rolls": RollsClient(identity),
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


def _set_up_templates(app: web.App, built: Mapping[str, Mapping[str, str]]) -> None:
    look = app.extensions["front"].look
    assets = {**built, **look.assets}
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
        said=language.said,
        frame=language.frame,
        plural=language.plural,
        theirs=language.theirs,
        french_unless_translated=language.french_unless_translated,
        languages=list(language.NAMES.items()),
        accessibility=lambda: LABELS[app.extensions["front"].declaration.standing(date.today())],
        providers=list(app.extensions["front"].providers.values()),
        ways=people.ways,
        look=look,
        is_staff=desk.is_staff,
    )
    app.jinja_env.globals |= {name: getattr(pieces, name) for name in pieces.GLOBALS}
    for name in ("date_time", "short_date", "clock", "number", "duration", "fingerprint"):
        app.jinja_env.filters[name] = getattr(words, name)
    app.jinja_env.filters["lower_first"] = lambda text: text[:1].lower() + text[1:]
    app.jinja_env.filters |= {"day": lambda text: words.long_date(date.fromisoformat(text)), "rate": numbers.rate}
    app.jinja_env.filters["euros"] = numbers.euros
    app.jinja_env.filters |= {name: getattr(drawing, name) for name in drawing.FILTERS}
    app.context_processor(_around)


def _around() -> dict[str, Any]:
    """What every template knows."""
    person = front.session()
    known = language.around() | {"person": person, "here": request.path, "here_by_get": request.method == "GET"}
    if person is not None:
        known["session_ends"] = words.moment_of(person.expires_at)
        known["session_ends_soon"] = person.expires_at - time.time() < _WARNED_SECONDS
    return known


def _form_token() -> str:
    return front.front().forms.token()


def _protect() -> None:
    """Every unsafe route is protected; those that answer an expired form in a kinder way check it themselves."""
    security.check_sender()
    if request.method == "POST" and request.endpoint not in (None, *casting.CHECK_THEMSELVES):
        front.front().forms.check()
    trail.begin()


def _finish(response: Response) -> Response:
    parts = front.front()
    trail.end(response)
    parts.forms.remember(response)
    rule = g.get("rule")
    personal = g.get("session") is not None or (rule is not None and (rule.quiet or rule.who.signed_in))
    if personal:
        response.headers["Cache-Control"] = "no-store"
        if request.method == "POST" and rule is not None and rule.who.roles and response.status_code < 400:
            public.renew()
    public.settle(response, personal=personal or parts.forms.given())
    return security.harden(response, secure=parts.settings.secure_cookies)


def _immutable(_path: str, url: str) -> bool:
    return bool(_HASHED.search(url))


def _asset_headers(headers: Any, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Content-Security-Policy"] = "sandbox"  # a logo that is opened by itself runs nothing
