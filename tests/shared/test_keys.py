"""Key files: whole, private, never overwritten."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.shared import keys


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "identity" / "code.key"
    keys.make_key(path)
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert len(keys.load_secret(path)) == 32


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    keys.make_key(path)
    before = path.read_bytes()
    with pytest.raises(keys.KeyExists):
        keys.make_key(path)
    assert path.read_bytes() == before


def test_of_16_that_make_the_same_key_at_once_one_succeeds_and_no_draft_is_left(tmp_path: Path) -> None:
    path = tmp_path / "log.key"

    def make(_: int) -> bool:
        try:
            keys.make_key(path)
        except keys.KeyExists:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(make, range(16))) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["log.key"]


def test_a_key_that_others_can_read_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    keys.make_key(path)
    path.chmod(0o640)
    with pytest.raises(keys.KeyRefused, match="can be read by others"):
        keys.load_signing_key(path)


@pytest.mark.parametrize("content", [b"", b"abc", b"g" * 64, b"A" * 64, b"a" * 63, b"a" * 128, b"\xff" * 64])
def test_a_damaged_key_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(keys.KeyRefused, match="64 hex digits"):
        keys.load_secret(path)


def test_a_missing_key_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(keys.KeyRefused, match="make keys"):
        keys.load_secret(tmp_path / "log.key")


def test_the_public_half_verifies_what_the_key_signs(tmp_path: Path) -> None:
    keys.make_key_pair(tmp_path / "token.key", tmp_path / "token.pub")
    signed = keys.load_signing_key(tmp_path / "token.key").sign(b"message")
    assert keys.load_verify_key(tmp_path / "token.pub").verify(signed) == b"message"
