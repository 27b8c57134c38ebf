"""Counts of large profiles against the fastest library that knows the method, and their growth with distinct ballots.

Every ballot is distinct: the most that so many voters can cost. Two spans are timed. The whole goes from the same
rankings or approvals in Python to the outcome; the count alone starts from the profile that each side keeps (rows of
integers here). Outcomes are compared too, since a fast wrong count is none.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import pyrankvote
from pref_voting.margin_based_methods import beat_path
from pref_voting.profiles import Profile as Linear
from pref_voting.proportional_methods import stv_scottish
from votekit.elections import FastSTV

from services.ballot.methods.rankings import preferences
from services.ballot.methods.stv_scottish import StvScottish
from services.ballot.protocol.questions import Question
from tests.ballot.methods.asking import ask
from tests.ballot.methods.made import Profile
from tests.drills._oracle import names
from tests.drills._oracle_budgets import Oracle
from tests.drills._oracle_rankings import options, votekit_profile, weak_orders

ROUNDS: Final = 3
SEED: Final = 20261125
LETTERS: Final = "abcdefghijklmnopqrst"


@dataclass
class Spans:
    """Seconds of each side, round by round."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def time(self, name: str, run: Callable[..., Any], *given: Any) -> Any:
        gc.collect()
        gc.freeze()  # what the machine keeps for other measures is not walked while this one runs
        began = time.perf_counter()
        found = run(*given)
        self.seconds.setdefault(name, []).append(time.perf_counter() - began)
        gc.unfreeze()
        return found

    def median(self, name: str) -> float:
        return statistics.median(self.seconds[name])

    def figures(self, ours: str, others: Iterable[str]) -> dict[str, Any]:
        """Seconds, and how many times longer the fastest of the others took."""
        fastest = min(others, key=self.median)
        ratios = sorted(b / a for a, b in zip(self.seconds[ours], self.seconds[fastest], strict=True))
        return {
            "ours s (median)": round(self.median(ours), 3),
            **{f"{name} s (median)": round(self.median(name), 3) for name in others},
            "fastest": fastest, "fastest / ours": round(statistics.median(ratios), 1),
            "min": round(ratios[0], 1), "max": round(ratios[-1], 1),
        }  # fmt: skip


def measure(short: bool) -> dict[str, Any]:
    warnings.simplefilter("ignore")  # theirs
    part = 20 if short else 1
    return {
        "STV, 12 candidates, 5 seats": _stv(100_000 // part),
        "Schulze, 20 candidates": _schulze(1_000_000 // part),
        "equal shares, 200 projects": _shares(10_000 // part),
    }


def _stv(ballots: int) -> dict[str, Any]:
    question = ask("stv_scottish", LETTERS[:12], seats=5)
    orders = _orders(ballots, 12, shortest=3)
    profile = _profile(question, orders)
    spans, rule = Spans(), StvScottish()
    for _ in range(ROUNDS):
        rows = preferences(question, profile)
        ours = spans.time("ours", rule.count_rows, question, rows)
        whole = spans.time("ours, whole", rule.count, question, profile)
        assert ours == whole
        winners = {
            "votekit": _votekit(spans, question, profile),
            "pyrankvote": _pyrankvote(spans, question, orders),
            "pref_voting": _pref_voting(spans, question, profile),
        }
        assert all(found == set(ours["winners"]) for found in winners.values()), (ours["winners"], winners)
    return {
        "distinct ballots": ballots,
        "count alone": spans.figures("ours", winners),
        "from rankings to outcome": spans.figures("ours, whole", [f"{name}, whole" for name in winners]),
        **_growth(lambda n: _profile(question, orders[:n]), lambda profile: rule.count(question, profile), ballots),
    }


def _votekit(spans: Spans, question: Question, profile: Profile) -> set[str]:
    """Its quick variant, in floats."""
    made = spans.time("votekit, whole", votekit_profile, question, profile)
    found = spans.time(
        "votekit", lambda: FastSTV(made, n_seats=5, simultaneous=False, tiebreak="random", rng_seed=1).get_elected()
    )
    _add(spans, "votekit")
    return {name for group in found for name in group}


def _pyrankvote(spans: Spans, question: Question, orders: list[list[int]]) -> set[str]:
    people = [pyrankvote.Candidate(name) for name in names(question)]
    made = spans.time(
        "pyrankvote, whole", lambda: [pyrankvote.Ballot([people[at] for at in order]) for order in orders]
    )
    found = spans.time("pyrankvote", lambda: pyrankvote.single_transferable_vote(people, made, 5))
    _add(spans, "pyrankvote")
    return {winner.name for winner in found.get_winners()}


def _pref_voting(spans: Spans, question: Question, profile: Profile) -> set[str]:
    made = spans.time("pref_voting, whole", weak_orders, question, profile)
    found = spans.time("pref_voting", lambda: stv_scottish(made, num_seats=5, rng=random.Random(1)))
    _add(spans, "pref_voting")
    return options(question, found)


def _add(spans: Spans, name: str) -> None:
    """The whole is the profile's making, and the count."""
    spans.seconds[f"{name}, whole"][-1] += spans.seconds[name][-1]


def _schulze(ballots: int) -> dict[str, Any]:
    """The library computes the duels while it makes its profile: only the whole can be compared."""
    question = ask("schulze", LETTERS, seats=1)
    orders = _orders(ballots, 20, shortest=20)
    profile = _profile(question, orders)
    spans = Spans()
    for _ in range(ROUNDS):
        ours = spans.time("ours", question.rule.count, question, profile)
        found = spans.time("pref_voting", lambda: beat_path(Linear(orders, rcounts=[1] * len(orders))))
        assert options(question, found) == set(ours["winners"]), (ours["winners"], found)
    return {
        "distinct ballots": ballots,
        "from rankings to outcome": spans.figures("ours", ["pref_voting"]),
        **_growth(lambda n: _profile(question, orders[:n]), lambda part: question.rule.count(question, part), ballots),
    }


def _shares(voters: int) -> dict[str, Any]:
    """Costs, tastes and number of approvals as in a large town's budget: cheap projects abound, few are popular."""
    chance = random.Random(SEED)
    projects = [f"p{number}" for number in range(200)]
    costs = {name: int(5000 * 10 ** chance.uniform(0, 1.7)) for name in projects}
    liked = [chance.paretovariate(1.2) for _ in projects]
    answers = []
    for _ in range(voters):
        wanted = set(chance.choices(projects, liked, k=chance.randint(3, 15)))
        answers.append({"choices": [name for name in projects if name in wanted]})
    profile: Profile = [(answer, 1) for answer in answers]
    budget = sum(costs.values()) // 5
    found: dict[str, Any] = {"voters": voters}
    for completion in ("none", "utilitarian"):
        question = ask(
            "budget_equal_shares", projects, budget=budget, costs=costs, utility="cost", completion=completion,
            ballot={"kind": "approval", "least": 1, "most": 15},
        )  # fmt: skip
        spans = Spans()
        for _ in range(ROUNDS):
            ours = spans.time("ours", question.rule.count, question, profile)
            made = spans.time("pabutools, whole", Oracle, question, profile)
            theirs = spans.time("pabutools", made.equal_shares, "cost", completion)
            _add(spans, "pabutools")
            assert set(theirs) == set(ours["winners"]), (ours["winners"], theirs)
        found[f"completion {completion}"] = {
            "from approvals to outcome": spans.figures("ours", ["pabutools, whole"]),
        }
    return found | _growth(lambda n: profile[:n], lambda part: question.rule.count(question, part), voters)


def _growth(part: Callable[[int], Profile], count: Callable[[Profile], Any], ballots: int) -> dict[str, Any]:
    """Seconds a ballot at a quarter and at all of them: 1.0 is linear."""
    spans = Spans()
    few, all_ = part(ballots // 4), part(ballots)
    for _ in range(ROUNDS):
        spans.time("quarter", count, few)
        spans.time("all", count, all_)
    ratios = [b / a / 4 for a, b in zip(spans.seconds["quarter"], spans.seconds["all"], strict=True)]
    return {"seconds a ballot, all / a quarter of them": round(statistics.median(ratios), 2)}


def _orders(ballots: int, candidates: int, shortest: int) -> list[list[int]]:
    """Distinct rankings, the later candidates rarer in front."""
    chance = random.Random(SEED)
    weights = [1 / (1 + at / 4) for at in range(candidates)]
    found: set[tuple[int, ...]] = set()
    while len(found) < ballots:
        keys = sorted(range(candidates), key=lambda at: -(chance.random() ** (1 / weights[at])))
        found.add(tuple(keys[: chance.randint(shortest, candidates)]))
    return [list(order) for order in sorted(found)]


def _profile(question: Question, orders: list[list[int]]) -> Profile:
    known = [[name] for name in names(question)]
    return [({"ranking": [known[at] for at in order]}, 1) for order in orders]
