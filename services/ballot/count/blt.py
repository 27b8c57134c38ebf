"""BLT, the format of most STV programs: numbers of candidates and seats, withdrawn ones, ballots, 0, names, title.

`weight c1 c2=c3 - c4 0` is a ballot; `=` joins equals, `-` is a rank left out, an id in brackets may stand before.
Source: the format as Hill, Wichmann and Woodall used it (1987), with the extensions of OpenSTV.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from services.ballot.count.files import MAX_BALLOTS, MAX_CANDIDATES, FileRefused, Lines, short, whole
from services.ballot.count.source import Ballot, Mark, Source

_TOKEN: Final = re.compile(r"\([^)]*\)|[^\s()]+|[()]")
_QUOTED: Final = re.compile(r'(?:"[^"]*"\s*)+(?:#.*)?')
_ONE: Final = re.compile(r'"([^"]*)"')


def read(lines: Lines) -> Source:
    texts = iter(lines)
    size, seats, rest = _header(texts)
    source = Source("ranking", [], seats=seats)
    source.ballots = _ballots(lines, texts, rest, size, source)
    return source


def _header(texts: Iterator[str]) -> tuple[int, int, str]:
    """Candidates, seats, and what stands on the same line after them."""
    for text in texts:
        tokens = _uncommented(text).split(maxsplit=2)
        if not tokens:
            continue
        if len(tokens) < 2:
            raise FileRefused("must begin with a line of two numbers: candidates, seats")
        size = whole(tokens[0], "the number of candidates", least=1, most=MAX_CANDIDATES)
        return size, whole(tokens[1], "the number of seats", least=1), tokens[2] if len(tokens) > 2 else ""
    raise FileRefused("is empty: the first line must say how many candidates and seats there are")


def _ballots(lines: Lines, texts: Iterator[str], text: str, size: int, source: Source) -> Iterator[Ballot]:
    pending: list[str] = []
    begun = False
    while True:
        tokens = _TOKEN.findall(text) if "(" in text or ")" in text else text.split()
        if tokens and not pending and not begun and _is_withdrawn(tokens[0]):
            _withdraw(tokens, size, source)
            tokens = []
        for place, token in enumerate(tokens):
            if token != "0":
                pending.append(token)
            elif pending:
                begun = True
                yield _ballot(pending, size, source.withdrawn, lines.number)
                pending = []
            else:
                source.names += _names(_after(text, place + 1), texts, size)
                return
        following = next(texts, None)
        if following is None:
            raise FileRefused("the ballots do not end: a line with 0 alone, then the names, must follow")
        text = _uncommented(following)


def _is_withdrawn(token: str) -> bool:
    return len(token) > 1 and token[0] == "-" and token[1:].isdecimal()


def _withdraw(tokens: list[str], size: int, source: Source) -> None:
    for token in tokens:
        if not _is_withdrawn(token):
            raise FileRefused("a weight must not be negative, nor may anything else stand with withdrawn candidates")
        source.withdrawn.add(whole(token[1:], "a withdrawn candidate", least=1, most=size))


def _ballot(tokens: list[str], size: int, withdrawn: set[int], line: int) -> Ballot:
    start = 1 if tokens[0].startswith("(") and tokens[0] != "(" else 0
    if start == len(tokens):
        raise FileRefused("a ballot has no weight")
    times = whole(tokens[start], "a ballot's weight", most=MAX_BALLOTS)
    groups: list[tuple[int, ...]] = []
    seen: set[int] = set()
    for token in tokens[start + 1 :]:
        if token == "-":
            continue
        group = [whole(one, "a candidate", least=1, most=size) for one in token.split("=")]
        for one in group:
            if one in seen:
                raise FileRefused(f"candidate {one} stands twice on a ballot")
            seen.add(one)
        if kept := tuple(sorted(one for one in group if one not in withdrawn)):
            groups.append(kept)
    mark: Mark | None = tuple(groups) or None
    return Ballot(line, times, mark)


def _names(text: str, texts: Iterator[str], size: int) -> list[str]:
    """The candidates' names: so many must follow, then perhaps a title, then nothing."""
    found: list[str] = []
    while True:
        found += _names_of(text.strip())
        if len(found) > size + 1:
            raise FileRefused(f"stands after the names of {size} candidates and the title")
        following = next(texts, None)
        if following is None:
            break
        text = following
    if len(found) < size:
        raise FileRefused(f"names {len(found)} candidates, the first line announces {size}")
    return found[:size]


def _names_of(text: str) -> list[str]:
    if not text or text.startswith("#"):
        return []
    if text.startswith('"'):
        if _QUOTED.fullmatch(text):
            return [name.strip() for name in _ONE.findall(text)]
        if len(text) < 2 or not text.endswith('"'):
            raise FileRefused(f"a name's quote is not closed: {short(text)}")
        return [text[1:-1].strip()]
    return [text]


def _uncommented(text: str) -> str:
    return text.partition("#")[0]


def _after(text: str, tokens: int) -> str:
    """What follows so many tokens."""
    ends = [found.end() for found in _TOKEN.finditer(text)]
    return text[ends[tokens - 1] :]
