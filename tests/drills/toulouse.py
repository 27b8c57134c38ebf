"""Toulouse's participatory budgets, counted again: 2019 (points), 2022 (the town and each district), 2024.

By votes, and by equal shares with either utility and every completion, against pabutools with the same tie-break; and
never slower. The files are Pabulib's, beside the repository in shared/data/pabulib; without them nothing is counted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pabutools.election import parse_pabulib

from deploy.processes import ROOT
from services.ballot.methods.budget_equal_shares import COMPLETIONS, UTILITIES
from services.ballot.protocol.questions import Question
from tests.ballot.methods.asking import ask, count
from tests.ballot.methods.made import Profile
from tests.drills._oracle import EQUAL, Json
from tests.drills._oracle_budgets import Oracle, verdict

FOLDER = ROOT.parent / "shared" / "data" / "pabulib"
LARGE = 1000  # voters: raising shares for more takes pabutools half a minute and longer


class Town:
    """One file: the question that it put, the profile, and how both sides counted."""

    def __init__(self, file: Path) -> None:
        instance, votes = parse_pabulib(str(file))
        self.budget = int(instance.budget_limit)
        self.costs = {name: int(cost) for name, cost in sorted((p.name, p.cost) for p in instance)}
        self.ballot = _ballot(instance.meta, len(self.costs))
        self.profile: Profile = [(_answer(key), times) for key, times in Counter(map(self._key, votes)).items()]
        self.voters = len(votes)
        self.ours = self.theirs = 0.0
        self.verdicts: Counter[str] = Counter()

    def _key(self, vote: Any) -> tuple[Any, ...]:
        """Names in the question's order, with points where there are any."""
        if self.ballot["kind"] == "approval":
            return tuple(sorted(project.name for project in vote))
        return tuple(sorted((project.name, int(points)) for project, points in vote.items() if points))

    def question(self, method: str, **more: str) -> Question:
        return ask(method, self.costs, budget=self.budget, costs=self.costs, ballot=self.ballot, **more)

    def compare(self, *, raised: bool) -> None:
        asked = self.question("budget_greedy")
        self._judge(asked, self._count(asked), self._timed(Oracle(asked, self.profile).greedy))
        for utility in UTILITIES:
            for completion in COMPLETIONS:
                if raised or not completion.startswith("add1"):
                    self._shares(utility, completion)

    def _shares(self, utility: str, completion: str) -> None:
        asked = self.question("budget_equal_shares", utility=utility, completion=completion)
        oracle = Oracle(asked, self.profile)
        self._judge(asked, self._count(asked), self._timed(lambda: oracle.equal_shares(utility, completion)))

    def _count(self, asked: Question) -> Json:
        began = time.perf_counter()
        found = count(asked, self.profile)
        self.ours += time.perf_counter() - began
        return found

    def _timed(self, theirs: Any) -> list[str]:
        began = time.perf_counter()
        found: list[str] = theirs()
        self.theirs += time.perf_counter() - began
        return found

    def _judge(self, asked: Question, ours: Json, found: list[str]) -> None:
        self.verdicts[verdict(asked, ours, found)] += 1


def _ballot(meta: dict[str, str], projects: int) -> Json:
    if meta["vote_type"] == "cumulative":
        return {"kind": "points", "points": int(meta["max_sum_points"]), "most": int(meta["max_points"])}
    return {"kind": "approval", "least": 1, "most": min(projects, int(meta["max_length"]))}


def _answer(key: tuple[Any, ...]) -> Json:
    return {"points": dict(key)} if isinstance(key[0], tuple) else {"choices": list(key)}


def main(smoke: bool, seed: int) -> dict[str, object]:
    if not FOLDER.is_dir():
        print("   skipped: no files of Pabulib in shared/data/pabulib beside the repository", flush=True)
        return {"skipped": "no files of Pabulib beside the repository"}
    figures: dict[str, object] = {}
    for name, towns in _groups(10 if smoke else 1):
        for town in towns:
            town.compare(raised=not (smoke and town.voters > LARGE))
        verdicts = sum((town.verdicts for town in towns), Counter[str]())
        ours, theirs = sum(town.ours for town in towns), sum(town.theirs for town in towns)
        explained = ", ".join(f"{why}: {times}" for why, times in sorted(verdicts.items()) if why != EQUAL)
        figures[name] = (
            f"{len(towns)} polls, {sum(t.voters for t in towns)} voters, {sum(len(t.costs) for t in towns)} projects; "
            f"{verdicts.total()} counts, {verdicts[EQUAL]} equal{f', {explained}' if explained else ''}; "
            f"ours {ours:.1f} s, pabutools {theirs:.1f} s"
        )
        assert set(verdicts) <= {EQUAL, "oracle funds what nobody wants"}, (name, verdicts)
        assert ours <= theirs, f"{name}: ours took {ours:.1f} s, pabutools {theirs:.1f} s"
    return figures


def _groups(every: int) -> Iterator[tuple[str, list[Town]]]:
    for name, pattern in (
        ("2019", "*_2019.pb"),
        ("2022, districts", "*_2022_*.pb"),
        ("2022", "*_2022.pb"),
        ("2024", "*_2024.pb"),
    ):
        yield name, [Town(file) for file in sorted(FOLDER.glob(pattern))[::every]]
