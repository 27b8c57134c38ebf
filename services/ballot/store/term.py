"""Which sealer's turn it is: a number in each store that the sealer writes, raised by whoever takes over.

A lock tells a process that it may begin; it cannot stop one that lost it within a round. The number can: what an older
sealer still tries to write is refused by the store itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from services.shared.store import Database, StoreFailed, Tx

TERM_STEP: Final = "CREATE TABLE sealer (term {bigint} NOT NULL); INSERT INTO sealer VALUES (0)"


class TakenOver(StoreFailed):
    """Another sealer began: this one must exit."""


class Term:
    """Without `begin` nothing is checked: tests and commands seal alone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._number: int | None = None

    def begin(self) -> None:
        """On return every earlier sealer's writes are over, and none can follow."""
        with self._database.transaction() as tx:
            self._number = int(tx.execute("UPDATE sealer SET term = term + 1 RETURNING term")[0][0])

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """One of the sealer's, which `begin` then waits for. Raises TakenOver."""
        with self._database.transaction() as tx:
            if self._number is not None:
                [(term,)] = tx.execute(f"SELECT term FROM sealer{tx.for_share}")
                if int(term) != self._number:
                    raise TakenOver(f"another sealer writes to {self._database.name} now")
            yield tx
