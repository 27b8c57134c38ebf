"""The arithmetic of equal shares: everybody's money, and what each project asks of those who want it.

Money is exact: integers over a denominator that grows with every purchase. Floats only tell which projects need not be
looked at exactly: each price is first bracketed between two floats, by the bound on the rounding of its sums.
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
    """Who wants a project: rows of distinct ballots, the utility that each gets, how many people cast it."""

    option: str
    cost: int
    rows: Ints
    utility: Ints
    people: Ints


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
    rows: dict[str, list[int]] = {option: [] for option in costs}
    utility: dict[str, list[int]] = {option: [] for option in costs}
    for row, (wanted, _) in enumerate(ballots):
        for option, value in wanted.items():
            rows[option].append(row)
            utility[option].append(value)
    people = np.array([times for _, times in ballots], np.int64)
    return [
        Demand(option, costs[option], mine := np.array(rows[option], np.int64), np.array(utility[option]), people[mine])
        for option in costs
        if rows[option]
    ]


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

    def pay(self, demand: Demand, price: Fraction) -> int:
        """Each supporter pays price × utility, or all they have; how many people paid something."""
        factor = price.denominator // gcd(self.denominator, price.denominator)
        self._denominators.append(self.denominator * factor)
        unit = price.numerator * (self.denominator // price.denominator)
        payers = 0
        supporters = zip(demand.rows.tolist(), demand.utility.tolist(), demand.people.tolist(), strict=True)
        for row, utility, people in supporters:
            had = self.amount(row)
            payers += people if had else 0
            left = self._amounts[row] = max(0, had - unit * utility)
            self.floats[row] = left / self.denominator
        return payers


def run(wanted: Sequence[Demand], voters: int, share: Fraction, tie: TieBreak) -> list[Purchase]:
    """The purchases in order."""
    purses = Purses(voters, share)
    order = {d.option: tie.place(d.option) for d in wanted}
    heap = [(d.cost / float(d.utility @ d.people), order[d.option], d) for d in wanted]
    heapq.heapify(heap)
    bought: list[Purchase] = []
    while True:
        near = _cheapest(heap, purses, order)
        if not near:
            return bought
        price = min(found for found, _ in near)
        first = tie.first([demand.option for found, demand in near if found == price], "project")
        for found, demand in near:
            if demand.option == first:
                bought.append(Purchase(first, price, purses.pay(demand, price)))
            else:
                heapq.heappush(heap, (float(found) * (1 - 2 * _EPSILON), order[demand.option], demand))


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
    money, utility = floats[demand.rows], demand.utility
    rounding = 4 * (len(money) + 4) * _EPSILON
    if (money @ demand.people) < demand.cost * (1 + rounding):
        return None
    ratio = money / utility
    rank = ratio.argsort()
    worth, paid = (utility * demand.people)[rank], (money * demand.people)[rank]
    rest = np.cumsum(worth[::-1])[::-1]
    before = np.concatenate(([0.0], np.cumsum(paid)[:-1]))
    prices = (demand.cost - before) / rest
    last = int(np.argmax(prices <= ratio[rank]))
    # cost − before is at least cost × rest / all: so much can the subtraction lose.
    error = rounding * float(rest[0]) / float(rest[last])
    return _Bracket(max(0.0, float(prices[last]) * (1 - error)), float(prices[last]) * (1 + error))


def _affordable(demand: Demand, purses: Purses) -> bool:
    rounding = 4 * (len(demand.rows) + 4) * _EPSILON
    if (purses.floats[demand.rows] @ demand.people) < demand.cost * (1 - rounding):
        return False
    rows = zip(demand.rows.tolist(), demand.people.tolist(), strict=True)
    has: int = sum(purses.amount(row) * people for row, people in rows)
    return has >= demand.cost * int(purses.denominator)


def _exactly(demand: Demand, purses: Purses, about: _Bracket) -> Fraction:
    """The smallest price at which the supporters pay the whole cost, each at most what they have."""
    amounts = [purses.amount(row) for row in demand.rows.tolist()]
    utility, people = demand.utility.tolist(), demand.people.tolist()
    missing, worth = demand.cost * purses.denominator, sum(u * n for u, n in zip(utility, people, strict=True))
    ratio = purses.floats[demand.rows] / demand.utility
    poor = ratio < about.low * (1 - 4 * _EPSILON)  # these give all they have, whatever the last digits are
    close = ~poor & (ratio <= about.high * (1 + 4 * _EPSILON))
    unsure = sorted(np.flatnonzero(close).tolist(), key=lambda place: Fraction(amounts[place], utility[place]))
    for place in np.flatnonzero(poor).tolist():
        missing -= amounts[place] * people[place]
        worth -= utility[place] * people[place]
    for place in unsure:
        if missing * utility[place] <= amounts[place] * worth:
            break
        missing -= amounts[place] * people[place]
        worth -= utility[place] * people[place]
    return Fraction(missing, worth * purses.denominator)
