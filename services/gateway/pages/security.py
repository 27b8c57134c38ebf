"""Headers of every page, and protection of forms against being sent from elsewhere.

A form carries an HMAC of a random cookie (double submit), so no server state is needed and a form stays good through
a new sign-in; besides, what a browser says about the sender's site must be ours.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final
from urllib.parse import urlsplit

from flask import Response, g, request

from services.shared.errors import NotAllowed

FIELD: Final = "jeton"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_YEAR: Final = 365 * 24 * 3600


class FormExpired(NotAllowed):
    """The form does not carry this browser's token: cookies are refused, or it was opened long ago."""


class SentFromElsewhere(NotAllowed):
    """Another site made the browser send this."""


class Forms:
    """Tokens of forms."""

    def __init__(self, key: bytes, *, secure: bool) -> None:
        self._key = hmac.digest(key, b"parvis/gateway/forms/v1", "sha256")
        self._secure = secure
        self.cookie = "__Host-formulaire" if secure else "formulaire"

    def token(self) -> str:
        """The token for a form of this page; the page's answer will set the cookie if the browser has none."""
        g.form_token_given = True
        secret = self._secret()
        if secret is None:
            secret = g.form_secret = secrets.token_urlsafe(24)
        return self._mac(secret)

    def given(self) -> bool:
        """Whether the answer to this request holds a token."""
        return "form_token_given" in g

    def holds(self) -> bool:
        """Whether the form that is being posted was made for this browser."""
        secret = self._secret()
        return secret is not None and hmac.compare_digest(
            request.form.get(FIELD, "").encode("utf-8", "replace"), self._mac(secret).encode()
        )

    def check(self) -> None:
        """Raises FormExpired."""
        if not self.holds():
            raise FormExpired(field=FIELD)

    def remember(self, response: Response) -> None:
        if "form_secret" in g:
            response.set_cookie(
                self.cookie, g.form_secret, path="/", secure=self._secure, httponly=True, samesite="Lax"
            )

    def _secret(self) -> str | None:
        made: str | None = g.get("form_secret")
        return made or request.cookies.get(self.cookie) or None

    def _mac(self, secret: str) -> str:
        return hmac.digest(self._key, secret.encode("utf-8", "replace"), "sha256").hex()[:40]


def check_sender() -> None:
    """Raises SentFromElsewhere when the browser says that another site's page sent this unsafe request."""
    if request.method in _SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None and site not in ("same-origin", "none"):
        raise SentFromElsewhere
    if site is None and origin is not None and urlsplit(origin).netloc != request.host:
        raise SentFromElsewhere


def harden(response: Response, *, secure: bool) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR}; includeSubDomains")
    response.headers.setdefault("Cache-Control", "no-cache" if request.method in _SAFE else "no-store")
    return response
