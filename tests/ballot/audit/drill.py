"""Every way to cheat on a poll of any size: `python -m tests.ballot.audit.drill 2000`. Exits 1 if one is missed."""

from __future__ import annotations

import sys
import time
from copy import deepcopy

from tests.ballot.audit.tampers import CASES
from tests.ballot.audit.test_tampering import look
from tests.ballot.builder import election


def main(ballots: int) -> int:
    made = election(ballots, epochs=max(4, ballots // 100))
    started = time.perf_counter()
    report = look(made)
    print(f"sound: {report.count_line()} in {time.perf_counter() - started:.2f} s; {report.findings or 'passed'}")
    missed = 0 if report.passed else 1
    for name, (tamper, finding, field) in CASES.items():
        findings = look(tamper(deepcopy(made))).findings
        named = bool(findings) and (findings[0].finding, findings[0].field) == (finding, field)
        missed += not named
        said = f"{findings[0].finding} ({findings[0].field})" if findings else "NOTHING FOUND"
        print(f"{'found ' if named else 'MISSED'} {name.replace('_', ' ')}: {said}", flush=True)
    print(f"{len(CASES)} kinds of tampering, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
