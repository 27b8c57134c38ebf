"""What a provider signed, verified: ID tokens and user information, by ES256 or RS256 and its published keys alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from services.gateway.settings import LEVELS
from services.shared.errors import NotAllowed

ALGORITHMS: Final = ("ES256", "RS256")
_LEEWAY_SECONDS: Final = 30
_MAX_LENGTH: Final = 32 * 1024


class TokenRefused(NotAllowed):
    """What came was not signed by the provider, for us, for this sign-in. The reason says which rule, never a value."""


class KeyUnknown(TokenRefused):
    reason = "signed by a key that the provider does not publish"


class LevelTooLow(NotAllowed):
    reason = "the provider vouches for less than what was asked"


@dataclass(frozen=True, slots=True)
class Expected:
    """Who must have signed, for whom."""

    issuer: str
    client_id: str
    level: str
    clock: Callable[[], float] = time.time


def key_set(document: Any) -> KeySet:
    """The published keys that can sign here. Raises TokenRefused when there is none."""
    listed = document.get("keys") if isinstance(document, dict) else None
    kinds: dict[Any, Any] = {"EC": ECKey, "RSA": RSAKey}
    keys: list[Any] = []
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict) and entry.get("kty") in kinds and entry.get("use", "sig") == "sig":
            try:
                keys.append(kinds[entry["kty"]].import_key(entry))
            except (JoseError, ValueError, TypeError, KeyError):
                continue  # a key that nobody can use signs nothing
    if not keys:
        raise TokenRefused("the provider publishes no key that can be used")
    return KeySet(keys)


def id_token(text: str, keys: KeySet, expected: Expected, nonce: str, access_token: str) -> dict[str, Any]:
    """Claims of an ID token. Raises TokenRefused, or LevelTooLow when `acr` is unknown or lower than asked."""
    token = _decoded(text, keys)
    options = {
        "iss": {"essential": True, "value": expected.issuer},
        "sub": {"essential": True},
        "aud": {"essential": True, "value": expected.client_id},
        "exp": {"essential": True},
    }
    params = {"nonce": nonce, "client_id": expected.client_id, "access_token": access_token}
    try:
        claims = CodeIDToken(token.claims, token.header, options, params)
        claims.validate(now=int(expected.clock()), leeway=_LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError) as e:
        raise TokenRefused(f"the ID token is refused: {_rule(e)}") from None
    if not isinstance(token.claims["sub"], str) or token.claims["aud"] not in (
        expected.client_id,
        [expected.client_id],
    ):
        raise TokenRefused("the ID token is refused: sub or aud")
    _check_level(token.claims, expected.level)
    return dict(token.claims)


def user_info(text: str, keys: KeySet, expected: Expected, subject: str) -> dict[str, Any]:
    """Claims of signed user information about the ID token's subject. Raises TokenRefused."""
    token = _decoded(text, keys)
    rules = jwt.JWTClaimsRegistry(
        now=lambda: int(expected.clock()),
        leeway=_LEEWAY_SECONDS,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.client_id},
        sub={"essential": True, "value": subject},
    )
    try:
        rules.validate(token.claims)
    except (JoseError, ValueError, TypeError) as e:
        raise TokenRefused(f"the user information is refused: {_rule(e)}") from None
    return token.claims


def _decoded(text: str, keys: KeySet) -> jwt.Token:
    if len(text) > _MAX_LENGTH:
        raise TokenRefused("the token is too long")
    try:
        return jwt.decode(text, keys, algorithms=ALGORITHMS)
    except InvalidKeyIdError:
        raise KeyUnknown from None
    except (JoseError, ValueError, TypeError) as e:
        raise TokenRefused(f"the token is refused: {type(e).__name__}") from None


def _check_level(claims: Mapping[str, Any], asked: str) -> None:
    acr = claims.get("acr")
    vouched = LEVELS.get(acr) if isinstance(acr, str) else None
    level, factors = LEVELS[asked]
    if vouched is None or vouched[0] < level or (factors and not vouched[1]):
        raise LevelTooLow


def _rule(error: Exception) -> str:
    """The claim that is wrong, which the libraries name; never what it held."""
    return str(getattr(error, "claim", None) or type(error).__name__)
