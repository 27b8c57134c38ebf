"""Aggregates of the eventsourcing library over our Database.

The library's own recorders open their own transactions, and check a consumer's position only loosely (stored < new).
This one joins the transaction that is running, so that an effect, its events and the tracking row that was locked
first stand or fall together, on both engines (docs/adr/0007).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from eventsourcing.application import Repository
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import (
    ApplicationRecorder,
    DatetimeAsISO,
    EventStore,
    IntegrityError,
    JSONTranscoder,
    Mapper,
    Notification,
    StoredEvent,
    Subscription,
    UUIDAsHex,
)

from services.shared.store import Database, Duplicate

A = TypeVar("A", bound=Aggregate)
_ATTEMPTS: Final = 10
_MOST_SEEN: Final = 128

EVENTS_STEPS: Final = (
    """CREATE TABLE event (id {autoid}, originator TEXT NOT NULL, version INTEGER NOT NULL, topic TEXT NOT NULL,
       state {blob} NOT NULL, UNIQUE (originator, version))""",
)


class Recorder(ApplicationRecorder):
    """Ids rise in the order of commit: on PostgreSQL writers queue on the table's lock, so a reader misses none."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int]:
        ids = []
        try:
            with self.database.transaction() as tx, tx.savepoint():  # within a handler, a retry needs its transaction
                if tx.engine == "postgres":
                    tx.execute("LOCK TABLE event IN EXCLUSIVE MODE")
                for e in stored_events:
                    row = (str(e.originator_id), e.originator_version, e.topic, e.state)
                    sql = "INSERT INTO event (originator, version, topic, state) VALUES (?, ?, ?, ?) RETURNING id"
                    ids.append(int(tx.execute(sql, row)[0][0]))
        except Duplicate as e:
            raise IntegrityError(str(e)) from e
        return ids

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        sql = "SELECT version, topic, state FROM event WHERE originator = ? AND version > ? AND version <= ?"
        sql += f" ORDER BY version {'DESC' if desc else 'ASC'} LIMIT ?"
        params = (str(originator_id), gt or 0, lte or 2**31 - 1, limit or 2**31 - 1)
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(sql, params)
        return [StoredEvent(originator_id, v, topic, bytes(state)) for v, topic, state in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = (start or 1) - (1 if inclusive_of_start else 0)
        sql = "SELECT id, originator, version, topic, state FROM event WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(sql, (after, stop or 2**62, limit))
        found = [Notification(UUID(o), v, topic, bytes(state), id=i) for i, o, v, topic, state in rows]
        return [n for n in found if not topics or n.topic in topics]

    def version(self, originator_id: UUID) -> int:
        """Of its newest event; 0 where there is none."""
        with self.database.transaction(write=False) as tx:
            rows = tx.execute("SELECT max(version) FROM event WHERE originator = ?", (str(originator_id),))
        return int(rows[0][0] or 0)

    def max_notification_id(self) -> int | None:
        with self.database.transaction(write=False) as tx:
            return tx.execute("SELECT max(id) FROM event")[0][0]  # type: ignore[no-any-return]

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        raise TypeError("events are followed by shared.relay, through select_notifications")


class Aggregates:
    """Loads and saves aggregates; `change` repeats a decision that another process overtook.

    `views` are told of every saved aggregate within the transaction that saves it.
    """

    def __init__(self, database: Database, views: Sequence[Callable[[Aggregate], None]] = ()) -> None:
        self.database = database
        self.views = views
        self.recorder = Recorder(database)
        transcoder = JSONTranscoder()
        for transcoding in (UUIDAsHex(), DatetimeAsISO()):
            transcoder.register(transcoding)
        self.mapper: Mapper[UUID] = Mapper(transcoder)
        self.events: EventStore[UUID] = EventStore(self.mapper, self.recorder)
        self.repository: Repository[UUID] = Repository(self.events)
        self._seen: dict[UUID, Aggregate] = {}
        self._seeing = threading.Lock()

    def get(self, kind: type[A], id: UUID) -> A:
        """The aggregate as its events tell it. Raises the library's AggregateNotFoundError."""
        found: Aggregate = self.repository.get(id)
        if not isinstance(found, kind):
            raise TypeError(f"{id} is a {type(found).__name__}")
        return found

    def see(self, kind: type[A], id: UUID) -> A:
        """As `get`, for whoever changes nothing in it: others see the same one, until it has a new event."""
        if self.database.within:
            return self.get(kind, id)
        known = self._seen.get(id)
        if isinstance(known, kind) and known.version == self.recorder.version(id):
            return known
        found = self.get(kind, id)
        with self._seeing:
            self._seen.pop(id, None)
            while len(self._seen) >= _MOST_SEEN:
                del self._seen[next(iter(self._seen))]
            self._seen[id] = found
        return found

    def save(self, *aggregates: Aggregate) -> None:
        """All pending events of all of them, in one transaction. Raises the library's IntegrityError when overtaken."""
        pending = [(aggregate, aggregate.collect_events()) for aggregate in aggregates]
        events = [event for _, new in pending for event in new]
        if not events:
            return
        with self.database.transaction():
            self.events.put(events)
            for aggregate, new in pending:
                for view in self.views if new else ():
                    view(aggregate)

    def change(self, kind: type[A], id: UUID, decide: Callable[[A], None]) -> A:
        """Loads, decides, saves; again from the load when another process wrote first."""
        for attempt in range(_ATTEMPTS):
            aggregate = self.get(kind, id)
            decide(aggregate)
            try:
                self.save(aggregate)
            except IntegrityError:
                if attempt == _ATTEMPTS - 1:
                    raise
                continue
            return aggregate
        raise AssertionError("unreachable")
