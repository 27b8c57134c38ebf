"""The cookie that holds a voter's seed, one a poll: encrypted, of constant length, opened for its person alone.

It remembers a few seeds, each under a keyed hash of its subject: another person on the same browser gets a fresh one,
and the first finds theirs again. Nothing of it is kept on the server.
"""

from __future__ import annotations

import hmac
from typing import Final

from nacl.encoding import URLSafeBase64Encoder
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from services.gateway.voting import SEED_BYTES

_PEOPLE: Final = 4
_TAG_BYTES: Final = 16
_ENTRY: Final = _TAG_BYTES + SEED_BYTES


class SeedCookie:
    """Reads and writes the cookie's value for one poll."""

    def __init__(self, key: bytes, poll: str) -> None:
        self._box = SecretBox(hmac.digest(key, b"parvis/gateway/seed/v1\n" + poll.encode(), "sha256"))
        self._tag_key = hmac.digest(key, b"parvis/gateway/subject/v1\n" + poll.encode(), "sha256")

    def find(self, value: str | None, subject: str) -> bytes | None:
        """The seed of this person, None when the cookie is missing, damaged, or another's."""
        tag = self._tag(subject)
        for entry in self._entries(value):
            if hmac.compare_digest(entry[:_TAG_BYTES], tag):
                return entry[_TAG_BYTES:]
        return None

    def put(self, value: str | None, subject: str, seed: bytes) -> str:
        """The cookie's next value, in which this person has this seed; the oldest of too many is dropped."""
        tag = self._tag(subject)
        others = [e for e in self._entries(value) if not hmac.compare_digest(e[:_TAG_BYTES], tag)]
        kept = [tag + seed, *others][:_PEOPLE]
        plain = bytes([len(kept)]) + b"".join(kept).ljust(_PEOPLE * _ENTRY, b"\0")
        return self._box.encrypt(plain, encoder=URLSafeBase64Encoder).decode().rstrip("=")

    def _entries(self, value: str | None) -> list[bytes]:
        if not value or len(value) > 1000:
            return []
        try:
            padded = value.encode("ascii") + b"=" * (-len(value) % 4)
            plain = self._box.decrypt(padded, encoder=URLSafeBase64Encoder)
        except (CryptoError, ValueError):
            return []
        return [plain[1 + i * _ENTRY : 1 + (i + 1) * _ENTRY] for i in range(min(plain[0], _PEOPLE))]

    def _tag(self, subject: str) -> bytes:
        return hmac.digest(self._tag_key, subject.encode(), "sha256")[:_TAG_BYTES]
