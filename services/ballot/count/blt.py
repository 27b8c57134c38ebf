"""BLT: candidates and seats; numbers withdrawn, negative; a ballot a line, its weight first and 0 last; 0; names.

Equal ranks are joined by `=`, a skipped rank is `-`, a ballot may begin with an id in brackets, `#` begins a comment.
Names stand one a line, quoted or bare; the last one is the title, and may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.ballot.count.election import MAX_CANDIDATES, MAX_TIMES, Election, Kind, ranking_key
from services.ballot.count.lines import Lines

_ID = re.compile(r"^\([^)]*\)\s*")
_QUOTED = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*')


def read(lines: Lines, *, strict: bool) -> Election:
    """`strict`: equal ranks refuse the file."""
    content = _content(lines)
    number, seats = _head(lines, next(content, ""))
    election = Election(Kind.RANKINGS, [], seats=seats)
    withdrawn: set[int] = set()
    for text in content:
        words = _ID.sub("", text).split()
        if words == ["0"]:
            break
        if words and words[0].startswith("-") and words[0] != "-":
            withdrawn |= {-lines.number_in(word, "a withdrawn candidate", least=-number, most=-1) for word in words}
            continue
        times, groups = _ballot(lines, words, number)
        if strict and any(len(group) > 1 for group in groups):
            raise lines.refuse("has equal ranks, which this method does not take")
        election.marks[ranking_key(groups)] += times
    else:
        raise lines.refuse("is the last, and no line 0 ended the ballots")
    election.withdrawn = frozenset(withdrawn)
    election.candidates = _names(lines, content, number)
    return election


def _content(lines: Lines) -> Iterator[str]:
    """Lines that say something, without their comments."""
    for text in lines:
        stripped = text.strip()
        if not stripped.startswith('"'):
            stripped = stripped.partition("#")[0].strip()
        if stripped:
            yield stripped


def _head(lines: Lines, text: str) -> tuple[int, int]:
    words = text.split()
    if len(words) != 2:
        raise lines.refuse("must hold two numbers: candidates and seats")
    number = lines.number_in(words[0], "the number of candidates", least=1, most=MAX_CANDIDATES)
    return number, lines.number_in(words[1], "the number of seats", least=1, most=MAX_CANDIDATES)


def _ballot(lines: Lines, words: list[str], number: int) -> tuple[int, list[list[int]]]:
    if len(words) < 2 or words[-1] != "0":
        raise lines.refuse("must be a ballot that ends with 0")
    times = lines.number_in(words[0], "a ballot's weight", least=0, most=MAX_TIMES)
    groups = [
        [lines.number_in(one, "a candidate", least=1, most=number) for one in word.split("=")]
        for word in words[1:-1]
        if word != "-"
    ]
    named = [one for group in groups for one in group]
    if len(set(named)) != len(named):
        raise lines.refuse("names a candidate twice")
    return times, groups


def _names(lines: Lines, content: Iterator[str], number: int) -> list[str]:
    names: list[str] = []
    for text in content:
        quoted = _QUOTED.findall(text) if text.startswith('"') else None
        if quoted is not None and _QUOTED.sub("", text).strip():
            raise lines.refuse("has text beside its quoted name")
        names += [name.replace('\\"', '"') for name in quoted] if quoted is not None else [text]
        if len(names) > number + 1:
            raise lines.refuse(f"is one name too many: {number} candidates and a title were announced")
    if len(names) < number:
        raise lines.refuse(f"is the last, and only {len(names)} of {number} candidates have a name")
    return names[:number]
