"""`python -m tests.journeys.criteria` writes docs/accessibility/automatic.md: the criteria that axe looks at."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

from services.gateway.assets import build
from tests.journeys.engines import MODULES

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "accessibility" / "automatic.md"
ALL: Final = 106
_RULES: Final = (
    "const axe = require(process.argv[1]);"
    "console.log(JSON.stringify([axe.version, axe.getRules(['RGAAv4']).map(r => [r.ruleId, r.tags])]))"
)


def page() -> str:
    """What the installed axe says of itself."""
    node = build.find_node(build.OLDEST_FOR_TESTS).node
    command = [*node, "-e", _RULES, str(MODULES / "axe-core")]
    version, rules = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    found: dict[tuple[int, int], set[str]] = defaultdict(set)
    for rule, tags in rules:
        for tag in tags:
            if tag.startswith("RGAA-"):
                theme, criterion, *_ = tag.removeprefix("RGAA-").split(".")
                found[int(theme), int(criterion)].add(rule)
    lines = [
        "<!-- Written by `python -m tests.journeys.criteria`: change the engine, not this page. -->\n",
        "# What axe looks at, by criterion of the RGAA\n",
        f"axe-core {version} has {len(rules)} rules that touch {len(found)} of the {ALL} criteria of RGAA 4.1. "
        "A rule finds some faults\nagainst a criterion, never its whole: green here is no conformity.\n",
        "| Criterion | Rules |",
        "|-|-|",
        *(f"| {a}.{b} | {', '.join(f'`{rule}`' for rule in sorted(found[a, b]))} |" for a, b in sorted(found)),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    build.build(with_tests=True)
    PAGE.write_text(page(), "utf-8")
    sys.exit(0)
