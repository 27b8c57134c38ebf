"""How many messages a text makes on a telephone: 160 characters of GSM 03.38, else 70 of UCS-2; less in several parts.

`ç ê ï œ ’ –` are not in that alphabet: one of them more than halves what a message holds. `plain` puts what looks the
same in their place.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED: Final = frozenset("^{}\\[~]|€\f")  # each takes two places
_ALIKE: Final = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "…": "...", "œ": "oe", "Œ": "OE"}
    | dict.fromkeys("\xa0\u202f\u2009", " ")
)


@dataclass(frozen=True, slots=True)
class Count:
    """`places`: septets in GSM-7, 16-bit units in UCS-2."""

    encoding: str
    places: int
    parts: int


def count(text: str) -> Count:
    if set(text) <= BASIC | EXTENDED:
        places = len(text) + sum(character in EXTENDED for character in text)
        return Count("GSM-7", places, _parts(places, 160, 153))
    places = len(text.encode("utf-16-be")) // 2
    return Count("UCS-2", places, _parts(places, 70, 67))


def plain(text: str) -> str:
    """The text in the basic alphabet as far as look-alikes go; what has none stays."""
    return "".join(c if c in BASIC else _bare(c) for c in text.translate(_ALIKE))


def _bare(character: str) -> str:
    found = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    return found if found and set(found) <= BASIC else character


def _parts(places: int, alone: int, joined: int) -> int:
    return 1 if places <= alone else -(-places // joined)
