"""`make check`: all that can be said of the code without running the platform. Runs all, then says what failed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from deploy.processes import ROOT

CHECKS: Final = (
    ("ruff check", "ruff", ("check", "services", "deploy", "tests")),
    ("ruff format", "ruff", ("format", "--check", "services", "deploy", "tests")),
    ("mypy --strict", "mypy", ("--strict", "services", "deploy")),
    ("import rules", "lint-imports", ("--no-logo",)),
    ("house guards", "pytest", ("tests/house",)),
)


def main() -> int:
    failed = []
    for name, tool, arguments in CHECKS:
        began = time.monotonic()
        print(f"── {name}", flush=True)
        code = subprocess.run([str(Path(sys.executable).with_name(tool)), *arguments], cwd=ROOT).returncode
        print(f"   {'ok' if code == 0 else 'FAILED'} in {time.monotonic() - began:.1f} s", flush=True)
        if code:
            failed.append(name)
    print(f"\nmake check: {'all is well' if not failed else 'failed: ' + ', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
