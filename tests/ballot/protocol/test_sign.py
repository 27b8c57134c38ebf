"""Ed25519 as libsodium does it: one encoding of a key, one of a signature, no key that signs everything."""

from __future__ import annotations

import pytest

from services.ballot.protocol import sign
from services.ballot.protocol.sign import NonCanonicalKey, NonCanonicalSignature, SmallOrderKey, WrongSignature
from tests.ballot.builder import key

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
KEY = key("a voter")
PUBLIC = sign.public_key(KEY)

# Every 32-byte encoding, canonical or not, of a point whose order divides 8: the list that libsodium and others refuse.
SMALL_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]


def test_a_signature_of_rfc_8032_verifies() -> None:
    """Section 7.1, test 2."""
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    sign.check_key(public, "key")
    sign.verify(public, b"\x72", signature, "signature")


def test_signing_is_deterministic_and_a_changed_message_does_not_fit() -> None:
    signature = sign.sign(KEY, b"oui")
    assert signature == sign.sign(KEY, b"oui")
    sign.verify(PUBLIC, b"oui", signature, "signature")
    with pytest.raises(WrongSignature) as refused:
        sign.verify(PUBLIC, b"non", signature, "issuer_signatures[0]")
    assert refused.value.field == "issuer_signatures[0]"


@pytest.mark.parametrize("encoding", SMALL_ORDER)
def test_a_key_of_small_order_is_refused(encoding: str) -> None:
    with pytest.raises(SmallOrderKey):
        sign.check_key(bytes.fromhex(encoding), "credential")


def test_the_signature_that_fits_every_message_is_refused_even_without_the_check_of_the_key() -> None:
    """With the neutral point as key and R, and S = 0, the equation holds for any message."""
    neutral = bytes.fromhex(SMALL_ORDER[1])
    for message in (b"oui", b"non"):
        with pytest.raises(WrongSignature):
            sign.verify(neutral, message, neutral + bytes(32), "signature")


def test_a_key_beyond_the_field_is_refused() -> None:
    """y = p + 3 encodes the same point as y = 3; and with the sign bit too."""
    for y in (P + 3, P + 3 | 1 << 255, 2**255 - 1):
        with pytest.raises(NonCanonicalKey):
            sign.check_key(y.to_bytes(32, "little"), "credential")


def test_a_signature_with_s_plus_the_group_order_is_refused() -> None:
    signature = sign.sign(KEY, b"oui")
    s = int.from_bytes(signature[32:], "little")
    for multiple in range(1, 16):
        if s + multiple * L < 1 << 256:
            twin = signature[:32] + (s + multiple * L).to_bytes(32, "little")
            with pytest.raises(NonCanonicalSignature):
                sign.verify(PUBLIC, b"oui", twin, "signature")


def test_a_key_that_is_no_point_fits_no_signature() -> None:
    signature = sign.sign(KEY, b"oui")
    for y in range(2, 40):
        with pytest.raises(WrongSignature):
            sign.verify(y.to_bytes(32, "little"), b"oui", signature, "signature")
