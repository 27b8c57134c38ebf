"""Tokens that the gateway sends to services: who is calling, with which roles, to whom, for 60 seconds.

A JWT signed by Ed25519 (RFC 9864 names the algorithm after its curve). Services hold the public half alone, so none
of them can speak in a person's name to another.
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from services.shared import keys
from services.shared.errors import NotSignedIn

LIFETIME_SECONDS: Final = 60
_LEEWAY_SECONDS: Final = 5  # two hosts' clocks; both keep time by NTP
_ISSUER: Final = "gateway"
_ALGORITHM: Final = "Ed25519"
_MAX_LENGTH: Final = 4096


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a token speaks for. `subject` is an opaque id, never a name."""

    subject: str
    roles: frozenset[str]


class TokenSigner:
    """The gateway's half."""

    def __init__(self, key_path: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Raises keys.KeyRefused."""
        signing = keys.load_signing_key(key_path)
        self._key = _okp({"d": bytes(signing), "x": bytes(signing.verify_key)})
        self._clock = clock

    def token(self, subject: str, roles: Iterable[str], audience: str) -> str:
        now = int(self._clock())
        claims = {
            "iss": _ISSUER,
            "sub": subject,
            "aud": audience,
            "roles": sorted(roles),
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
        }
        return jwt.encode({"alg": _ALGORITHM}, claims, self._key, algorithms=[_ALGORITHM])


class TokenVerifier:
    """A service's half: accepts what the gateway signed for this very service, in its 60 seconds."""

    def __init__(self, pub_path: Path, audience: str, *, clock: Callable[[], float] = time.time) -> None:
        """Raises keys.KeyRefused."""
        self._key = _okp({"x": bytes(keys.load_verify_key(pub_path))})
        self._rules = jwt.JWTClaimsRegistry(
            now=lambda: int(clock()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": _ISSUER},
            sub={"essential": True},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            iat={"essential": True},
        )

    def caller(self, token: str) -> Caller:
        """Raises NotSignedIn, whatever is wrong; the reason says which rule, never what the token held."""
        if len(token) > _MAX_LENGTH:
            raise NotSignedIn("the token is too long", field="Authorization")
        try:
            claims = jwt.decode(token, self._key, algorithms=[_ALGORITHM]).claims
            self._rules.validate(claims)
        except (JoseError, ValueError) as e:
            raise NotSignedIn(f"the token is refused: {type(e).__name__}", field="Authorization") from None
        subject, roles = claims["sub"], claims.get("roles")
        if not isinstance(subject, str) or not isinstance(roles, list) or not all(isinstance(r, str) for r in roles):
            raise NotSignedIn("the token names no subject or no roles", field="Authorization")
        return Caller(subject, frozenset(roles))


def _okp(parts: dict[str, bytes]) -> OKPKey:
    encoded = {name: urlsafe_b64encode(value).rstrip(b"=").decode() for name, value in parts.items()}
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", **encoded})
