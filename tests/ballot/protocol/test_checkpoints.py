"""Checkpoints are C2SP signed notes, and nothing but."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ballot.protocol import checkpoints, sign
from services.ballot.protocol.checkpoints import (
    Checkpoint,
    CheckpointNotSigned,
    MalformedCheckpoint,
    WrongOrigin,
    key_id,
    sign_checkpoint,
    verify_checkpoint,
)
from services.ballot.protocol.sign import WrongSignature
from services.shared.errors import BadInput
from tests.ballot.builder import key

ORIGIN = "parvis.localhost/0192f0c1-7a33-7c1e-9d7a-0a1b2c3d4e5f/bureau-1"
KEY = key("log")
PUBLIC = sign.public_key(KEY)
CHECKPOINT = Checkpoint(ORIGIN, 120, sha256(b"root").digest())
NOTE = sign_checkpoint(CHECKPOINT, KEY)


def test_the_key_id_and_signature_are_those_of_the_published_example_of_signed_notes() -> None:
    """The example of golang.org/x/mod/sumdb/note: verifier PeterNeumann+c74f20a3."""
    public = b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert public[:1] == b"\x01"
    assert key_id("PeterNeumann", public[1:]).hex() == "c74f20a3"
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    stamp = b64decode("x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=")
    assert stamp[:4].hex() == "c74f20a3"
    sign.verify(public[1:], text.encode(), stamp[4:], "signature")


def test_a_note_has_these_lines() -> None:
    text, gap, tail = NOTE.partition("\n\n")
    assert text == f"{ORIGIN}\n120\n{b64encode(CHECKPOINT.root).decode()}"
    assert gap
    assert tail.startswith(f"\N{EM DASH} {ORIGIN} ")
    assert tail.endswith("\n")
    assert len(b64decode(tail.split(" ")[2])) == 68


def test_a_note_verifies_and_is_always_the_same() -> None:
    assert verify_checkpoint(NOTE, ORIGIN, PUBLIC) == CHECKPOINT
    assert sign_checkpoint(CHECKPOINT, KEY) == NOTE


def test_signatures_by_unknown_keys_are_left_alone() -> None:
    witness = f"\N{EM DASH} witness.example {b64encode(b'abcd' + bytes(72)).decode()}\n"
    assert verify_checkpoint(NOTE + witness, ORIGIN, PUBLIC) == CHECKPOINT


def test_another_log_another_key_or_no_signature_are_told_apart() -> None:
    with pytest.raises(WrongOrigin):
        verify_checkpoint(NOTE, ORIGIN + "0", PUBLIC)
    with pytest.raises(CheckpointNotSigned):
        verify_checkpoint(NOTE, ORIGIN, sign.public_key(key("another")))
    with pytest.raises(WrongSignature):
        verify_checkpoint(NOTE.replace("\n120\n", "\n121\n"), ORIGIN, PUBLIC)


BODY, _, TAIL = NOTE.partition("\n\n")
ROOT = b64encode(CHECKPOINT.root).decode()


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        BODY,
        NOTE[:-1],
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("\n120\n", "\n0120\n"),
        NOTE.replace("\n120\n", "\n-120\n"),
        NOTE.replace("\n120\n", "\n\N{SUPERSCRIPT TWO}\n"),
        NOTE.replace("\n120\n", "\n120 \n"),
        NOTE.replace(ROOT, ROOT[:-1]),
        NOTE.replace(ROOT, ROOT[:-2] + "5="),
        NOTE.replace(ROOT, b64encode(b"short").decode()),
        NOTE.replace("\n\n", "\nextension\n\n"),
        NOTE.replace(ORIGIN, ORIGIN + " x"),
        NOTE.replace(ORIGIN, ORIGIN + "+x"),
        NOTE.replace("\N{EM DASH}", "-"),
        NOTE + "\n",
        f"{BODY}\n\n\N{EM DASH} {ORIGIN} !!!!\n",
        f"{BODY}\n\n\N{EM DASH} {ORIGIN} {b64encode(key_id(ORIGIN, PUBLIC)).decode()}\n",
        f"{BODY}\n\n\N{EM DASH} {ORIGIN} {b64encode(key_id(ORIGIN, PUBLIC) + bytes(63)).decode()}\n",
        f"{BODY}\n\n\N{EM DASH} {ORIGIN}\n",
        NOTE + TAIL * 200,
    ],
)
def test_what_is_no_checkpoint_is_refused(note: str) -> None:
    with pytest.raises(MalformedCheckpoint):
        verify_checkpoint(note, ORIGIN, PUBLIC)


@given(st.integers(0, len(NOTE) - 1), st.characters())
def test_any_character_changed_is_refused(place: int, character: str) -> None:
    changed = NOTE[:place] + character + NOTE[place + 1 :]
    if changed != NOTE:
        with pytest.raises(BadInput):
            verify_checkpoint(changed, ORIGIN, PUBLIC)


def test_a_checkpoint_of_no_leaves_is_a_checkpoint() -> None:
    empty = Checkpoint(ORIGIN, 0, sha256().digest())
    assert checkpoints.parse(sign_checkpoint(empty, KEY))[0] == empty
