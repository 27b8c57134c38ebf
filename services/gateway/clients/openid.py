"""A provider of identities by OpenID Connect: where to send people, and whom it says they are.

Authlib makes the addresses and the token request. Its `userinfo()` cannot read a signed answer, so that is fetched
here and verified in `openid_tokens`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client
from joserfc.jwk import KeySet

from services.gateway.clients import openid_tokens
from services.gateway.clients.http import ServiceUnavailable
from services.gateway.clients.openid_tokens import Expected, KeyUnknown, TokenRefused
from services.gateway.settings import ProviderSettings, secure_url
from services.gateway.turns import given_away
from services.shared import strict
from services.shared.errors import NotAllowed, Refusal
from services.shared.trust import certificates

T = TypeVar("T")
_DEADLINE_SECONDS: Final = 5
_REMEMBERED_SECONDS: Final = 3600
_KEYS_AGAIN_SECONDS: Final = 30  # an answer under an unknown key makes us look again, but not at every one
_MAX_ANSWER: Final = 256 * 1024
_WELL_KNOWN: Final = "/.well-known/openid-configuration"


class ProviderUnavailable(ServiceUnavailable):
    """The provider did not answer, or not as OpenID Connect says."""


class CodeRefused(NotAllowed):
    reason = "the provider does not take the code that came with the browser"


class Metadata(msgspec.Struct, frozen=True):
    """What is used of a discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    end_session_endpoint: str = ""
    code_challenge_methods_supported: tuple[str, ...] = ()
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Vouched(msgspec.Struct, frozen=True):
    """Whom the provider vouches for. Personal fields: for identity, and nothing else."""

    issuer: str
    sub: str
    given_name: str
    family_name: str
    birth_date: str
    id_token: str


class Provider:
    """One provider. Safe to share between threads; nothing is fetched before the first sign-in."""

    def __init__(
        self,
        settings: ProviderSettings,
        secret: str,
        *,
        clock: Callable[[], float] = time.time,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = settings.name
        self.label = settings.label
        self.tells_birth_date = "birthdate" in settings.scopes.split()
        self._settings = settings
        self._secret = secret
        self._clock = clock
        self._http = httpx.Client(
            verify=certificates(),
            timeout=_DEADLINE_SECONDS,
            transport=transport,
            trust_env=False,
            follow_redirects=False,
        )
        self._lock = threading.Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def address(self, back: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes to sign in; `back` is where it returns. Raises ProviderUnavailable."""
        found = self.metadata()
        pkce = "S256" in found.code_challenge_methods_supported
        client = self._client(found, back, "S256" if pkce else None)
        address: str = client.create_authorization_url(
            found.authorization_endpoint,
            state=state,
            nonce=nonce,
            acr_values=self._settings.level,
            code_verifier=verifier if pkce else None,
        )[0]
        return address

    @given_away()
    def vouched(self, code: str, back: str, nonce: str, verifier: str) -> Vouched:
        """Whom the code stands for. Raises ProviderUnavailable, CodeRefused, TokenRefused or LevelTooLow."""
        found = self.metadata()
        token = self._token(found, code, back, verifier)
        expected = Expected(found.issuer, self._settings.client_id, self._settings.level, self._clock)
        signed, access = token["id_token"], token["access_token"]
        claims = self._verified(lambda keys: openid_tokens.id_token(signed, keys, expected, nonce, access))
        answer = self._get(found.userinfo_endpoint, {"Authorization": f"Bearer {access}", "Accept": "application/jwt"})
        person = self._verified(lambda keys: openid_tokens.user_info(answer.text, keys, expected, claims["sub"]))
        return Vouched(
            issuer=found.issuer,
            sub=claims["sub"],
            given_name=_text(person, "given_name"),
            family_name=_text(person, "family_name") or _text(person, "usual_name"),
            birth_date=_text(person, "birthdate"),
            id_token=signed,
        )

    def end_address(self, id_token: str, back: str, state: str) -> str | None:
        """Where the browser signs out there too; None: the provider offers none. Raises ProviderUnavailable."""
        end = self.metadata().end_session_endpoint
        told = {"id_token_hint": id_token, "post_logout_redirect_uri": back, "state": state}
        return f"{end}{'&' if '?' in end else '?'}{urlencode(told)}" if end else None

    @given_away()
    def metadata(self) -> Metadata:
        with self._lock:
            if self._metadata and self._metadata[0] > self._clock():
                return self._metadata[1]
            found = _read(self._get(self._settings.discovery), Metadata)
            if found.issuer.rstrip("/") + _WELL_KNOWN != self._settings.discovery:
                raise ProviderUnavailable(f"{self.name} calls itself by another name")
            for address in (
                found.authorization_endpoint,
                found.token_endpoint,
                found.userinfo_endpoint,
                found.jwks_uri,
            ):
                _check_safe(address, self.name)
            _check_safe(found.end_session_endpoint, self.name)
            self._metadata = (self._clock() + _REMEMBERED_SECONDS, found)
            return found

    def _verified(self, verify: Callable[[KeySet], T]) -> T:
        """By the keys that are remembered; by new ones when the provider has changed them."""
        try:
            return verify(self._signing_keys(_REMEMBERED_SECONDS))
        except KeyUnknown:
            return verify(self._signing_keys(_KEYS_AGAIN_SECONDS))

    def _signing_keys(self, not_older: float) -> KeySet:
        uri = self.metadata().jwks_uri
        with self._lock:
            if self._keys is None or self._keys[0] + not_older <= self._clock():
                self._keys = (self._clock(), openid_tokens.key_set(_read(self._get(uri), dict[str, Any])))
            return self._keys[1]

    def _client(self, found: Metadata, back: str, pkce: str | None = None) -> Any:
        return OAuth2Client(
            self._http,
            client_id=self._settings.client_id,
            scope=self._settings.scopes,
            redirect_uri=back,
            code_challenge_method=pkce,
            token_endpoint=found.token_endpoint,
        )

    def _token(self, found: Metadata, code: str, back: str, verifier: str) -> dict[str, str]:
        told: dict[str, str] = {"code": code, "redirect_uri": back}
        if "S256" in found.code_challenge_methods_supported:
            told["code_verifier"] = verifier
        auth = httpx.Auth()  # none: id and secret stand in the body
        if "client_secret_post" in found.token_endpoint_auth_methods_supported:
            told |= {"client_id": self._settings.client_id, "client_secret": self._secret}
        else:
            auth = httpx.BasicAuth(quote(self._settings.client_id, safe=""), quote(self._secret, safe=""))
        client = self._client(found, back)
        client.register_compliance_hook("access_token_response", _taken)
        try:
            token = client.fetch_token(grant_type="authorization_code", auth=auth, **told)
        except AuthlibBaseError:
            raise CodeRefused from None
        except (httpx.HTTPError, ValueError):
            raise ProviderUnavailable(f"{self.name} gave no token") from None
        if not isinstance(token.get("id_token"), str) or not isinstance(token.get("access_token"), str):
            raise TokenRefused("the answer holds no ID token")
        return dict(token)

    def _get(self, address: str, headers: dict[str, str] | None = None) -> httpx.Response:
        try:
            answer = self._http.get(address, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise ProviderUnavailable(f"{self.name} did not answer") from None
        if answer.status_code != 200 or len(answer.content) > _MAX_ANSWER:
            raise ProviderUnavailable(f"{self.name} answered {answer.status_code}")
        return answer


def _taken(answer: httpx.Response) -> httpx.Response:
    """Authlib looks for tokens in a refusal too. Raises CodeRefused."""
    if 400 <= answer.status_code < 500:
        raise CodeRefused
    return answer


def _read(answer: httpx.Response, shape: type[T]) -> T:
    try:
        return msgspec.convert(strict.parse(answer.content, limit=_MAX_ANSWER), shape)
    except (msgspec.ValidationError, Refusal):
        raise ProviderUnavailable("the provider answered in another shape") from None


def _check_safe(address: str, name: str) -> None:
    try:
        secure_url(address)
    except ValueError:
        raise ProviderUnavailable(f"{name} names an address that is not HTTPS") from None


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.strip()[:200] if isinstance(value, str) else ""
