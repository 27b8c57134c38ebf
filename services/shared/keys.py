"""Key files: 32 random bytes as one line of hex, mode 0600, in folders of mode 0700.

A key is never an environment variable, never part of an export, and never overwritten: losing an issuer's or a log's
key by starting twice would end a poll.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey, VerifyKey

_HEX: Final = re.compile(r"[0-9a-f]{64}\n?")


class KeyRefused(Exception):
    """The key file cannot be used. The sentence names it and says what would do."""


class KeyExists(KeyRefused):
    """There is a key already, and it stays."""


def make_key(path: Path) -> None:
    """Writes a new key, whole or not at all. Raises KeyExists when there is one."""
    _publish(path, secrets.token_hex(32) + "\n", 0o600)


def make_key_pair(path: Path, public: Path) -> None:
    """A signing key, and beside it the public half for those who verify. Raises KeyExists."""
    make_key(path)
    write_public(public, load_signing_key(path).verify_key)


def write_public(path: Path, key: VerifyKey) -> None:
    _publish(path, bytes(key).hex() + "\n", 0o644)


def load_signing_key(path: Path) -> SigningKey:
    return SigningKey(load_secret(path))


def load_verify_key(path: Path) -> VerifyKey:
    return VerifyKey(_read(path))


def load_secret(path: Path) -> bytes:
    """The 32 bytes of a secret. Raises KeyRefused unless its owner alone can read the file."""
    _refuse_open(path, "make the keys first (`make keys`)")
    return _read(path)


def load_password(path: Path) -> str:
    """The one line of a secret that another party gave us. Raises KeyRefused unless its owner alone can read it."""
    _refuse_open(path, "write there, alone on a line, the secret that was given to you")
    try:
        lines = path.read_text("utf-8").split()
    except (OSError, UnicodeDecodeError):
        lines = []
    if len(lines) != 1:
        raise KeyRefused(f"{path} does not hold one line without spaces: write there the secret that was given to you")
    return lines[0]


def _refuse_open(path: Path, missing: str) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        raise KeyRefused(f"{path} is missing: {missing}") from None
    if mode & 0o077:
        raise KeyRefused(f"{path} can be read by others (mode {mode:04o}): chmod 600 it, and think of replacing it")


def _read(path: Path) -> bytes:
    try:
        text = path.read_text("ascii")
    except FileNotFoundError:
        raise KeyRefused(f"{path} is missing: make the keys first (`make keys`)") from None
    except UnicodeDecodeError:
        text = ""
    if not _HEX.fullmatch(text):
        raise KeyRefused(f"{path} does not hold 64 hex digits: bring it back from the keys' own backup")
    return bytes.fromhex(text)


def _publish(path: Path, text: str, mode: int) -> None:
    """A crash leaves no half-written key: the bytes are on disk under another name before they get theirs."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        raise KeyExists(f"{path} is there already and stays as it is") from None
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
