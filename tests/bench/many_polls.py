"""Fills a ballot service's store with polls, fast: one published poll is copied, events and list line alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.ballot.kit import Town, draft

_STATES = (
    "open",
    "published",
    "published",
    "tallied",
    "tallied",
    "tallied",
    "tallied",
    "tallied",
    "tallied",
    "cancelled",
)
_RANK = {"open": 0, "published": 2, "tallied": 4, "cancelled": 5}


def fill(town: Town, size: int) -> None:
    """Until the store holds `size` polls. Each has the events of a published one; the list has them in all states."""
    database = town.aggregates.database
    with database.transaction(write=False) as tx:
        missing = size - int(tx.execute("SELECT count(*) FROM poll_view")[0][0])
    if missing <= 0:
        return
    now = datetime.now(UTC)
    pattern = town.publish(draft(opens=now + timedelta(days=2), closes=now + timedelta(days=9))).poll
    with database.transaction() as tx:
        events = _events(tx, pattern)
        [(title, opens, roll)] = tx.execute("SELECT title, opens_at, roll FROM poll_view WHERE poll = ?", (pattern,))
        for n in range(missing - 1):
            poll, state = _copied(tx, pattern, events), _STATES[n % len(_STATES)]
            closes = (now + timedelta(minutes=n)).strftime("%Y-%m-%dT%H:%M:%SZ")
            line = (poll, _RANK[state], f"{title}, n° {n}", state, opens, closes, roll, "")
            tx.execute("INSERT INTO poll_view VALUES (?, ?, ?, ?, ?, ?, ?, ?)", line)
    town.views.recount()


def copies(town: Town, poll: str, number: int) -> list[str]:
    """So many polls with the same events, which stand in no list."""
    with town.aggregates.database.transaction() as tx:
        events = _events(tx, poll)
        return [_copied(tx, poll, events) for _ in range(number)]


def _events(tx: Any, poll: str) -> list[Any]:
    found: list[Any] = tx.execute("SELECT version, topic, state FROM event WHERE originator = ?", (poll,))
    return found


def _copied(tx: Any, pattern: str, events: list[Any]) -> str:
    poll = str(uuid4())
    for version, topic, said in events:
        state = bytes(said).replace(pattern.encode(), poll.encode())
        sql = "INSERT INTO event (originator, version, topic, state) VALUES (?, ?, ?, ?)"
        tx.execute(sql, (poll, version, topic, state))
    return poll
