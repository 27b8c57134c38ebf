"""From ballots to a profile: the highest seq of each credential wins, equal ballots are counted together.

A profile (canonical bytes of a ballot's answers → how many winning ballots have them) is all that a count needs; the
profiles of stations add up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from services.ballot.protocol.ballots import BALLOT_END, HEAD, NEXT
from services.ballot.protocol.manifest import Manifest
from services.shared import strict

Profile = Counter[bytes]

_CREDENTIAL: Final = 64  # hexadecimal digits
_SEQ: Final = b',"seq":'
_FIRST: Final = b'","prev":null' + _SEQ + b"0," + BALLOT_END  # what follows the credential in its first ballot


class Winners:
    """The winning ballot of each credential, in any order of arrival.

    One dict entry a voter: seq and the number of the distinct answers in one integer, so that the higher one wins.
    """

    __slots__ = ("_distinct", "_known", "_winning", "ballots")

    def __init__(self) -> None:
        self.ballots = 0
        self._winning: dict[bytes, int] = {}
        self._known: dict[bytes, int] = {}
        self._distinct: list[bytes] = []

    def add(self, credential: bytes, seq: int, answers: bytes) -> None:
        """Takes one ballot into account. A (credential, seq) must come once only: the log's unique index sees to it."""
        number = self._known.get(answers)
        if number is None:
            number = self._known[answers] = len(self._distinct)
            self._distinct.append(answers)
        value = seq << 32 | number
        self.ballots += 1
        if value > self._winning.get(credential, -1):
            self._winning[credential] = value

    def __len__(self) -> int:
        """Distinct credentials: the turnout."""
        return len(self._winning)

    def profile(self) -> Profile:
        numbers = Counter(value & 0xFFFFFFFF for value in self._winning.values())
        return Counter({self._distinct[number]: times for number, times in numbers.items()})


def fold(leaves: Iterable[bytes]) -> Winners:
    """The winners among the ballots of an own log's canonical leaves, which were checked when they were accepted.

    Leaves of other types are passed over. This is `peek` and `Winners.add` written out in one loop, and a first ballot
    is known by all that follows its credential: a million leaves in less than a second, instead of ten.
    """
    winners = Winners()
    winning, known, distinct = winners._winning, winners._known, winners._distinct
    head, counted = len(HEAD), 0
    for leaf in leaves:
        before, _, after = leaf.partition(NEXT)
        tail = after[_CREDENTIAL:]
        if tail == _FIRST:
            seq = 0
        elif tail.endswith(BALLOT_END):
            at = tail.rindex(_SEQ) + len(_SEQ)
            seq = int(tail[at : tail.index(b",", at)]) << 32
        else:
            continue
        counted += 1
        answers = before[head:]
        number = known.get(answers)
        if number is None:
            number = known[answers] = len(distinct)
            distinct.append(answers)
        value = seq | number
        credential = after[:_CREDENTIAL]
        if value > winning.setdefault(credential, value):
            winning[credential] = value
    winners.ballots = counted
    return winners


class Answers:
    """A profile as methods read it: (decoded answer, how many), in the order of canonical bytes. Decoded on the way, so
    that a million distinct answers are never held as objects; walked as often as wanted."""

    __slots__ = ("_counts",)

    def __init__(self, counts: Mapping[bytes, int]) -> None:
        self._counts = sorted((answer, times) for answer, times in counts.items() if times)

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        decode = strict.parse
        for answer, times in self._counts:
            yield decode(answer), times

    def __len__(self) -> int:
        return len(self._counts)


def per_question(manifest: Manifest, profile: Mapping[bytes, int]) -> list[Answers]:
    """For each question its distinct answers and how many chose them."""
    if len(manifest.questions) == 1:  # "[answer]": nothing to take apart
        return [Answers({answers[1:-1]: times for answers, times in profile.items()})]
    counters: list[Counter[bytes]] = [Counter() for _ in manifest.questions]
    for answers, times in profile.items():
        for counter, answer in zip(counters, strict.parse(answers), strict=True):
            counter[strict.canonical(answer)] += times
    return [Answers(counter) for counter in counters]


def sums(manifest: Manifest, profile: Mapping[bytes, int]) -> list[dict[str, Any] | None]:
    """Per question what may be told while the poll runs; None where the method's result is not a sum."""
    return [
        question.rule.sums(question, answers) if question.rule.is_sum else None
        for question, answers in zip(manifest.questions, per_question(manifest, profile), strict=True)
    ]
