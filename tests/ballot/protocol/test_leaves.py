"""The leaves around the ballots: their bytes, fixed for ever, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from services.ballot.protocol import leaves
from services.ballot.protocol.leaves import EpochSealed, StationClosed, StationOpened
from services.shared import strict
from services.shared.errors import BadInput
from tests.ballot.builder import POLL, make_manifest

MANIFEST = make_manifest()
OPENED = StationOpened(POLL, "bureau-1", b"\xab" * 32)
SEALED = EpochSealed(POLL, "bureau-1", 2, 40, 21)
CLOSED = StationClosed(POLL, "bureau-1", 62, 60, 1)
BYTES = {
    OPENED: b'{"manifest_hash":"' + b"ab" * 32 + b'","poll":"' + POLL.encode()
    + b'","station":"bureau-1","type":"StationOpened","version":1}',
    SEALED: b'{"count":21,"epoch":2,"first":40,"poll":"' + POLL.encode()
    + b'","station":"bureau-1","type":"EpochSealed","version":1}',
    CLOSED: b'{"issued":60,"paper":0,"poll":"' + POLL.encode()
    + b'","reissued":1,"size":62,"station":"bureau-1","type":"StationClosed","version":1}',
}  # fmt: skip


@pytest.mark.parametrize("leaf", BYTES)
def test_a_leaf_has_these_bytes_and_survives_them(leaf: Any) -> None:
    assert leaf.encode() == BYTES[leaf]
    assert leaves.parse(BYTES[leaf], MANIFEST, "bureau-1") == leaf


def with_(leaf: Any, **changes: Any) -> bytes:
    return strict.canonical(strict.parse(leaf.encode()) | changes)


@pytest.mark.parametrize(
    "data, code, field",
    [
        (b"", "MalformedJson", "body"),
        (b"[]", "UnknownLeaf", "type"),
        (b'{"type":{}}', "UnknownLeaf", "type"),
        (with_(OPENED, type="PollClosed"), "UnknownLeaf", "type"),
        (with_(OPENED, type="BallotCast"), "WrongShape", None),
        (with_(OPENED, version=2), "WrongShape", "version"),
        (with_(OPENED, poll="0192f0c1-7a33-7c1e-9d7a-ffffffffffff"), "WrongPlace", "poll"),
        (with_(OPENED, station="bureau-2"), "WrongPlace", "station"),
        (with_(OPENED, manifest_hash="ab"), "WrongShape", "manifest_hash"),
        (with_(OPENED, trace="x"), "WrongShape", "trace"),
        (with_(SEALED, epoch=0), "WrongShape", "epoch"),
        (with_(SEALED, first=0), "WrongShape", "first"),
        (with_(SEALED, count=0), "WrongShape", "count"),
        (with_(SEALED, count=True), "WrongShape", "count"),
        (with_(SEALED, at="2026-11-23T10:00:00Z"), "WrongShape", "at"),
        (with_(CLOSED, size=0), "WrongShape", "size"),
        (with_(CLOSED, issued=-1), "WrongShape", "issued"),
        (with_(CLOSED, reissued=2**53), "MalformedJson", "body"),
        (with_(CLOSED, paper=1), "WrongShape", "paper"),
        (CLOSED.encode() + b" ", "NotCanonical", "leaf"),
        (b"{" + b" " * 17000 + b"}", "TooLarge", "body"),
    ],
)
def test_a_wrong_leaf_is_refused_by_name(data: bytes, code: str, field: str | None) -> None:
    with pytest.raises(BadInput if code != "TooLarge" else Exception) as refused:
        leaves.parse(data, MANIFEST, "bureau-1")
    assert type(refused.value).__name__ == code
    if field:
        assert getattr(refused.value, "field", None) == field
