"""Our counts against other people's: pref_voting, votekit, pyrankvote, abcvoting, pabutools.

Each method is counted on random profiles, half of them full of ties. Every difference is put down to a named convention
that alone reproduces the other outcome, or the drill fails. `survey` and `supports` have no counterpart: their sums are
held against plain ones by the tests.
"""

from __future__ import annotations

import contextlib
import io
import random
import warnings

from tests.drills import _oracle_budgets, _oracle_rankings, _oracle_sums
from tests.drills._oracle import compare

JUDGES = _oracle_sums.JUDGES | _oracle_rankings.JUDGES | _oracle_budgets.JUDGES


def main(smoke: bool, seed: int) -> dict[str, object]:
    warnings.simplefilter("ignore")  # theirs
    figures: dict[str, object] = {}
    missed = []
    for (method, oracle), judge in JUDGES.items():
        chance = random.Random(f"{seed} {method} {oracle}")
        random.seed(seed)  # pyrankvote draws its own lots
        with contextlib.redirect_stdout(io.StringIO()):
            score = compare(method, judge, 60 if smoke else 1000, chance)
        figures[f"{method} / {oracle}"] = score.told()
        missed += [(method, oracle, question, profile) for question, profile in score.unexplained]
    for method, oracle, question, profile in missed[:5]:
        print(f"unexplained: {method} / {oracle}: {question} {profile}", flush=True)
    assert not missed, f"{len(missed)} differences that no named convention explains"
    return figures
