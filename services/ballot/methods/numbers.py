"""Exact numbers as JSON: an integer where it is one, else the text of a fraction in lowest terms, as "7/3"."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

MAX_SAFE: Final = 2**53 - 1
Exact = int | str


def exact(value: Fraction | int) -> Exact:
    """Integers beyond 2^53 − 1 are written as text too: JSON readers elsewhere would round them."""
    if isinstance(value, int):
        return value if -MAX_SAFE <= value <= MAX_SAFE else str(value)
    if value.denominator == 1:
        return exact(value.numerator)
    return f"{value.numerator}/{value.denominator}"


def decimal(value: int, places: int) -> Exact:
    """A number held in units of 10^-places: an integer where it is one, else "12.34567" with all its places."""
    unit = 10**places
    if value % unit == 0:
        return exact(value // unit)
    sign, value = ("-", -value) if value < 0 else ("", value)
    return f"{sign}{value // unit}.{value % unit:0{places}d}"
