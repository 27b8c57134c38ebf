"""The promise: what the cast door signs once a ballot is on disk. A ballot always gets the same bytes.

It holds nothing of the moment of arrival; `log_by` is one constant of the poll. A promise whose leaf is missing from
the log proves that the log's operator dropped a ballot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from nacl.signing import SigningKey

from services.ballot.protocol import sign
from services.ballot.protocol.fields import Fields, WrongShape
from services.ballot.protocol.manifest import Manifest
from services.shared import strict

MAX_PROMISE: Final = 4096
_CONTEXT: Final = b"parvis/promise/v1\n"


@dataclass(frozen=True, slots=True)
class Promise:
    poll: str
    leaf_hash: bytes
    log_by: str
    signature: bytes

    def as_json(self) -> dict[str, Any]:
        return {**_signed(self.poll, self.leaf_hash, self.log_by), "signature": self.signature.hex()}

    def encode(self) -> bytes:
        return strict.canonical(self.as_json())


def make(key: SigningKey, manifest: Manifest, leaf_hash: bytes) -> Promise:
    signature = sign.sign(key, _message(manifest.poll, leaf_hash, manifest.log_by))
    return Promise(manifest.poll, leaf_hash, manifest.log_by, signature)


def verify(data: bytes, manifest: Manifest) -> Promise:
    """The promise that `data` (JSON, in any layout) holds, if it is of this poll and by its promise key."""
    fields = Fields(strict.parse(data, limit=MAX_PROMISE), ("poll", "leaf_hash", "log_by", "signature"))
    fields_log_by, leaf_hash = fields.time("log_by"), fields.hexadecimal("leaf_hash", 32)
    if fields.uuid("poll") != manifest.poll:
        raise WrongShape("the promise is of another poll", field="poll")
    if fields_log_by != manifest.log_by:
        raise WrongShape("is not the poll's log_by", field="log_by")
    signature = fields.hexadecimal("signature", 64)
    sign.verify(manifest.promise_key, _message(manifest.poll, leaf_hash, manifest.log_by), signature, "signature")
    return Promise(manifest.poll, leaf_hash, manifest.log_by, signature)


def _signed(poll: str, leaf_hash: bytes, log_by: str) -> dict[str, Any]:
    return {"poll": poll, "leaf_hash": leaf_hash.hex(), "log_by": log_by}


def _message(poll: str, leaf_hash: bytes, log_by: str) -> bytes:
    return _CONTEXT + strict.canonical(_signed(poll, leaf_hash, log_by))
