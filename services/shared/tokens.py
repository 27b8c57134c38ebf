"""Tokens that services are shown: who is calling, with which roles, for whom it is meant, for a minute at most.

A JWT signed by Ed25519 (RFC 9864 names the algorithm after its curve). The gateway speaks for people. A service may
have a key of its own, by which it speaks for itself alone: whatever its token says, the caller is that service and its
one role is the service's name. All hold public halves alone, so no service can speak in a person's name to another.
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from services.shared import keys
from services.shared.errors import NotSignedIn

LIFETIME_SECONDS: Final = 60
_LEEWAY_SECONDS: Final = 5  # two hosts' clocks; both keep time by NTP
GATEWAY: Final = "gateway"
_SAME_SECONDS: Final = 10
_KEPT: Final = 256  # tokens that may be asked for again
_ALGORITHM: Final = "Ed25519"
_MAX_LENGTH: Final = 4096


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a token speaks for. `subject` is an opaque id, never a name."""

    subject: str
    roles: frozenset[str]


class TokenSigner:
    """The half of the gateway, or of the service `issuer` that speaks for itself."""

    def __init__(self, key_path: Path, *, issuer: str = GATEWAY, clock: Callable[[], float] = time.time) -> None:
        """Raises keys.KeyRefused."""
        signing = keys.load_signing_key(key_path)
        self._key = _okp({"d": bytes(signing), "x": bytes(signing.verify_key)})
        self._issuer = issuer
        self._clock = clock
        self._signed = lru_cache(_KEPT)(self._sign)

    def token(self, subject: str, roles: Iterable[str], audience: str) -> str:
        """Good for 50 seconds at least: who asks again within some seconds gets the same, since signing takes a tenth
        of what a page costs."""
        now = int(self._clock())
        return self._signed(subject, frozenset(roles), audience, now - now % _SAME_SECONDS)

    def _sign(self, subject: str, roles: frozenset[str], audience: str, now: int) -> str:
        claims = {
            "iss": self._issuer,
            "sub": subject,
            "aud": audience,
            "roles": sorted(roles),
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
        }
        return jwt.encode({"alg": _ALGORITHM, "kid": self._issuer}, claims, self._key, algorithms=[_ALGORITHM])

    def own(self, audience: str) -> str:
        """A token in which the issuer speaks for itself: no person has a role of that name."""
        return self.token(self._issuer, [self._issuer], audience)


class TokenVerifier:
    """A service's half: accepts what was signed for this very service, in its 60 seconds, by the gateway or by one of
    the `services` that it trusts (name → public key file)."""

    def __init__(
        self,
        pub_path: Path,
        audience: str,
        *,
        services: Mapping[str, Path] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises keys.KeyRefused."""
        paths = {**(services or {}), GATEWAY: pub_path}
        self._keys = {issuer: _okp({"x": bytes(keys.load_verify_key(path))}) for issuer, path in paths.items()}
        self._rules = {issuer: _rules(issuer, audience, clock) for issuer in paths}
        self._signed = lru_cache(_KEPT)(self._read)  # a signature that was right stays right

    def caller(self, token: str) -> Caller:
        """Raises NotSignedIn, whatever is wrong; the reason says which rule, never what the token held."""
        if len(token) > _MAX_LENGTH:
            raise NotSignedIn("the token is too long", field="Authorization")
        try:
            issuer, claims = self._signed(token)
            self._rules[issuer].validate(claims)
        except (JoseError, ValueError, KeyError) as e:
            raise NotSignedIn(f"the token is refused: {type(e).__name__}", field="Authorization") from None
        if issuer != GATEWAY:
            return Caller(issuer, frozenset([issuer]))
        subject, roles = claims["sub"], claims.get("roles")
        if not isinstance(subject, str) or not isinstance(roles, list) or not all(isinstance(r, str) for r in roles):
            raise NotSignedIn("the token names no subject or no roles", field="Authorization")
        return Caller(subject, frozenset(roles))

    def _read(self, token: str) -> tuple[str, dict[str, Any]]:
        """Who signed it, and what it says, which may have run out."""
        read = jwt.decode(token, self._key_of, algorithms=[_ALGORITHM])
        return str(read.header.get("kid", GATEWAY)), read.claims

    def _key_of(self, token: Any) -> OKPKey:
        """By the name of who says to have signed it; without a name, the gateway."""
        return self._keys[str(token.headers().get("kid", GATEWAY))]


def _rules(issuer: str, audience: str, clock: Callable[[], float]) -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        now=lambda: int(clock()),
        leeway=_LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        sub={"essential": True},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        iat={"essential": True},
    )


def _okp(parts: dict[str, bytes]) -> OKPKey:
    encoded = {name: urlsafe_b64encode(value).rstrip(b"=").decode() for name, value in parts.items()}
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", **encoded})
