"""STV as Scotland counts its councils: values cut to five decimal places.

What is marked, the quota, the stages and the ties: see `stv`. Each ballot of an elected option passes on at
(surplus × its value when received) / total votes, what comes after the fifth decimal place ignored. Numbers are kept in
units of 0.00001, so the count is in integers. Source: Scottish Local Government Elections Order 2011 (SSI 2011/399),
schedule 1, rules 46 to 53; the same rules in SSI 2007/42, rules 45 to 52.
"""

from __future__ import annotations

from typing import Final

from services.ballot.methods.numbers import Exact, decimal
from services.ballot.methods.stv import Stv

PLACES: Final = 5


class StvScottish(Stv[int]):
    name = "stv_scottish"

    @property
    def unit(self) -> int:
        return int(10**PLACES)

    def reduced(self, value: int, surplus: int, total: int) -> int:
        return surplus * value // total

    def written(self, value: int) -> Exact:
        return decimal(value, PLACES)
