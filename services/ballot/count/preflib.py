"""PrefLib: orders (soc, soi, toc, toi) and categories (cat), each with a header of `# KEY: value` lines.

`count: 1,{2,3},4` is an order, `count: {1,2},{3},{}` puts alternatives into categories, a bare number stands alone.
Source: the PrefLib data format (Mattei and Walsh, *PrefLib: a library for preferences*, 2013), header as of 2022.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from services.ballot.count.files import MAX_BALLOTS, MAX_CANDIDATES, FileRefused, Lines, short, whole
from services.ballot.count.source import Ballot, Source

FORMATS: Final = ("soc", "soi", "toc", "toi", "cat")
_HEADER: Final = re.compile(r"#\s*([A-Z ]+?)(?:\s+(\d{1,6}))?\s*:\s*(.*)")
_ITEM: Final = re.compile(r"\s*(?:\{([\d\s,]*)\}|(\d+))\s*(,|$)")


class _Header:
    """What the lines before the first ballot say."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.names: dict[int, str] = {}
        self.categories: dict[int, str] = {}
        self.data_type = ""

    def take(self, text: str) -> None:
        found = _HEADER.match(text)
        if not found:
            return
        key, place, value = found[1], found[2], found[3].strip()
        if key == "DATA TYPE":
            self.data_type = value.lower()
        elif key.startswith("NUMBER ") and place is None:
            self.numbers[key] = whole(value, key)
        elif key in ("ALTERNATIVE NAME", "CATEGORY NAME") and place is not None:
            known = self.names if key == "ALTERNATIVE NAME" else self.categories
            if int(place) in known:
                raise FileRefused(f"{key} {place} stands twice")
            known[int(place)] = value

    def list_of(self, names: dict[int, str], number: str, name: str) -> list[str]:
        if number not in self.numbers:
            raise FileRefused(f"the header does not say # {number}")
        size = self.numbers[number]
        if not 1 <= size <= MAX_CANDIDATES:
            raise FileRefused(f"{number} must be from 1 to {MAX_CANDIDATES}")
        for place in range(1, size + 1):
            if place not in names:
                raise FileRefused(f"the header has no # {name} {place}")
        if len(names) > size:
            raise FileRefused(f"the header has more of # {name} than the {size} that it announces")
        return [names[place] for place in range(1, size + 1)]


def read(lines: Lines, kind: str) -> Source:
    """`kind`: one of FORMATS, or "preflib": then the header's DATA TYPE says which."""
    texts, header, first = iter(lines), _Header(), None
    for text in texts:
        if text.startswith("#"):
            header.take(text)
        elif text.strip():
            first = text
            break
    if not header.numbers:
        raise FileRefused("has no header as PrefLib files have: lines as # NUMBER ALTERNATIVES: 4")
    kind = _kind(kind, header.data_type)
    names = header.list_of(header.names, "NUMBER ALTERNATIVES", "ALTERNATIVE NAME")
    source = Source("categories" if kind == "cat" else "ranking", names)
    if kind == "cat":
        source.categories = header.list_of(header.categories, "NUMBER CATEGORIES", "CATEGORY NAME")
    source.ballots = _ballots(lines, first, texts, header, kind, source)
    return source


def _kind(asked: str, told: str) -> str:
    if asked == "preflib":
        if told not in FORMATS:
            raise FileRefused(f"# DATA TYPE must be one of {', '.join(FORMATS)}, not {short(told)}")
        return told
    if told and told != asked:
        raise FileRefused(f"# DATA TYPE says {short(told)}, the file was to be read as {asked}")
    return asked


def _ballots(
    lines: Lines, first: str | None, texts: Iterator[str], header: _Header, kind: str, source: Source
) -> Iterator[Ballot]:
    voters = distinct = 0
    text = first
    while text is not None:
        if text.strip() and not text.startswith("#"):
            ballot = _ballot(text, lines.number, kind, source)
            voters, distinct = voters + ballot.times, distinct + 1
            yield ballot
        text = next(texts, None)
    for key, found in (
        ("NUMBER VOTERS", voters),
        ("NUMBER UNIQUE ORDERS", distinct),
        ("NUMBER UNIQUE PREFERENCES", distinct),
    ):
        if header.numbers.get(key, found) != found:
            raise FileRefused(f"the header says # {key}: {header.numbers[key]}, the file holds {found}")


def _ballot(text: str, line: int, kind: str, source: Source) -> Ballot:
    count, colon, order = text.partition(":")
    if not colon:
        raise FileRefused("a ballot must be written as count: order")
    times = whole(count.strip(), "a ballot's count", most=MAX_BALLOTS)
    groups = _groups(order.strip(), len(source.names), kind)
    if kind == "cat":
        if len(groups) != len(source.categories):
            raise FileRefused(f"has {len(groups)} categories, the header announces {len(source.categories)}")
        return Ballot(line, times, tuple(groups) if any(groups) else None)
    if kind in ("soc", "toc") and sum(map(len, groups)) != len(source.names):
        raise FileRefused(f"an order must name all {len(source.names)} alternatives in a {kind} file")
    return Ballot(line, times, tuple(groups) or None)


def _groups(order: str, size: int, kind: str) -> list[tuple[int, ...]]:
    groups: list[tuple[int, ...]] = []
    seen: set[int] = set()
    at, more = 0, bool(order)
    while more:
        found = _ITEM.match(order, at)
        if not found:
            raise FileRefused(f"cannot be read from {short(order[at:])} on")
        if found[1] is not None and kind in ("soc", "soi"):
            raise FileRefused(f"equal ranks have no place in a {kind} file: its orders are strict")
        parts = [found[2]] if found[1] is None else [part.strip() for part in found[1].split(",") if found[1].strip()]
        group = [whole(part, "an alternative", least=1, most=size) for part in parts]
        if not group and kind != "cat":
            raise FileRefused("a rank is empty")
        for one in group:
            if one in seen:
                raise FileRefused(f"alternative {one} stands twice")
            seen.add(one)
        groups.append(tuple(sorted(group)))
        at, more = found.end(), found[3] == ","
    return groups
