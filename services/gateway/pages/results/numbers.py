"""Numbers of a result: integers, or exact ones written as text ("7/3", "12.34567"). Shown without floats."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from services.gateway.pages.language import plural, said
from services.gateway.pages.numbers import NBSP, decimal_point, number, percent

Exact = int | str
Number = int | Fraction
"""Whole numbers stay what they are: fractions of them cost a hundred times as much, and a page has hundreds."""


def exact(value: Exact | Fraction) -> Number:
    """The number itself. Add, subtract and compare; to divide, make a Fraction first."""
    return _read(value) if isinstance(value, str) else value


@lru_cache(4096)
def _read(text: str) -> Number:
    found = Fraction(text)
    return found.numerator if found.denominator == 1 else found


def shown(value: Exact | Fraction, places: int = 2) -> str:
    """12 345,67: at most so many decimal places, rounded half up; exact where they suffice, then without zeros."""
    found = exact(value)
    if isinstance(found, int):
        return ("\N{MINUS SIGN}" if found < 0 else "") + number(abs(found))
    unit = 10**places
    scaled = (2 * abs(found.numerator) * unit + found.denominator) // (2 * found.denominator)
    whole, rest = divmod(scaled, unit)
    decimals = f"{rest:0{places}d}"
    if scaled * found.denominator == abs(found.numerator) * unit:
        decimals = decimals.rstrip("0")
    sign = "\N{MINUS SIGN}" if found < 0 and scaled else ""
    return sign + number(whole) + (f"{decimal_point()}{decimals}" if decimals else "")


def is_rounded(value: Exact | Fraction, places: int = 2) -> bool:
    found = exact(value)
    return not isinstance(found, int) and found.numerator * 10**places % found.denominator != 0


def about(value: Exact | Fraction, places: int = 2) -> str:
    """As `shown`, with ≈ where it is rounded: for sentences."""
    return _rounded(value, places) + shown(value, places)


def _rounded(value: Exact | Fraction, places: int) -> str:
    return f"≈{NBSP}" if is_rounded(value, places) else ""


def votes(value: Exact | Fraction) -> str:
    """`≈ 12,35 voix`"""
    return plural("%(n)s voix", "%(n)s voix", exact(value), n=about(value))


def euros(value: Exact | Fraction, places: int = 2) -> str:
    """`≈ 12,35 €`"""
    return _rounded(value, places) + said("%(n)s €", n=shown(value, places))


def share(part: Exact | Fraction, whole: Exact | Fraction) -> str:
    """62,4 %, of exact numbers."""
    a, b = exact(part), exact(whole)
    return percent(a.numerator * b.denominator, b.numerator * a.denominator)


def along(part: Exact | Fraction, whole: Exact | Fraction, length: int = 1000) -> int:
    """Where `part` stands on a line of so many units that is `whole` long; rounded half up, kept on the line."""
    return scale(whole, length)(exact(part))


def scale(whole: Exact | Fraction, length: int = 1000) -> Callable[[Number], int]:
    """The same for many parts of one whole."""
    b = exact(whole)
    above, half, below = 2 * b.denominator * length, b.numerator, 2 * b.numerator

    def at(part: Number) -> int:
        a = part.denominator
        return max(0, min(length, (part.numerator * above + a * half) // (a * below)))

    return at if b > 0 else lambda _: 0


def precise(value: Exact) -> str:
    """The exact value where the shown one is rounded, for a title; empty where it is not, or too long to be read."""
    return str(value).replace(".", decimal_point()) if is_rounded(value) and len(str(value)) <= 24 else ""
