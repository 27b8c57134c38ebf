"""`make keys`: every service makes the key files that it lacks; what is there stays. Names the folder, never a key."""

from __future__ import annotations

import subprocess
import sys

from deploy.processes import ROOT, read_doors, services_of
from services.shared.settings import Common


def main() -> int:
    for service in services_of(read_doors()):
        code = subprocess.run([sys.executable, "-m", f"services.{service}", "keys"], cwd=ROOT).returncode
        if code:
            return code
    print(f"Clés : {Common.from_env().keys.resolve()}. Sauvegardez-les à part des données.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
