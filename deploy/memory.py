"""What the platform keeps in memory: the sum of PSS, which counts a page shared by n processes as 1/n in each.

    python -m deploy.memory DATA

Linux only: it reads /proc.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from deploy.data_folder import supervisor_of

_PROC: Final = Path("/proc")


class Use(NamedTuple):
    pid: int
    name: str
    pss_kb: int


def memory_of(root: int) -> list[Use]:
    """The process and all that descend from it, in the order of their ids."""
    children = defaultdict(list)
    for pid, parent in _parents():
        children[parent].append(pid)
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        waiting += children[pid]
        if (pss := _pss_kb(pid)) is not None:
            found.append(Use(pid, _name(pid), pss))
    return sorted(found)


def _parents() -> Iterator[tuple[int, int]]:
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        yield int(entry.name), int(after_name[1])


def _pss_kb(pid: int) -> int | None:
    try:
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        return None  # it ended, or is a zombie
    return None


def _name(pid: int) -> str:
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return "?"
    texts = [word.decode("utf-8", "replace") for word in words if word]
    if "-m" in texts[:-1]:
        return " ".join(texts[texts.index("-m") + 1 :])[:60]
    return " ".join(texts)[-60:]


def main() -> int:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "data")
    supervisor = supervisor_of(data)
    if supervisor is None:
        print(f"Parvis ne tourne pas sur {data} : démarrez-le d'abord (make run).", file=sys.stderr)
        return 1
    uses = memory_of(supervisor)
    for use in uses:
        print(f"{use.pss_kb / 1024:8.1f} Mo  {use.pid:>7}  {use.name}")
    print(f"{sum(use.pss_kb for use in uses) / 1024:8.1f} Mo  en tout ({len(uses)} processus, somme des PSS)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
