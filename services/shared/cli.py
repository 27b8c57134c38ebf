"""How every service's `python -m services.X` ends: what an operator can mend is a sentence and exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from services.shared.errors import Refusal
from services.shared.eventlog import LogNotReady
from services.shared.keys import KeyRefused
from services.shared.settings import SettingRefused
from services.shared.store import StoreFailed


def finish(main: Callable[[], int]) -> NoReturn:
    """Runs `main` and exits with its code. Anything unexpected keeps its traceback: that is a fault of ours."""
    try:
        code = main()
    except (SettingRefused, KeyRefused, LogNotReady, StoreFailed) as e:
        print(e, file=sys.stderr)
        code = 2
    except Refusal as e:
        print(f"{e.code}: {e.field + ': ' if e.field else ''}{e.reason}", file=sys.stderr)
        code = 1
    sys.exit(code)
