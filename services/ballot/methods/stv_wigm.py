"""STV by the Weighted Inclusive Gregory Method, in exact fractions.

What is marked, the quota, the stages and the ties: see `stv`. All ballots of an elected option pass on, at
value × surplus / total votes, without any rounding. Source: Weighted Inclusive Gregory Method, Western Australia
Electoral Act 1907, schedule 1; Farrell and McAllister (2003); here without the rounding that hand counts need.

At most 8 seats: each surplus doubles the digits of the fractions, which at 8 seats are some hundreds. `stv_scottish`
elects more.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from services.ballot.methods.method import Question
from services.ballot.methods.numbers import Exact, exact
from services.ballot.methods.stv import Stv
from services.ballot.protocol.fields import Fields

MAX_SEATS: Final = 8


class StvWigm(Stv[Fraction]):
    name = "stv_wigm"

    def check_settings(self, question: Question, settings: Fields) -> None:
        super().check_settings(question, settings)
        settings.integer("seats", least=1, most=MAX_SEATS)

    @property
    def unit(self) -> Fraction:
        return Fraction(1)

    def reduced(self, value: Fraction, surplus: Fraction, total: Fraction) -> Fraction:
        return value * surplus / total

    def written(self, value: Fraction) -> Exact:
        return exact(value)
