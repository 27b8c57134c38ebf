"""The tree of RFC 6962, against a plain recursive one and against vectors made by others."""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ballot.protocol import merkle
from services.ballot.protocol.merkle import Frontier, WrongFrontier, WrongProof

VECTORS = Path(__file__).resolve().parents[4] / "shared" / "vectors" / "merkle"
HASHES = [merkle.leaf_hash(str(i).encode()) for i in range(70)]
hashes = st.lists(st.binary(min_size=32, max_size=32), max_size=40)


def plain_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\x01" + plain_root(leaves[:k]) + plain_root(leaves[k:])).digest()


def test_roots_known_from_certificate_transparency() -> None:
    leaves = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43", b"\x50\x51\x52\x53\x54\x55\x56\x57",
              b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"]  # fmt: skip
    known = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    for size, root in known.items():
        assert merkle.root([merkle.leaf_hash(leaf) for leaf in leaves[:size]]).hex() == root


@given(hashes)
def test_the_frontier_has_the_root_of_the_whole_tree_at_every_size(leaves: list[bytes]) -> None:
    frontier = Frontier()
    for size, leaf in enumerate(leaves):
        assert frontier.root() == plain_root(leaves[:size])
        frontier.append(leaf)
    assert frontier.size == len(leaves)
    assert frontier.root() == plain_root(leaves)


@given(hashes, hashes)
def test_a_frontier_put_away_goes_on_where_it_was(before: list[bytes], after: list[bytes]) -> None:
    frontier = Frontier()
    frontier.extend(before)
    data = frontier.serialise()
    again = Frontier.parse(data)
    again.extend(after)
    assert again.root() == plain_root(before + after)
    assert Frontier.parse(data).serialise() == data


@pytest.mark.parametrize("data", [b"", b"\x00" * 7, b"\x00" * 7 + b"\x01", b"\x00" * 8 + b"x", b"\xff" * 40])
def test_bytes_that_are_no_frontier_are_refused(data: bytes) -> None:
    if data == b"":
        data = b"\x01"
    with pytest.raises(WrongFrontier):
        Frontier.parse(data)


def test_every_inclusion_proof_up_to_70_leaves_verifies_and_no_other_index_does() -> None:
    for size in (1, 2, 3, 5, 8, 13, 64, 70):
        leaves, root = HASHES[:size], plain_root(HASHES[:size])
        for index in range(size):
            proof = merkle.inclusion_proof(leaves, index)
            merkle.verify_inclusion(index, size, leaves[index], proof, root)
            with pytest.raises(WrongProof):
                merkle.verify_inclusion((index + 1) % (size + 1), size, leaves[index], proof, root)


def test_every_consistency_proof_up_to_40_leaves_verifies() -> None:
    for new in range(1, 41):
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(HASHES[:new], old)
            merkle.verify_consistency(old, new, plain_root(HASHES[:old]), plain_root(HASHES[:new]), proof)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 6), st.integers(0, 255))
def test_a_consistency_proof_with_a_changed_part_is_refused(old: int, more: int, part: int, bit: int) -> None:
    new = min(old + more, len(HASHES))
    roots = plain_root(HASHES[:old]), plain_root(HASHES[:new])
    proof = merkle.consistency_proof(HASHES[:new], old)
    if proof:
        place = part % len(proof)
        number = int.from_bytes(proof[place], "big") ^ (1 << bit)
        proof[place] = number.to_bytes(32, "big")
        with pytest.raises(WrongProof):
            merkle.verify_consistency(old, new, *roots, proof)


@pytest.mark.parametrize("index, size", [(0, 0), (-1, 3), (3, 3)])
def test_a_leaf_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(WrongProof):
        merkle.inclusion_proof(HASHES[:size], index)
    with pytest.raises(WrongProof):
        merkle.verify_inclusion(index, size, HASHES[0], [], HASHES[0])


@pytest.mark.parametrize("old", [0, 6])
def test_a_tree_is_consistent_only_with_its_own_past(old: int) -> None:
    with pytest.raises(WrongProof):
        merkle.consistency_proof(HASHES[:5], old)


def probes(kind: str) -> list[Any]:
    return [
        pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in sorted(VECTORS.glob(f"{kind}/**/*.json"))
    ]


def decoded(probe: dict[str, Any], name: str) -> bytes:
    return b64decode(probe[name] or "")


@pytest.mark.parametrize("path", probes("inclusion"))
def test_inclusion_probes_by_others(path: Path) -> None:
    probe = json.loads(path.read_text())
    proof = [b64decode(part) for part in probe["proof"] or []]

    def verify() -> None:
        merkle.verify_inclusion(
            probe["leafIdx"], probe["treeSize"], decoded(probe, "leafHash"), proof, decoded(probe, "root")
        )

    expect(probe, verify)


@pytest.mark.parametrize("path", probes("consistency"))
def test_consistency_probes_by_others(path: Path) -> None:
    probe = json.loads(path.read_text())
    proof = [b64decode(part) for part in probe["proof"] or []]
    roots = decoded(probe, "root1"), decoded(probe, "root2")
    expect(probe, lambda: merkle.verify_consistency(probe["size1"], probe["size2"], *roots, proof))


def expect(probe: dict[str, Any], verify: Any) -> None:
    if probe["wantErr"]:
        with pytest.raises(WrongProof):
            verify()
    else:
        verify()
