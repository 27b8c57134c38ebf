"""Every credential seen, in about 200 bytes each: what uniqueness, the chain of re-votes and the profile need."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from struct import Struct
from typing import Final, NamedTuple

from services.ballot.protocol.profile import Profile

_PACKED: Final = Struct("<32sIHI")  # newest ballot's leaf hash, its seq, stratum, number of its distinct answers


class Vote(NamedTuple):
    credential: bytes
    stratum: int
    seq: int
    prev: bytes | None
    answers: bytes


class Problem(NamedTuple):
    """Why a ballot does not fit those before it. `leaf` (its index) and `leaf_hash` name the ballot."""

    finding: str
    field: str
    cause: str
    leaf: int
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A ballot that came before the one it follows: within an epoch, leaf hashes decide the order."""

    vote: Vote
    index: int
    leaf_hash: bytes


class Voters:
    """The ballots of all stations so far. `take` each in log order, `seal` at the end of each epoch."""

    def __init__(self) -> None:
        self._newest: dict[bytes, bytes] = {}
        self._waiting: dict[bytes, dict[int, _Waiting]] = {}
        self._numbers: dict[bytes, int] = {}
        self._distinct: list[bytes] = []

    def take(self, vote: Vote, index: int, leaf_hash: bytes) -> list[Problem]:
        """Fits one ballot into its credential's chain; the problems found, its own or of one that waited for it."""
        packed = self._newest.get(vote.credential)
        if packed is None:
            if vote.seq:
                return self._wait(vote, index, leaf_hash)
            self._set(vote, leaf_hash)
        else:
            newest, seq, stratum, _ = _PACKED.unpack(packed)
            if stratum != vote.stratum:
                cause = "the credential has voted in another stratum"
                return [Problem("CredentialInTwoStrata", "stratum", cause, index, leaf_hash)]
            if vote.seq <= seq:
                return [self._taken(vote, index, leaf_hash, same=leaf_hash == newest)]
            if vote.seq > seq + 1:
                return self._wait(vote, index, leaf_hash)
            problems = self._follow(vote, index, leaf_hash, newest)
            if problems:
                return problems + self._catch_up(vote.credential)
        return self._catch_up(vote.credential) if self._waiting else []

    def seal(self) -> list[Problem]:
        """The epoch ends: a ballot that still waits follows one that stands in no epoch up to this one."""
        problems = [
            Problem("SeqGap", "seq", f"no ballot stands at seq {seq - 1} of its credential", one.index, one.leaf_hash)
            for waiting in self._waiting.values()
            for seq, one in waiting.items()
        ]
        self._waiting.clear()
        return problems

    def profiles(self) -> dict[int, Profile]:
        """Winning answers, counted, of each stratum that voted."""
        numbers: dict[int, Counter[int]] = {}
        for packed in self._newest.values():
            _, _, stratum, number = _PACKED.unpack(packed)
            numbers.setdefault(stratum, Counter())[number] += 1
        return {
            stratum: Counter({self._distinct[number]: times for number, times in counter.items()})
            for stratum, counter in numbers.items()
        }

    def _set(self, vote: Vote, leaf_hash: bytes) -> None:
        number = self._numbers.get(vote.answers)
        if number is None:
            number = self._numbers[vote.answers] = len(self._distinct)
            self._distinct.append(vote.answers)
        self._newest[vote.credential] = _PACKED.pack(leaf_hash, vote.seq, vote.stratum, number)

    def _follow(self, vote: Vote, index: int, leaf_hash: bytes, newest: bytes) -> list[Problem]:
        """Takes the next seq, even with a wrong prev: the ballots after it are then judged by themselves."""
        self._set(vote, leaf_hash)
        if vote.prev == newest:
            return []
        cause = f"prev is not the credential's ballot at seq {vote.seq - 1}"
        return [Problem("WrongPrevious", "prev", cause, index, leaf_hash)]

    def _wait(self, vote: Vote, index: int, leaf_hash: bytes) -> list[Problem]:
        waiting = self._waiting.setdefault(vote.credential, {})
        there = waiting.setdefault(vote.seq, _Waiting(vote, index, leaf_hash))
        if there.index == index:
            return []
        return [self._taken(vote, index, leaf_hash, same=there.leaf_hash == leaf_hash)]

    def _catch_up(self, credential: bytes) -> list[Problem]:
        """Takes those that waited for the ballot just taken."""
        problems: list[Problem] = []
        waiting = self._waiting.get(credential)
        while waiting:
            newest, seq, stratum, _ = _PACKED.unpack(self._newest[credential])
            one = waiting.pop(seq + 1, None)
            if one is None:
                return problems
            if one.vote.stratum != stratum:
                cause = "the credential has voted in another stratum"
                problems.append(Problem("CredentialInTwoStrata", "stratum", cause, one.index, one.leaf_hash))
                continue
            problems += self._follow(one.vote, one.index, one.leaf_hash, newest)
        self._waiting.pop(credential, None)
        return problems

    @staticmethod
    def _taken(vote: Vote, index: int, leaf_hash: bytes, *, same: bool) -> Problem:
        if same:
            return Problem("BallotTwice", "leaf", "the same ballot stands in the log before", index, leaf_hash)
        cause = f"another ballot of the credential stands at seq {vote.seq}"
        return Problem("SeqTaken", "seq", cause, index, leaf_hash)
