"""Sealing of what a person typed, under a key that identity derives for that person and erasure destroys."""

from __future__ import annotations

from typing import Any

from nacl.exceptions import CryptoError
from nacl.secret import Aead

from services.shared.strict import canonical, parse

KEY_BYTES = Aead.KEY_SIZE


class CannotOpen(Exception):
    """Sealed under another key, or altered."""


def seal(key: bytes, about: str, value: Any) -> bytes:
    """XChaCha20-Poly1305. `about` is authenticated with it: the row of one thing cannot pass for another's."""
    return bytes(Aead(key).encrypt(canonical(value), about.encode()))


def opened(key: bytes, about: str, sealed: bytes) -> Any:
    """Raises CannotOpen."""
    try:
        return parse(Aead(key).decrypt(sealed, about.encode()), limit=len(sealed))
    except CryptoError:
        raise CannotOpen from None
