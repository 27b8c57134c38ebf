"""Numbers of a result: integers, or exact ones written as text ("7/3", "12.34567"). Shown in French, without floats."""

from __future__ import annotations

from fractions import Fraction

from services.gateway.pages.words import NBSP, number, percent

Exact = int | str


def exact(value: Exact) -> Fraction:
    return Fraction(value)


def shown(value: Exact | Fraction, places: int = 2) -> str:
    """12 345,67: at most so many decimal places, rounded half up; exact where they suffice, then without zeros."""
    found = Fraction(value)
    unit = 10**places
    scaled = (2 * abs(found.numerator) * unit + found.denominator) // (2 * found.denominator)
    whole, rest = divmod(scaled, unit)
    decimals = f"{rest:0{places}d}"
    if Fraction(scaled, unit) == abs(found):
        decimals = decimals.rstrip("0")
    sign = "\N{MINUS SIGN}" if found < 0 and scaled else ""
    return sign + number(whole) + (f",{decimals}" if decimals else "")


def is_rounded(value: Exact | Fraction, places: int = 2) -> bool:
    return bool((Fraction(value) * 10**places).denominator != 1)


def about(value: Exact | Fraction, places: int = 2) -> str:
    """As `shown`, with ≈ where it is rounded: for sentences."""
    return (f"≈{NBSP}" if is_rounded(value, places) else "") + shown(value, places)


def votes(value: Exact | Fraction) -> str:
    """`≈ 12,35 voix`"""
    return f"{about(value)}{NBSP}voix"


def euros(value: Exact | Fraction) -> str:
    return f"{about(value)}{NBSP}€"


def share(part: Exact | Fraction, whole: Exact | Fraction) -> str:
    """62,4 %, of exact numbers."""
    a, b = Fraction(part), Fraction(whole)
    return percent(a.numerator * b.denominator, b.numerator * a.denominator)


def along(part: Exact | Fraction, whole: Exact | Fraction, length: int = 1000) -> int:
    """Where `part` stands on a line of so many units that is `whole` long; rounded half up, kept on the line."""
    if Fraction(whole) <= 0:
        return 0
    place = Fraction(part) * length / Fraction(whole)
    return max(0, min(length, (2 * place.numerator + place.denominator) // (2 * place.denominator)))


def precise(value: Exact) -> str:
    """The exact value where the shown one is rounded, for a title; empty where it is not, or too long to be read."""
    return str(value).replace(".", ",") if is_rounded(value) and len(str(value)) <= 24 else ""
