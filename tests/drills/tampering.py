"""Every known way to cheat, tried on polls of 2,000 ballots that differ with the seed.

Checks: the audit passes on the sound poll, fails on each cheat, and names the right cause and field first.
"""

from __future__ import annotations

import time
from copy import deepcopy

from tests.ballot.audit.tampers import CASES
from tests.ballot.audit.test_tampering import look
from tests.ballot.builder import election


def main(smoke: bool, seed: int) -> dict[str, object]:
    ballots = 200 if smoke else 2000
    made = election(ballots, epochs=max(4, ballots // 100), seed=seed)
    began = time.perf_counter()
    sound = look(made)
    auditing = time.perf_counter() - began
    assert sound.passed, sound.findings
    missed = []
    for name, (tamper, finding, field) in CASES.items():
        findings = look(tamper(deepcopy(made))).findings
        if not findings or (findings[0].finding, findings[0].field) != (finding, field):
            missed.append((name, f"{finding} ({field})", [f"{f.finding} ({f.field})" for f in findings[:3]]))
    assert not missed, missed
    assert len(CASES) >= 95, "a way to cheat is no longer tried"
    return {
        "ballots": ballots, "kinds": len(CASES), "caught, with the right cause": len(CASES) - len(missed),
        "audit of the sound poll s": round(auditing, 2),
    }  # fmt: skip
