"""Checkpoints: the signed state of a station's log, as C2SP signed notes (tlog-checkpoint).

    parvis.localhost/1f0c…/bureau-1          the origin, also the signer's name
    120                                      leaves
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=   root
    <empty line>
    — parvis.localhost/1f0c…/bureau-1 Az3grl…     base64 of key id (4 bytes) and Ed25519 signature

Further signatures (of witnesses) may stand; those by keys that the verifier does not know are left alone.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from nacl.signing import SigningKey

from services.ballot.protocol import sign
from services.shared.errors import BadInput
from services.shared.strict import canonical

MAX_NOTE: Final = 16 * 1024
_DASH: Final = "\N{EM DASH} "
_ED25519: Final = b"\x01"
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}")
_ID_SIZE: Final = 4


class MalformedCheckpoint(BadInput):
    """The text is not a checkpoint in a signed note."""


class WrongOrigin(BadInput):
    reason = "the checkpoint is of another log"


class CheckpointNotSigned(BadInput):
    reason = "no signature by the log's key stands under the checkpoint"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The signed text, its last line ended."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    name: str
    key_id: bytes
    signature: bytes


def key_id(name: str, key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + key).digest()[:_ID_SIZE]


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> str:
    """The note: text, empty line, one signature under the origin's name. Deterministic."""
    text = checkpoint.text()
    stamp = key_id(checkpoint.origin, sign.public_key(key)) + sign.sign(key, text.encode())
    return f"{text}\n{_DASH}{checkpoint.origin} {b64encode(stamp).decode()}\n"


def verify_checkpoint(note: str, origin: str, key: bytes) -> Checkpoint:
    """The checkpoint of a note that `key` signed for the log `origin`; else a refusal with its cause."""
    checkpoint, signatures = parse(note)
    if checkpoint.origin != origin:
        raise WrongOrigin(field="origin")
    wanted, signed = key_id(origin, key), False
    for one in signatures:
        if one.name == origin and one.key_id == wanted:
            if len(one.signature) != sign.SIGNATURE_SIZE:
                raise MalformedCheckpoint("the signature has another length", field="signature")
            sign.verify(key, checkpoint.text().encode(), one.signature, "signature")
            signed = True
    if not signed:
        raise CheckpointNotSigned(field="signature")
    return checkpoint


def checkpoints_hash(notes: Mapping[str, str]) -> bytes:
    """What those who confirm a count have seen: SHA-256 over canonical {station: note}, the notes over whole logs."""
    return sha256(canonical(dict(notes))).digest()


def parse(note: str) -> tuple[Checkpoint, list[Signature]]:
    """The checkpoint and its signatures, unverified: form alone."""
    text, gap, tail = note.partition("\n\n")
    if len(note) > MAX_NOTE or not gap or not tail.endswith("\n"):
        raise MalformedCheckpoint("is not a signed note: text, empty line, signatures", field="checkpoint")
    lines = text.split("\n")
    if len(lines) != 3 or not lines[0] or any(c.isspace() or c == "+" or not c.isprintable() for c in lines[0]):
        raise MalformedCheckpoint("must have three lines: origin, size, root", field="checkpoint")
    if not _SIZE.fullmatch(lines[1]):
        raise MalformedCheckpoint("must be a number of leaves", field="size")
    root = _base64(lines[2], "root")
    if len(root) != 32:
        raise MalformedCheckpoint("must be 32 bytes", field="root")
    return Checkpoint(lines[0], int(lines[1]), root), [_signature(line) for line in tail[:-1].split("\n")]


def _signature(line: str) -> Signature:
    name, space, stamp = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not name or not space:
        raise MalformedCheckpoint("is not a signature line", field="signature")
    data = _base64(stamp, "signature")
    if len(data) <= _ID_SIZE:
        raise MalformedCheckpoint("is too short", field="signature")
    return Signature(name, data[:_ID_SIZE], data[_ID_SIZE:])


def _base64(text: str, field: str) -> bytes:
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        data = b""
    if b64encode(data).decode() != text:  # refuses other encodings of the same bytes too
        raise MalformedCheckpoint("is not standard base64", field=field)
    return data
