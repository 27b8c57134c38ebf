"""Raising everybody's share one unit at a time until equal shares use the budget up, without trying every unit.

Between two shares that lead to the same purchases, paid by the same people, everybody's money and every price are
linear in the share; so are the bounds that keep other projects dearer. What holds at both ends then holds in between,
and the units between need not be tried. A small poll with a large budget would else take a run for each cent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

import numpy as np

from services.ballot.methods.shares import Demand, Floats, Moment, Purchase, Purses, run
from services.ballot.methods.ties import TieBreak

_LONGEST_WAIT: Final = 32  # equal outcomes in a row before a leap is tried


def raise_shares(
    wanted: Sequence[Demand], voters: int, share: Fraction, costs: Mapping[str, int], money: int, tie: TieBreak
) -> int:
    """By how much everybody's share can grow, one unit at a time, until the outcome would cost more than there is or
    nothing that someone wants is left that the rest would pay. `money`: the budget."""
    silent = tie.silent()
    raised, alike, patience = 0, 0, 1
    before: list[tuple[str, int]] = []
    while True:
        bought = run(wanted, voters, share + raised, silent)
        options = {purchase.option for purchase in bought}
        left = money - sum(costs[option] for option in options)
        if left < 0:
            return raised - 1
        if not any(demand.cost <= left for demand in wanted if demand.option not in options):
            return raised
        now = [(purchase.option, purchase.payers) for purchase in bought]
        alike = alike + 1 if now == before else 0
        if alike >= patience:
            leapt = _leap(wanted, voters, share + raised, silent)
            # In a large poll something changes at nearly every unit: there a leap costs more than it saves.
            raised, alike, patience = raised + leapt, 0, 1 if leapt > 4 else min(2 * patience, _LONGEST_WAIT)
        raised, before = raised + 1, now


def _leap(wanted: Sequence[Demand], voters: int, share: Fraction, tie: TieBreak) -> int:
    """A number of units by which the share can grow with nothing changed on the way."""
    leapt, step, growing = 0, 1, True
    here = _moments(wanted, voters, share, tie)
    while step:
        there = _moments(wanted, voters, share + leapt + step, tie)
        if _same_between(wanted, here, there, tie):
            leapt, here = leapt + step, there
        else:
            growing = False
        step = step * 2 if growing else step // 2
    return leapt


def _moments(wanted: Sequence[Demand], voters: int, share: Fraction, tie: TieBreak) -> list[Moment]:
    moments: list[Moment] = []
    run(wanted, voters, share, tie, moments)
    return moments


def _same_between(wanted: Sequence[Demand], here: list[Moment], there: list[Moment], tie: TieBreak) -> bool:
    """Whether all shares between two lead to the same purchases. Said only where it is sure."""
    if [_seen(moment) for moment in here] != [_seen(moment) for moment in there]:
        return False
    left = {demand.option: demand for demand in wanted}
    for one, other in zip(here, there, strict=True):
        bought = left.pop(one.purchase.option)
        place = tie.place(bought.option)
        if not all(_dearer(demand, one, other, place < tie.place(demand.option)) for demand in left.values()):
            return False
    return True  # what could be paid after the last purchase at neither end cannot in between: money is linear


def _seen(moment: Moment) -> tuple[str, list[int]]:
    return moment.purchase.option, moment.emptied


def _dearer(demand: Demand, one: Moment, other: Moment, equal_is_enough: bool) -> bool:
    """Whether at the price of what was bought the supporters of another project pay less than it costs, at all shares
    between. Who pays all they have at the one end is taken to do so at the other: that can only be too much."""
    everything = _money(demand, one) <= _asked(demand, one)
    close = False
    for moment in (one, other):
        paid = np.where(everything, _money(demand, moment), _asked(demand, moment)) @ demand.people
        if paid * (1 - demand.rounding) > demand.cost:
            return False
        close |= bool(paid * (1 + demand.rounding) >= demand.cost)
    if not close:
        return True
    paid_exactly = [_paid(demand, moment, everything.tolist()) for moment in (one, other)]
    return all(paid < demand.cost or (equal_is_enough and paid == demand.cost) for paid in paid_exactly)


def _money(demand: Demand, moment: Moment) -> Floats:
    return moment.purses.floats[demand.rows]


def _asked(demand: Demand, moment: Moment) -> Floats:
    return float(moment.purchase.price) * demand.utility


def _paid(demand: Demand, moment: Moment, everything: list[bool]) -> Fraction:
    purses: Purses = moment.purses
    purchase: Purchase = moment.purchase
    money = sum(
        purses.amount(row) * people
        for (row, _, people), all_ in zip(demand.supporters, everything, strict=True)
        if all_
    )
    utility = sum(
        utility * people for (_, utility, people), all_ in zip(demand.supporters, everything, strict=True) if not all_
    )
    return Fraction(money, purses.denominator) + purchase.price * utility
