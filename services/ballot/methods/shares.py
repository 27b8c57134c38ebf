"""The arithmetic of equal shares: everybody's money, and what each project asks of those who want it.

Money is exact: integers over a denominator that grows with every purchase. Floats only tell which projects need not be
looked at exactly: each price is first bracketed between two floats, and a bracket is used only after the bound on the
rounding of its sums has shown that it holds.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from services.ballot.methods.rankings import Ints
from services.ballot.methods.ties import TieBreak

_EPSILON: Final = 2.0**-52
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Demand:
    """Who wants a project: rows of distinct ballots, the utility that each gets, how many people cast it.

    `utility` and `people` are floats for brackets; `supporters` holds the same exactly, as (row, utility, people):
    points × cost can pass 2^63. `unit` divides every utility.
    """

    option: str
    cost: int
    rows: Ints
    utility: Floats
    people: Floats
    supporters: list[tuple[int, int, int]]
    unit: int

    @property
    def rounding(self) -> float:
        """By how much, in proportion, a sum over the supporters can be wrong."""
        return 4 * (len(self.rows) + 4) * _EPSILON


class _Bracket(NamedTuple):
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Purchase:
    """`price`: what a supporter pays for one unit of utility, if they have it. `payers`: people who paid."""

    option: str
    price: Fraction
    payers: int


def demands(ballots: Sequence[tuple[Mapping[str, int], int]], costs: Mapping[str, int]) -> list[Demand]:
    """`ballots`: (utility by option, people). Projects that nobody wants are absent."""
    supporters: dict[str, list[tuple[int, int, int]]] = {option: [] for option in costs}
    for row, (wanted, people) in enumerate(ballots):
        for option, utility in wanted.items():
            supporters[option].append((row, utility, people))
    return [_demand(option, cost, supporters[option]) for option, cost in costs.items() if supporters[option]]


def _demand(option: str, cost: int, supporters: list[tuple[int, int, int]]) -> Demand:
    utilities = [utility for _, utility, _ in supporters]
    return Demand(
        option,
        cost,
        rows=np.array([row for row, _, _ in supporters], np.int64),
        utility=np.array([float(utility) for utility in utilities]),
        people=np.array([float(people) for _, _, people in supporters]),
        supporters=supporters,
        unit=gcd(*utilities),
    )


class Purses:
    """Everybody's money during one run: exact, and as floats beside it."""

    def __init__(self, voters: int, share: Fraction) -> None:
        self._amounts = [share.numerator] * voters
        self._since = [0] * voters  # the denominator that each amount was last written for
        self._denominators = [share.denominator]
        self.floats = np.full(voters, float(share))

    @property
    def denominator(self) -> int:
        return self._denominators[-1]

    def amount(self, row: int) -> int:
        """In units of 1/denominator."""
        since = self._since[row]
        if since != len(self._denominators) - 1:
            self._amounts[row] *= self.denominator // self._denominators[since]
            self._since[row] = len(self._denominators) - 1
        return self._amounts[row]

    def pay(self, demand: Demand, price: Fraction) -> tuple[int, list[int]]:
        """Each supporter pays price × utility, or all they have. How many people paid something; the rows that have
        nothing left."""
        each = price * demand.unit  # the denominator need not grow by what all utilities share: a project's cost
        self._denominators.append(self.denominator * (each.denominator // gcd(self.denominator, each.denominator)))
        denominator = self.denominator
        step = each.numerator * (denominator // each.denominator)
        payers, emptied = 0, []
        for row, utility, people in demand.supporters:
            had = self.amount(row)
            payers += people if had else 0
            left = self._amounts[row] = max(0, had - step * (utility // demand.unit))
            self.floats[row] = left / denominator
            if not left:
                emptied.append(row)
        return payers, emptied

    def copy(self) -> Purses:
        other = Purses(0, Fraction(0))
        other._amounts, other._since = self._amounts.copy(), self._since.copy()
        other._denominators, other.floats = self._denominators.copy(), self.floats.copy()
        return other


class Moment(NamedTuple):
    """A purchase and what everybody had before it; `emptied`: the rows that had nothing left after it."""

    purchase: Purchase
    purses: Purses
    emptied: list[int]


def run(
    wanted: Sequence[Demand], voters: int, share: Fraction, tie: TieBreak, moments: list[Moment] | None = None
) -> list[Purchase]:
    """The purchases in order; with what everybody had before each in `moments`, where that is wanted."""
    purses = Purses(voters, share)
    order = {d.option: tie.place(d.option) for d in wanted}
    heap = [(d.cost / float(d.utility @ d.people) * (1 - d.rounding), order[d.option], d) for d in wanted]
    heapq.heapify(heap)
    bought: list[Purchase] = []
    while near := _cheapest(heap, purses, order):
        price = min(found for found, _ in near)
        first = tie.first([demand.option for found, demand in near if found == price], "project")
        for found, demand in near:
            if demand.option == first:
                before = purses.copy() if moments is not None else purses
                payers, emptied = purses.pay(demand, price)
                bought.append(Purchase(first, price, payers))
                if moments is not None:
                    moments.append(Moment(bought[-1], before, emptied))
            else:
                heapq.heappush(heap, (float(found) * (1 - 2 * _EPSILON), order[demand.option], demand))
    return bought


def _cheapest(
    heap: list[tuple[float, int, Demand]], purses: Purses, order: Mapping[str, int]
) -> list[tuple[Fraction, Demand]]:
    """The exact prices of the projects that may be the cheapest now; taken off the heap. Those that their supporters
    can no longer pay are dropped for good: money only shrinks, so a price of before is a lower bound."""
    looked: list[tuple[_Bracket, Demand]] = []
    best = np.inf
    while heap and heap[0][0] <= best:
        _, _, demand = heapq.heappop(heap)
        price = _about(demand, purses.floats)
        if price is None and not _affordable(demand, purses):
            continue
        price = price or _Bracket(0.0, np.inf)
        looked.append((price, demand))
        best = min(best, price.high)
    near = []
    for price, demand in looked:
        if price.low <= best:
            near.append((_exactly(demand, purses, price), demand))
        else:
            heapq.heappush(heap, (price.low, order[demand.option], demand))
    return near


def _about(demand: Demand, floats: Floats) -> _Bracket | None:
    """Between which floats the price stands; None when its supporters have less than it costs, or so nearly that
    floats cannot tell."""
    money, utility, people, rounding = floats[demand.rows], demand.utility, demand.people, demand.rounding
    if (money @ people) < demand.cost * (1 + rounding):
        return None
    ratio = money / utility
    rank = ratio.argsort()
    worth, paid = (utility * people)[rank], (money * people)[rank]
    rest = np.cumsum(worth[::-1])[::-1]
    before = np.concatenate(([0.0], np.cumsum(paid)[:-1]))
    prices = (demand.cost - before) / rest
    last = int(np.argmax(prices <= ratio[rank]))
    # cost − before is at least cost × rest / all: so much can the subtraction lose.
    error = 4 * rounding * float(rest[0]) / float(rest[last])
    low, high = max(0.0, float(prices[last]) * (1 - error)), float(prices[last]) * (1 + error)
    # What is paid grows with the price: too little at the one and enough at the other, the price stands between.
    too_little = np.minimum(money, low * utility) @ people * (1 + rounding) <= demand.cost
    enough = np.minimum(money, high * utility) @ people * (1 - rounding) >= demand.cost
    return _Bracket(low if too_little else 0.0, high if enough else np.inf)


def _affordable(demand: Demand, purses: Purses) -> bool:
    if (purses.floats[demand.rows] @ demand.people) < demand.cost * (1 - demand.rounding):
        return False
    has: int = sum(purses.amount(row) * people for row, _, people in demand.supporters)
    return has >= demand.cost * purses.denominator


def _exactly(demand: Demand, purses: Purses, about: _Bracket) -> Fraction:
    """The smallest price at which the supporters pay the whole cost, each at most what they have."""
    supporters = demand.supporters
    ratio = purses.floats[demand.rows] / demand.utility
    poor = ratio < about.low * (1 - 4 * _EPSILON)  # these give all they have, whatever the last digits are
    close = ~poor & (ratio <= about.high * (1 + 4 * _EPSILON))
    missing, worth = demand.cost * purses.denominator, sum(utility * people for _, utility, people in supporters)
    for place in np.flatnonzero(poor).tolist():
        row, utility, people = supporters[place]
        missing -= purses.amount(row) * people
        worth -= utility * people
    unsure = [supporters[place] for place in np.flatnonzero(close).tolist()]
    for row, utility, people in sorted(unsure, key=lambda one: Fraction(purses.amount(one[0]), one[1])):
        amount = purses.amount(row)
        if missing * utility <= amount * worth:
            break
        missing -= amount * people
        worth -= utility * people
    return Fraction(missing, worth * purses.denominator)
