"""The key files of identity: KEYS/identity/code.key, and an issuer key and a roll key a poll."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from uuid import UUID

from services.shared import keys


class PollKeyFiles:
    def __init__(self, folder: Path) -> None:
        """`folder`: KEYS/identity."""
        self._folder = folder
        self._signing = lru_cache(maxsize=64)(keys.load_signing_key)
        self._secret = lru_cache(maxsize=64)(keys.load_secret)

    def make(self, poll: str) -> None:
        for path in (self._path("issuer", poll), self._path("roll", poll)):
            try:
                keys.make_key(path)
            except keys.KeyExists:
                continue

    def exist(self, poll: str) -> bool:
        return self._path("roll", poll).exists()

    def issuer_key(self, poll: str) -> str:
        return bytes(self._signing(self._path("issuer", poll)).verify_key).hex()

    def sign(self, poll: str, message: bytes) -> str:
        return self._signing(self._path("issuer", poll)).sign(message).signature.hex()

    def roll_key(self, poll: str) -> bytes:
        return self._secret(self._path("roll", poll))

    def _path(self, kind: str, poll: str) -> Path:
        return self._folder / f"{kind}-{UUID(poll)}.key"


def code_key_path(folder: Path) -> Path:
    return folder / "code.key"
