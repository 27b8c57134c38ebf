"""Whole numbers grouped by thousands, shares in percent, euros: as the page's language has them."""

from __future__ import annotations

from typing import Final

from services.gateway.pages import language

THIN: Final = "\N{NARROW NO-BREAK SPACE}"
NBSP: Final = "\N{NO-BREAK SPACE}"
_THOUSANDS: Final = {"fr": THIN, "en": ",", "br": NBSP}


def number(value: int) -> str:
    """12 345; in English 12,345"""
    return f"{value:,}".replace(",", _THOUSANDS[language.main()])


def percent(part: int, whole: int) -> str:
    """62,4 % by integer arithmetic, rounded half up."""
    if whole <= 0:
        return "0%" if language.main() == "en" else f"0{NBSP}%"
    tenths = (2000 * part + whole) // (2 * whole)
    sign = "%" if language.main() == "en" else f"{NBSP}%"
    return f"{number(tenths // 10)}{decimal_point()}{tenths % 10}{sign}"


def decimal_point() -> str:
    return "." if language.main() == "en" else ","


def rate(value: float) -> str:
    """71,4 %, of a percentage that somebody wrote down."""
    return f"{value:.1f}".replace(".", ",").removesuffix(",0") + f"{NBSP}%"


def count(value: int, one: str, many: str) -> str:
    """`2 bulletins`; in French, zero takes the singular."""
    return f"{number(value)}{NBSP}{one if abs(value) < 2 else many}"


def euros(value: int) -> str:
    """400 000 €; in English €400,000"""
    return f"€{number(value)}" if language.main() == "en" else f"{number(value)}{NBSP}€"
