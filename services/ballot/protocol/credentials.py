"""What a voter holds: one secret seed per poll, and all that derives from it.

The seed's printable form is the *code de vote*: 14 groups of 4 characters that survive being read aloud or typed by
hand. 256 bits of seed and 24 bits of checksum make exactly 56 characters of 5 bits.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final

from nacl.signing import SigningKey

from services.ballot.protocol import sign
from services.shared.errors import BadInput

SEED_SIZE: Final = 32
_CREDENTIAL = b"parvis/credential/v1"
_SALT = b"parvis/salt/v1"
_ISSUE = b"parvis/issue/v1\n"
_CODE = b"parvis/code/v1\n"
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
_GROUP, _GROUPS = 4, 14
_CHARACTERS = _GROUP * _GROUPS
_CHECK_BITS: Final = 24
_VALUES: Final = {c: i for i, c in enumerate(_ALPHABET)} | {"I": 1, "L": 1, "O": 0}


class WrongVotingCode(BadInput):
    """The code de vote was not copied exactly. The reason never repeats a character of the code."""


class WrongIssuerSignature(BadInput):
    reason = "no issuer of this stratum signed this credential"


def hkdf(secret: bytes, salt: bytes, info: bytes, size: int = 32) -> bytes:
    """HKDF-SHA256 (RFC 5869) for at most 32 bytes of output."""
    if not 0 < size <= 32:
        raise ValueError("one block only")
    key = hmac.digest(salt, secret, "sha256")
    return hmac.digest(key, info + b"\x01", "sha256")[:size]


def credential_key(seed: bytes, poll: str) -> SigningKey:
    """The key that signs this voter's ballots in this poll; its public half is the credential."""
    return SigningKey(hkdf(seed, poll.encode(), _CREDENTIAL))


def salt(seed: bytes, poll: str) -> bytes:
    return hkdf(seed, poll.encode(), _SALT)


def commitment(salt_: bytes, credential: bytes) -> bytes:
    """What identity stores instead of the credential, until the voter opens it."""
    return sha256(salt_ + credential).digest()


def issue_message(poll: str, stratum: str, credential: bytes) -> bytes:
    """What an issuer signs. Ids and hex need no escaping, so these are the canonical bytes of the three members."""
    return _ISSUE + f'{{"credential":"{credential.hex()}","poll":"{poll}","stratum":"{stratum}"}}'.encode()


def issue(key: SigningKey, poll: str, stratum: str, credential: bytes) -> bytes:
    """The issuer's signature: this credential may vote in this stratum of this poll."""
    return sign.sign(key, issue_message(poll, stratum, credential))


def verify_issue(key: bytes, poll: str, stratum: str, credential: bytes, signature: bytes, field: str) -> None:
    try:
        sign.verify(key, issue_message(poll, stratum, credential), signature, field)
    except sign.WrongSignature:
        raise WrongIssuerSignature(field=field) from None


def print_code(seed: bytes) -> str:
    """The code de vote of a seed: `XXXX-XXXX-…`, 14 groups."""
    if len(seed) != SEED_SIZE:
        raise ValueError("a seed has 32 bytes")
    number = int.from_bytes(seed + _checksum(seed), "big")
    characters = [_ALPHABET[number >> shift & 31] for shift in range(5 * (_CHARACTERS - 1), -1, -5)]
    return "-".join("".join(characters[i : i + _GROUP]) for i in range(0, _CHARACTERS, _GROUP))


def parse_code(text: str) -> bytes:
    """The seed that a person typed: case, spaces and dashes do not matter; I and L read as 1, O as 0."""
    characters = [c for c in text.upper() if not c.isspace() and c not in "-\N{EN DASH}\N{EM DASH}\N{HYPHEN}."]
    number = 0
    for place, character in enumerate(characters):
        value = _VALUES.get(character)
        if value is None:
            group, position = place // _GROUP + 1, place % _GROUP + 1
            raise WrongVotingCode(f"group {group}, character {position} is never used in a code", field="code")
        number = number << 5 | value
        if place == _CHARACTERS:
            break
    if len(characters) != _CHARACTERS:
        raise WrongVotingCode(f"has {len(characters)} characters instead of {_CHARACTERS}", field="code")
    data = number.to_bytes(SEED_SIZE + _CHECK_BITS // 8, "big")
    seed, check = data[:SEED_SIZE], data[SEED_SIZE:]
    if not hmac.compare_digest(check, _checksum(seed)):
        raise WrongVotingCode("a character is wrong, or two are swapped", field="code")
    return seed


def _checksum(seed: bytes) -> bytes:
    return sha256(_CODE + seed).digest()[: _CHECK_BITS // 8]
