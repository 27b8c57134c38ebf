"""The Merkle tree of RFC 6962: hashes, an incremental frontier, proofs of inclusion and of consistency.

All sizes count leaves. A leaf hash is SHA-256(0x00 || leaf), a node SHA-256(0x01 || left || right), the root of the
empty tree SHA-256 of nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from services.shared.errors import BadInput

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = sha256().digest()


class WrongProof(BadInput):
    reason = "the proof does not lead to the root"


class WrongFrontier(BadInput):
    reason = "these bytes are no frontier"


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The tree's right edge: enough to append and to tell the root, in 32 bytes per level."""

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self._peaks = list(peaks)  # roots of the perfect subtrees, the largest first: one per 1-bit of the size

    def append(self, hash_of_leaf: bytes) -> None:
        peaks, size = self._peaks, self.size
        node = hash_of_leaf
        while size & 1:
            node = sha256(b"\x01" + peaks.pop() + node).digest()
            size >>= 1
        peaks.append(node)
        self.size += 1

    def extend(self, hashes: Iterable[bytes]) -> None:
        for one in hashes:
            self.append(one)

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = node_hash(peak, node)
        return node

    def serialise(self) -> bytes:
        """The size in 8 bytes, big-endian, then the peaks, the largest first."""
        return self.size.to_bytes(8, "big") + b"".join(self._peaks)

    @classmethod
    def parse(cls, data: bytes) -> Frontier:
        size = int.from_bytes(data[:8], "big")
        if len(data) != 8 + HASH_SIZE * size.bit_count():
            raise WrongFrontier(field="frontier")
        return cls(size, (data[i : i + HASH_SIZE] for i in range(8, len(data), HASH_SIZE)))


def root(hashes: Sequence[bytes]) -> bytes:
    frontier = Frontier()
    frontier.extend(hashes)
    return frontier.root()


def inclusion_proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The siblings that lead from leaf `index` to the root of the tree of all `hashes`, the lowest first."""
    if not 0 <= index < len(hashes):
        raise WrongProof("no such leaf", field="index")
    if len(hashes) == 1:
        return []
    k = _split(len(hashes))
    if index < k:
        return [*inclusion_proof(hashes[:k], index), root(hashes[k:])]
    return [*inclusion_proof(hashes[k:], index - k), root(hashes[:k])]


def consistency_proof(hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """Shows that the tree of the first `old_size` leaves is a prefix of the tree of all `hashes`."""
    if not 0 < old_size <= len(hashes):
        raise WrongProof("no such older tree", field="size")
    return _subproof(old_size, hashes, whole=True)


def verify_inclusion(index: int, size: int, hash_of_leaf: bytes, proof: Sequence[bytes], expected: bytes) -> None:
    """Returns if `proof` shows leaf `index` in the tree of `size` leaves with root `expected`; else WrongProof."""
    if not 0 <= index < size:
        raise WrongProof("no such leaf in a tree of that size", field="index")
    _check_hashes([hash_of_leaf, *proof])
    inner = (index ^ (size - 1)).bit_length()
    if len(proof) != inner + (index >> inner).bit_count():
        raise WrongProof("the proof has another length", field="proof")
    node = hash_of_leaf
    for level, sibling in enumerate(proof):
        # Above the level where the path meets the right edge, every sibling stands to the left.
        node = node_hash(node, sibling) if level < inner and not index >> level & 1 else node_hash(sibling, node)
    if node != expected:
        raise WrongProof(field="root")


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Returns if `proof` shows that the older tree is a prefix of the newer one; else WrongProof.

    An older tree of size 0 is a prefix of any tree: that proves nothing, and is refused.
    """
    _check_hashes(proof)
    if not 0 < old_size <= new_size:
        raise WrongProof("the sizes cannot be compared", field="size")
    if old_size == new_size:
        if proof or old_root != new_root:
            raise WrongProof(field="root")
        return
    nodes = list(proof)
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    if fn:  # else the older tree is one perfect subtree, whose root the verifier knows already
        if not nodes:
            raise WrongProof("the proof has another length", field="proof")
        first, nodes = nodes[0], nodes[1:]
    else:
        first = old_root
    old, new = _climb(fn, sn, first, nodes)
    if old != old_root or new != new_root:
        raise WrongProof(field="root")


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(one) != HASH_SIZE for one in hashes):
        raise WrongProof(f"a hash has {HASH_SIZE} bytes", field="proof")


def _climb(fn: int, sn: int, first: bytes, nodes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Both roots that a consistency proof leads to (RFC 9162, 2.1.4.2)."""
    old = new = first
    for node in nodes:
        if not sn:
            raise WrongProof("the proof has another length", field="proof")
        if fn & 1 or fn == sn:
            old, new = node_hash(node, old), node_hash(node, new)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node_hash(new, node)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise WrongProof("the proof has another length", field="proof")
    return old, new


def _subproof(old_size: int, hashes: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if old_size == len(hashes):
        return [] if whole else [root(hashes)]
    k = _split(len(hashes))
    if old_size <= k:
        return [*_subproof(old_size, hashes[:k], whole=whole), root(hashes[k:])]
    return [*_subproof(old_size - k, hashes[k:], whole=False), root(hashes[:k])]


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
