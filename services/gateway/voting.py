"""What a voter's device does, done here until anonymous issuance moves it into the browser (mode L).

From one secret seed per voter and poll come the key that signs the ballots, its public half (the credential) and a
salt. Everything is deterministic, so a form sent twice makes the same ballot, byte for byte. Nothing here is stored
or logged. The formats are those of docs/voting-protocol.md; the ballot service has its own code for them, and tests
compare both.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from nacl.exceptions import BadSignatureError
from nacl.exceptions import ValueError as WrongSize
from nacl.signing import SigningKey, VerifyKey

from services.shared.errors import BadInput
from services.shared.strict import canonical

SEED_BYTES: Final = 32
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O or U
_MISREAD: Final = str.maketrans("ILO", "110")
_IGNORED: Final = str.maketrans(
    "", "", " \t\r\n-.\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{HYPHEN}\N{EN DASH}\N{EM DASH}"
)
_CODE_LENGTH: Final = 56
_CHECK_BYTES: Final = 3
_GROUP: Final = 4

Answer = Mapping[str, Any]


class WrongVotingCode(BadInput):
    """What was typed is not a code de vote: too long, too short, or a character is wrong."""


class NotVouched(Exception):
    """A signature that a service gave does not hold against the poll's manifest. Nothing may be built on it."""


@dataclass(frozen=True, slots=True)
class Promise:
    """The ballot service's signed word that a ballot is on disk and will stand in the log by `log_by`."""

    poll: str
    leaf_hash: str
    log_by: str
    signature: str

    def as_json(self) -> dict[str, str]:
        return {"poll": self.poll, "leaf_hash": self.leaf_hash, "log_by": self.log_by, "signature": self.signature}


@dataclass(frozen=True, slots=True)
class Ballot:
    """A signed ballot as the cast door takes it, and its tracker (the leaf hash)."""

    leaf: bytes
    tracker: str


class Voter:
    """One seed in one poll."""

    def __init__(self, seed: bytes, poll: str) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError("a seed has 32 bytes")
        self.poll = poll
        self._key = SigningKey(_hkdf(seed, poll, b"parvis/credential/v1"))
        self.credential = bytes(self._key.verify_key).hex()
        self.salt = _hkdf(seed, poll, b"parvis/salt/v1").hex()

    def ballot(
        self,
        manifest_hash: str,
        stratum: str,
        issuer_signature: str,
        answers: Sequence[Answer],
        *,
        seq: int,
        prev: str | None,
    ) -> Ballot:
        """The ballot with these answers, one per question in the manifest's order."""
        content: dict[str, Any] = {
            "type": "BallotCast",
            "version": 1,
            "poll": self.poll,
            "credential": self.credential,
            "stratum": stratum,
            "issuer_signatures": [issuer_signature],
            "seq": seq,
            "prev": prev,
            "body": {"answers": [dict(answer) for answer in answers]},
        }
        message = b"parvis/ballot/v1\n" + bytes.fromhex(manifest_hash) + canonical(content)
        leaf = canonical(content | {"signature": self._key.sign(message).signature.hex()})
        return Ballot(leaf, sha256(b"\0" + leaf).hexdigest())


def new_seed() -> bytes:
    return secrets.token_bytes(SEED_BYTES)


def check_issuer(issuer_keys: Sequence[str], poll: str, stratum: str, credential: str, signature: str) -> None:
    """Raises NotVouched unless one of the *manifest's* keys signed this credential."""
    message = b"parvis/issue/v1\n" + canonical({"poll": poll, "stratum": stratum, "credential": credential})
    if not any(_holds(key, message, signature) for key in issuer_keys):
        raise NotVouched("issuer signature")


def check_promise(promise: Promise, promise_key: str, poll: str, tracker: str) -> None:
    """Raises NotVouched unless the promise is about this very ballot, signed by the manifest's promise key."""
    content = {"poll": promise.poll, "leaf_hash": promise.leaf_hash, "log_by": promise.log_by}
    message = b"parvis/promise/v1\n" + canonical(content)
    if (promise.poll, promise.leaf_hash) != (poll, tracker) or not _holds(promise_key, message, promise.signature):
        raise NotVouched("promise")


def check_manifest(manifest: Mapping[str, Any], manifest_hash: str) -> None:
    """Raises NotVouched unless the hash that ballots sign is the hash of the manifest that people see."""
    if sha256(canonical(manifest)).hexdigest() != manifest_hash:
        raise NotVouched("manifest hash")


def print_code(seed: bytes) -> str:
    """The code de vote: 14 groups of 4 characters, which hold the seed and 24 bits of checksum."""
    text = base64.b32encode(seed + _checksum(seed)).decode()
    text = "".join(_ALPHABET["ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".index(c)] for c in text)
    return "-".join(text[i : i + _GROUP] for i in range(0, _CODE_LENGTH, _GROUP))


def read_code(typed: str) -> bytes:
    """The seed of a code as a person types it. Raises WrongVotingCode, whose reason repeats nothing of it."""
    text = typed.upper().translate(_IGNORED).translate(_MISREAD)
    if len(text) != _CODE_LENGTH:
        raise WrongVotingCode(f"{len(text)} characters instead of {_CODE_LENGTH}", field="code")
    if any(c not in _ALPHABET for c in text):
        raise WrongVotingCode("a character that no code holds", field="code")
    number = 0
    for character in text:
        number = number << 5 | _ALPHABET.index(character)
    data = number.to_bytes(SEED_BYTES + _CHECK_BYTES, "big")
    seed, check = data[:SEED_BYTES], data[SEED_BYTES:]
    if not hmac.compare_digest(check, _checksum(seed)):
        raise WrongVotingCode("the checksum does not fit", field="code")
    return seed


def _checksum(seed: bytes) -> bytes:
    return sha256(b"parvis/code/v1\n" + seed).digest()[:_CHECK_BYTES]


def _hkdf(seed: bytes, poll: str, info: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869), one block of output."""
    return hmac.digest(hmac.digest(poll.encode(), seed, "sha256"), info + b"\x01", "sha256")


def _holds(key: str, message: bytes, signature: str) -> bool:
    try:
        VerifyKey(bytes.fromhex(key)).verify(message, bytes.fromhex(signature))
    except (BadSignatureError, WrongSize, ValueError):
        return False
    return True
