"""PrefLib: `# KEY: value` first, then `count: preference`. soc, soi, toc, toi: rankings; cat: categories, best first.

Equals stand in braces. Complete kinds (soc, toc) name every candidate; soc and soi have no equals.
"""

from __future__ import annotations

import re

from services.ballot.count.election import MAX_CANDIDATES, MAX_TIMES, Election, Kind, ranking_key
from services.ballot.count.lines import Lines

_KEY = re.compile(r"#\s*([A-Z ]+?)(?:\s+(\d+))?\s*:\s*(.*)")
_GROUP = re.compile(r"\s*(?:\{([^{}]*)\}|(-?\w+))\s*(,|$)")


def read(lines: Lines, form: str, *, strict: bool) -> Election:
    """`form`: the kind of file, as "soc"."""
    reader = _Reader(lines, form, strict=strict)
    for text in lines:
        if text.strip().startswith("#"):
            reader.head(text.strip())
        elif text.strip():
            reader.ballot(text)
    return reader.end()


class _Reader:
    def __init__(self, lines: Lines, form: str, *, strict: bool) -> None:
        self._lines, self._form, self._strict = lines, form, strict
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._categories: dict[int, str] = {}
        self._election = Election(Kind.CATEGORIES if form == "cat" else Kind.RANKINGS, [])
        self._voters = self._unique = 0

    def head(self, text: str) -> None:
        found = _KEY.fullmatch(text)
        if found is None:
            return  # a comment
        key, index, value = found.groups()
        if key in ("NUMBER ALTERNATIVES", "NUMBER VOTERS", "NUMBER CATEGORIES") or key.startswith("NUMBER UNIQUE"):
            most = MAX_CANDIDATES if key in ("NUMBER ALTERNATIVES", "NUMBER CATEGORIES") else MAX_TIMES
            self._numbers[key] = self._lines.number_in(value, key.lower(), least=0, most=most)
        elif key == "DATA TYPE" and value.strip() and value.strip() != self._form:
            raise self._lines.refuse(f"says that this is a file of type {value.strip()[:20]}, not {self._form}")
        elif key in ("ALTERNATIVE NAME", "CATEGORY NAME") and index is not None:
            names = self._names if key == "ALTERNATIVE NAME" else self._categories
            if int(index) in names:
                raise self._lines.refuse(f"names {key.split()[0].lower()} {index} a second time")
            names[int(index)] = value

    def ballot(self, text: str) -> None:
        times, colon, preference = text.partition(":")
        if not colon:
            raise self._lines.refuse("must be a count, a colon and a preference")
        number = self._lines.number_in(times, "the count", least=1, most=MAX_TIMES)
        groups = self._groups(preference)
        named = [one for group in groups for one in group]
        if len(set(named)) != len(named):
            raise self._lines.refuse("names an alternative twice")
        self._check(groups, named)
        if self._election.kind is Kind.CATEGORIES:
            self._election.marks[tuple(tuple(sorted(group)) for group in groups)] += number
        else:
            self._election.marks[ranking_key(groups)] += number
        self._voters, self._unique = self._voters + number, self._unique + 1

    def _groups(self, text: str) -> list[list[int]]:
        alternatives = self._needed("NUMBER ALTERNATIVES")
        groups: list[list[int]] = []
        at, more = 0, bool(text.strip())
        while more:
            found = _GROUP.match(text, at)
            if found is None:
                raise self._lines.refuse(f"cannot be read from {text[at : at + 20].strip()!r} on")
            inner = found[1] if found[1] is not None else found[2]
            words = [word for word in inner.split(",") if word.strip()]
            groups.append([self._lines.number_in(w, "an alternative", least=1, most=alternatives) for w in words])
            at, more = found.end(), found[3] == ","
        return groups

    def _check(self, groups: list[list[int]], named: list[int]) -> None:
        if self._form == "cat":
            if len(groups) != self._needed("NUMBER CATEGORIES"):
                raise self._lines.refuse(
                    f"has {len(groups)} categories, {self._numbers['NUMBER CATEGORIES']} are named"
                )
            return
        if any(not group for group in groups):
            raise self._lines.refuse("has a rank without alternatives")
        equals = any(len(group) > 1 for group in groups)
        if equals and self._form in ("soc", "soi"):
            raise self._lines.refuse(f"has equal ranks, which a {self._form} file cannot have")
        if equals and self._strict:
            raise self._lines.refuse("has equal ranks, which this method does not take")
        if self._form in ("soc", "toc") and len(named) != self._needed("NUMBER ALTERNATIVES"):
            raise self._lines.refuse(f"leaves out alternatives, which a {self._form} file cannot")

    def _needed(self, key: str) -> int:
        if key not in self._numbers:
            raise self._lines.refuse(f"stands before any line # {key}: …")
        return self._numbers[key]

    def end(self) -> Election:
        alternatives = self._needed("NUMBER ALTERNATIVES")
        counted = {"NUMBER VOTERS": self._voters}
        counted |= {key: self._unique for key in self._numbers if key.startswith("NUMBER UNIQUE")}
        for key, found in counted.items():
            if self._numbers.get(key, found) != found:
                raise self._lines.refuse(f"is the last: {found} counted, {key.lower()} says {self._numbers[key]}")
        if not alternatives or sorted(self._names) != list(range(1, alternatives + 1)):
            raise self._lines.refuse(f"is the last: {len(self._names)} of {alternatives} alternatives have a name")
        self._election.candidates = [self._names[number] for number in range(1, alternatives + 1)]
        if self._form == "cat":
            number = self._needed("NUMBER CATEGORIES")
            self._election.categories = [self._categories.get(i, f"category {i}") for i in range(1, number + 1)]
        return self._election
