"""Read models of polls: what lists, doors and the sealer ask for without replaying events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eventsourcing.domain import Aggregate

from services.ballot.domain import Poll, State
from services.shared.store import Database

STEPS: Final = (
    """CREATE TABLE poll_view (poll TEXT PRIMARY KEY, rank INTEGER NOT NULL, title TEXT NOT NULL, state TEXT NOT NULL,
         opens_at TEXT NOT NULL, closes_at TEXT NOT NULL, roll {bigint} NOT NULL, work TEXT NOT NULL);
       CREATE INDEX poll_list ON poll_view (rank, closes_at, poll);
       CREATE INDEX poll_work ON poll_view (work)""",
    # The list's very order, so that its first page is read and not sorted out of all polls.
    """DROP INDEX poll_list; CREATE INDEX poll_list ON poll_view (rank, closes_at DESC, poll)""",
    # How many there are, so that a page does not count them all.
    """CREATE TABLE poll_count (rank INTEGER PRIMARY KEY, polls {bigint} NOT NULL);
       INSERT INTO poll_count SELECT rank, count(*) FROM poll_view GROUP BY rank""",
)
PAGE: Final = 12
_RANK: Final = {State.OPEN: 0, State.CLOSING: 1, State.PUBLISHED: 2, State.CLOSED: 3, State.TALLIED: 4}
_CANCELLED: Final = 5
_HIDDEN: Final = 9
"""Drafts: only officers ask for them, by their id or by `drafts`."""


@dataclass(frozen=True, slots=True)
class PollLine:
    poll: str
    title: str
    state: str
    opens_at: str
    closes_at: str
    roll: int

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


class Views:
    def __init__(self, database: Database) -> None:
        self.database = database

    def put(self, aggregate: Aggregate) -> None:
        """Within the transaction that saves the poll's events."""
        if not isinstance(aggregate, Poll):
            return
        says = aggregate.manifest or aggregate.draft
        row = (
            str(aggregate.id),
            _HIDDEN if aggregate.manifest is None else _RANK.get(aggregate.state, _CANCELLED),
            says["title"],
            str(aggregate.state),
            says["opens_at"],
            says["closes_at"],
            sum(stratum.get("roll_size", 0) for stratum in says["strata"]),
            _work(aggregate),
        )
        with self.database.transaction() as tx:
            for (rank,) in tx.execute("DELETE FROM poll_view WHERE poll = ? RETURNING rank", row[:1]):
                tx.execute("UPDATE poll_count SET polls = polls - 1 WHERE rank = ?", (rank,))
            tx.execute("INSERT INTO poll_view VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            more = "INSERT INTO poll_count VALUES (?, 1) ON CONFLICT (rank) DO UPDATE SET polls = poll_count.polls + 1"
            tx.execute(more, row[1:2])

    def recount(self) -> None:
        """Counts all of them anew: an older release, which knows no counts, may have written meanwhile."""
        with self.database.transaction() as tx:
            if tx.engine == "postgres":
                tx.execute("LOCK TABLE poll_count IN EXCLUSIVE MODE")
            tx.execute("DELETE FROM poll_count")
            tx.execute("INSERT INTO poll_count SELECT rank, count(*) FROM poll_view GROUP BY rank")

    def page(self, number: int, *, drafts: bool = False, state: State | None = None) -> tuple[list[PollLine], int]:
        """Polls of page `number` (from 1), open ones first, and how many pages there are. `state`: those alone; what
        it reads is a stretch of the list's index, however many polls there are."""
        if state is not None:
            return self._stretch(number, "rank = ?", _RANK.get(state, _CANCELLED))
        return self._stretch(number, "rank = ?" if drafts else "rank < ?", _HIDDEN)

    def _stretch(self, number: int, where: str, rank: int) -> tuple[list[PollLine], int]:
        columns = "poll, title, state, opens_at, closes_at, roll"
        sql = f"SELECT {columns} FROM poll_view WHERE {where} ORDER BY rank, closes_at DESC, poll LIMIT ? OFFSET ?"
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(sql, (rank, PAGE, (number - 1) * PAGE))
            total = tx.execute(f"SELECT coalesce(sum(polls), 0) FROM poll_count WHERE {where}", (rank,))[0][0]
        return [PollLine(*row) for row in rows], max(1, -(-int(total) // PAGE))

    def work(self) -> dict[str, str]:
        """Polls the sealer has to look at: {poll: seal | count | shut}."""
        with self.database.transaction(write=False) as tx:
            rows = tx.execute("SELECT poll, work FROM poll_view WHERE work <> ''")
        return {str(poll): str(work) for poll, work in rows}

    def published(self) -> list[str]:
        """Every poll that has a manifest, whatever became of it."""
        with self.database.transaction(write=False) as tx:
            return [str(poll) for (poll,) in tx.execute("SELECT poll FROM poll_view WHERE rank < ?", (_HIDDEN,))]


def _work(poll: Poll) -> str:
    if poll.state in (State.PUBLISHED, State.OPEN, State.CLOSING):
        return "seal"
    if poll.may_be_counted:
        return "count"
    return "shut" if poll.state is State.CANCELLED and poll.manifest is not None else ""
