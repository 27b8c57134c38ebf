"""Ends what a supervisor started when the supervisor itself is gone, however it went.

Run as `python -I -S deploy/keeper.py` with a pipe as standard input: "+N" names a process group to end, "-N" forgets
it. The end of the pipe means that its writer is dead (a kill -9 too closes it): every group still known is asked to
stop, and after `GRACE` seconds is killed. Works wherever pipes and process groups do. It also inherits the data
folder's lock, so that no second supervisor starts there before the last child of the first has gone.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE = 4.0


def send(group: int, number: int) -> bool:
    """False when no process of the group is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False
    return True


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        number = int(line[1:])
        if line[0] == "+":
            groups.add(number)
        else:
            groups.discard(number)
    left = {group for group in groups if send(group, signal.SIGTERM)}
    until = time.monotonic() + GRACE
    while left and time.monotonic() < until:
        time.sleep(0.05)
        left = {group for group in left if send(group, 0)}
    for group in left:
        send(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
