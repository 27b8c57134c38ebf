"""Which two people may be one: names that are near and the same birth date, or the same names with day and month
swapped. Candidates are found by keyed hashes of pieces of a name beside the date, so that nobody's name is read to
find them, and none but a few people are compared."""

from __future__ import annotations

import hmac
import re
import unicodedata
from typing import Final

from rapidfuzz import fuzz

from services.identity.domain import Person

PARTICLES: Final = frozenset(
    (
        *("a", "al", "ben", "bin", "d", "da", "dal", "das", "de", "del", "della", "den", "der", "des", "di", "dit"),
        *("do", "dos", "du", "el", "epouse", "ep", "l", "la", "le", "les", "ne", "nee", "st", "ste", "van", "von", "y"),
    )
)
NEAR: Final = 85.0
"""Of 100, by the share of letters that two names have in common in the same order, whatever the order of words."""
SAME: Final = 95.0
PART_NEAR: Final = 75.0
PARTS_NEAR: Final = 80.0
PIECE: Final = 3
BLOCK_BYTES: Final = 16
_WORDS: Final = re.compile(r"[^a-z0-9]+")


def words(name: str) -> list[str]:
    """The words of a name, without case, accents, hyphens and particles, in order of the alphabet."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("œ", "oe").replace("æ", "ae").replace("ß", "ss"))
    found = [word for word in _WORDS.split("".join(c for c in plain if not unicodedata.combining(c))) if word]
    return sorted(word for word in found if word not in PARTICLES) or sorted(found)


def blocks(key: bytes, person: Person) -> set[bytes]:
    """Equal ones for people who may be near: the date, day and month in either order, with the first or the last
    letters of each word of the names."""
    date = _either_order(person.birth_date)
    pieces = {piece for word in _all_words(person) for piece in (f"^{word[:PIECE]}", f"{word[-PIECE:]}$")}
    return {hmac.digest(key, f"near\n{date}\n{piece}".encode(), "sha256")[:BLOCK_BYTES] for piece in pieces}


def nearness(one: Person, other: Person) -> str | None:
    """Why the two may be one person: `near_names` or `day_month_swapped`. None: nothing speaks for it."""
    mine, theirs = _all_words(one), _all_words(other)
    score = fuzz.token_sort_ratio(" ".join(mine), " ".join(theirs))
    if one.birth_date != other.birth_date:
        swapped = _either_order(one.birth_date) == _either_order(other.birth_date)
        return "day_month_swapped" if swapped and score >= SAME else None
    if score >= NEAR or _one_has_more(mine, theirs) or _parts_near(one, other):
        return "near_names"
    return None


def _all_words(person: Person) -> list[str]:
    return sorted({*words(person.family_name), *words(person.given_name)})


def _one_has_more(mine: list[str], theirs: list[str]) -> bool:
    """A second given name, or a composed family name, that the other one lacks."""
    shared = set(mine) & set(theirs)
    return len(shared) >= 2 and (shared == set(mine) or shared == set(theirs))


def _parts_near(one: Person, other: Person) -> bool:
    """Family and given names near each on their own, as they stand or the one for the other."""
    (family, given), (their_family, their_given) = _two(one), _two(other)
    pairs = (
        (fuzz.ratio(family, their_family), fuzz.ratio(given, their_given)),
        (fuzz.ratio(family, their_given), fuzz.ratio(given, their_family)),
    )
    return any(min(pair) >= PART_NEAR and sum(pair) / 2 >= PARTS_NEAR for pair in pairs)


def _two(person: Person) -> tuple[str, str]:
    return "".join(words(person.family_name)), "".join(words(person.given_name))


def _either_order(date: str) -> str:
    year, month, day = date.split("-")
    return f"{year}-{min(month, day)}-{max(month, day)}"
