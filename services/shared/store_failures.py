"""What can go wrong in a store, whichever driver says it. Names of driver errors are those of PEP 249, so no driver is
imported here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_DRIVERS: Final = ("sqlite3", "psycopg")


class StoreFailed(Exception):
    """The store cannot answer: lost connection, disk full, file damaged. Nothing of the transaction stands."""


class StoreTooNew(StoreFailed):
    """The store was written by a newer release: this one must not touch it."""


class LockHeld(StoreFailed):
    """Another process holds the lock."""


class LockLost(StoreFailed):
    """This process holds its lock no longer: another may hold it by now, so this one must end."""


class Duplicate(Exception):
    """A unique rule of the store refused the row. The transaction is undone."""


class Overtaken(Exception):
    """Deadlock or serialization failure: undone by the store, worth repeating."""


@contextmanager
def translated() -> Iterator[None]:
    """Errors of a driver leave the block as Duplicate, Overtaken or StoreFailed; all others as they are."""
    try:
        yield
    except Exception as e:
        if type(e).__module__.split(".")[0] not in _DRIVERS:
            raise
        names = {kind.__name__ for kind in type(e).__mro__}
        reason = str(e).strip() or type(e).__name__
        if "IntegrityError" in names:
            raise Duplicate(reason) from e
        if names & {"DeadlockDetected", "SerializationFailure"}:
            raise Overtaken(reason) from e
        raise StoreFailed(reason) from e
