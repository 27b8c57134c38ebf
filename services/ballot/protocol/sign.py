"""Ed25519 by PyNaCl (libsodium), the same on every side.

Verification is the strict, cofactorless one: S below the group order, A and R canonical, neither of small order. The
first two checks are also made here, because a small-order key has one signature that fits every message, and a
signature with S + L is a second valid encoding of the same one: an auditor should see which of both it was.
"""

from __future__ import annotations

from typing import Final

from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

from services.shared.errors import BadInput

KEY_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64
_FIELD: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_SIGN_BIT: Final = 1 << 255


class WrongSignature(BadInput):
    reason = "the signature does not fit"


class SmallOrderKey(BadInput):
    reason = "the key has a small order: one signature would fit any message"


class NonCanonicalKey(BadInput):
    reason = "the key is not the one encoding of its point"


class NonCanonicalSignature(BadInput):
    reason = "the signature's S is not below the group order"


def _small_order_points() -> frozenset[int]:
    """The y coordinates of the eight points whose order divides 8 (x's sign does not matter here).

    y is 1, -1 or 0 for orders 1, 2 and 4. For order 8, doubling gives y = 0, that is x² = -y², and the curve equation
    -x² + y² = 1 + d·x²·y² becomes d·y⁴ + 2·y² - 1 = 0.
    """
    p = _FIELD
    d = -121665 * pow(121666, -1, p) % p
    root = _square_root((1 + d) % p)
    ys = {1, p - 1, 0}
    for sign in (1, -1):
        square = (-1 + sign * root) * pow(d, -1, p) % p
        if pow(square, (p - 1) // 2, p) == 1:
            y = _square_root(square)
            ys |= {y, p - y}
    return frozenset(ys)


def _square_root(a: int) -> int:
    """A root of the square `a` modulo 2^255 - 19 (which is 5 modulo 8)."""
    p = _FIELD
    root = pow(a, (p + 3) // 8, p)
    return root if root * root % p == a else root * pow(2, (p - 1) // 4, p) % p


_SMALL_ORDER: Final = _small_order_points()


def check_key(key: bytes, field: str) -> None:
    """Refuses a public key that is of small order, or not the one encoding of its point. Length must be 32."""
    y = int.from_bytes(key, "little") & (_SIGN_BIT - 1)
    if y % _FIELD in _SMALL_ORDER:
        raise SmallOrderKey(field=field)
    if y >= _FIELD:
        raise NonCanonicalKey(field=field)


def verify(key: bytes, message: bytes, signature: bytes, field: str) -> None:
    """Returns if `signature` by `key` stands for `message`; else a refusal that names `field`."""
    if int.from_bytes(signature[32:], "little") >= _ORDER:
        raise NonCanonicalSignature(field=field)
    try:
        crypto_sign_open(signature + message, key)
    except BadSignatureError:
        raise WrongSignature(field=field) from None


def sign(key: SigningKey, message: bytes) -> bytes:
    """The 64 bytes of the signature alone; deterministic (RFC 8032)."""
    return key.sign(message).signature


def public_key(key: SigningKey) -> bytes:
    return bytes(key.verify_key)
