"""What is to be put away when the run ends: a worker of pytest-xdist leaves without Python's atexit."""

from contextlib import ExitStack
from typing import Final

RUN_END: Final = ExitStack()
