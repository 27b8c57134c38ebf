"""What a browser keeps for us on its way through a provider: sealed with the cookie key, good for ten minutes.

So a sign-in that is never finished leaves no row here, and the answer to one browser's request is of no use to another.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec
from flask import Response, request
from nacl.encoding import URLSafeBase64Encoder
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

T = TypeVar("T")
GOOD_SECONDS: Final = 600
_MAX_LENGTH: Final = 3000


class _Sealed(msgspec.Struct, frozen=True):
    until: int
    held: msgspec.Raw


class SealedCookie:
    """One kind of cookie: its name, and what it may hold."""

    def __init__(self, key: bytes, name: str, *, secure: bool, clock: Callable[[], float] = time.time) -> None:
        self.name = f"__Host-{name}" if secure else name
        self._box = SecretBox(hmac.digest(key, b"parvis/gateway/sealed/v1\n" + name.encode(), "sha256"))
        self._secure = secure
        self._clock = clock

    def put(self, response: Response, held: msgspec.Struct) -> None:
        sealed = _Sealed(int(self._clock()) + GOOD_SECONDS, msgspec.Raw(msgspec.json.encode(held)))
        value = self._box.encrypt(msgspec.json.encode(sealed), encoder=URLSafeBase64Encoder).decode()
        response.set_cookie(
            self.name, value, max_age=GOOD_SECONDS, path="/", secure=self._secure, httponly=True, samesite="Lax"
        )

    def read(self, shape: type[T]) -> T | None:
        """What the browser brought; None when that is missing, damaged, too old, or not ours."""
        value = request.cookies.get(self.name, "")
        if not value or len(value) > _MAX_LENGTH:
            return None
        try:
            plain = self._box.decrypt(value.encode("ascii"), encoder=URLSafeBase64Encoder)
            sealed = msgspec.json.decode(plain, type=_Sealed)
            return msgspec.json.decode(sealed.held, type=shape) if sealed.until > self._clock() else None
        except (CryptoError, ValueError):
            return None

    def drop(self, response: Response) -> None:
        response.delete_cookie(self.name, path="/", secure=self._secure, httponly=True, samesite="Lax")
