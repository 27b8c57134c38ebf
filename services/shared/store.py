"""One way to reach a store: a SQLite file on one machine, a PostgreSQL database in a region; the same SQL on both.

SQL is written once with `?` placeholders. In DDL the tokens {blob}, {bigint}, {autoid} and {without_rowid} stand for
what differs. A commit is durable when `transaction()` returns: SQLite runs in WAL with synchronous FULL, PostgreSQL
with its default synchronous_commit.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, Literal

from services.shared import filelock
from services.shared.settings import Common
from services.shared.store_failures import Duplicate as Duplicate
from services.shared.store_failures import LockHeld, LockLost, StoreTooNew, translated
from services.shared.store_failures import Overtaken as Overtaken
from services.shared.store_failures import StoreFailed as StoreFailed
from services.shared.store_tx import Row as Row
from services.shared.store_tx import Tx as Tx

_IDLE_CONNECTIONS: Final = 20
# A server that vanished without a word is noticed within seconds, not after the kernel's two hours.
_SILENCE: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_TOKENS: Final = {  # token: (SQLite, PostgreSQL)
    "{blob}": ("BLOB", "BYTEA"),
    "{bigint}": ("INTEGER", "BIGINT"),
    "{autoid}": ("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGSERIAL PRIMARY KEY"),
    "{without_rowid}": ("WITHOUT ROWID", ""),
}
_BASE: Final = (
    "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS incarnation (value TEXT NOT NULL)",
)
Step = str | Callable[[Tx], None]


class Database:
    """One store. Safe to share between threads; a transaction opened inside another of this thread joins it."""

    def __init__(self, where: Path | str, *, secure_delete: bool = False, cache_mb: int = 8) -> None:
        """`where`: the path of a SQLite file, or a PostgreSQL URL. Nothing is opened or made yet."""
        self.where = where
        self.engine: Literal["sqlite", "postgres"] = "sqlite" if isinstance(where, Path) else "postgres"
        self._secure_delete = secure_delete
        self._cache_mb = cache_mb
        self._idle: list[Any] = []
        self._lock = threading.Lock()
        self._current = threading.local()

    @property
    def within(self) -> bool:
        """Whether this thread is within a transaction: it then sees what may yet be undone."""
        return getattr(self._current, "tx", None) is not None

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Tx]:
        """Committed when the block ends, undone when it raises. Raises Duplicate, Overtaken or StoreFailed.

        `write=False`: on PostgreSQL no transaction is begun, since there each statement sees what was committed before
        it anyway: a look-up is one round trip instead of three. So nothing may be written within such a block.
        """
        running: Tx | None = getattr(self._current, "tx", None)
        if running is not None:
            if write and not running.writes:
                raise RuntimeError("a transaction that writes inside one that only reads")
            yield running
            return
        connection = self._take()
        keep = False
        try:
            with translated(), self._begun(connection, write) as tx:
                self._current.tx = tx
                try:
                    yield tx
                finally:
                    self._current.tx = None
            keep = True
        except (Duplicate, Overtaken):
            keep = True
            raise
        finally:
            self._give_back(connection, keep)

    def migrate(self, steps: Sequence[Step]) -> None:
        """Brings the schema to step len(steps), each step once, all in one transaction: SQL, or a function where rows
        must be rewritten. Raises StoreTooNew."""
        if self.engine == "postgres":
            _create_database(str(self.where))
        else:
            Path(self.where).parent.mkdir(parents=True, exist_ok=True)
        with self.transaction() as tx:
            if tx.engine == "postgres":
                tx.execute("SELECT pg_advisory_xact_lock(7236001)")
            for statement in _BASE:
                tx.execute(statement)
            rows = tx.execute("SELECT version FROM schema_version")
            done = rows[0][0] if rows else 0
            if done > len(steps):
                raise StoreTooNew(f"{self.name} is at schema {done}, this release knows {len(steps)}: use a newer one")
            if not rows:
                tx.execute("INSERT INTO schema_version VALUES (0)")
                tx.execute("INSERT INTO incarnation VALUES (?)", (secrets.token_hex(8),))
            for step in steps[done:]:
                if not isinstance(step, str):
                    step(tx)
                    continue
                for token, meanings in _TOKENS.items():
                    step = step.replace(token, meanings[tx.engine == "postgres"])
                for statement in filter(None, (s.strip() for s in step.split(";"))):
                    tx.execute(statement)
            tx.execute("UPDATE schema_version SET version = ?", (len(steps),))

    def check(self, steps: Sequence[Step]) -> None:
        """Raises StoreFailed unless the schema is the one this release writes."""
        try:
            with self.transaction(write=False) as tx:
                rows = tx.execute("SELECT version FROM schema_version")
        except StoreFailed:
            raise StoreFailed(f"{self.name} is not there: run `migrate` first") from None
        if not rows or rows[0][0] != len(steps):
            raise StoreFailed(f"{self.name} is not at schema {len(steps)}: run `migrate` first")

    @contextmanager
    def exclusive(self, name: str) -> Iterator[Callable[[], None]]:
        """Holds a lock that one process at a time can hold, freed when the process dies. Raises LockHeld.

        The block is given a function that raises LockLost once the lock is gone: its session ended, its file replaced.
        """

        def check(stands: bool) -> None:
            if not stands:
                raise LockLost(f"{name} of {self.name} is no longer held by this process")

        if self.engine == "sqlite":
            with filelock.held(Path(f"{self.where}.{name}.lock")) as still:
                if still is None:
                    raise LockHeld(f"another process holds {name} of {self.name}")
                yield lambda: check(still())
            return
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        with translated(), _postgres(str(self.where)) as connection:
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", (number,)).fetchone()
            if not row or not row[0]:
                raise LockHeld(f"another process holds {name} of {self.name}")
            yield lambda: check(_answers(connection))

    def truncate_log(self) -> None:
        """Empties SQLite's write-ahead log, so that deleted rows do not linger in it. Elsewhere: nothing."""
        if self.engine == "sqlite":
            connection = self._take()
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                self._give_back(connection, True)

    @property
    def name(self) -> str:
        return Path(self.where).name if self.engine == "sqlite" else str(self.where).rsplit("/", 1)[-1]

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> Any:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _give_back(self, connection: Any, keep: bool) -> None:
        with self._lock:
            if keep and len(self._idle) < _IDLE_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> Any:
        with translated():
            if self.engine == "postgres":
                return _postgres(str(self.where))
            connection = sqlite3.connect(self.where, isolation_level=None, check_same_thread=False, timeout=20)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA cache_size=-{self._cache_mb * 1024}")
            if self._secure_delete:
                connection.execute("PRAGMA secure_delete=ON")
            return connection

    @contextmanager
    def _begun(self, connection: Any, write: bool) -> Iterator[Tx]:
        if self.engine == "postgres":
            with connection.transaction() if write else nullcontext(), connection.cursor() as cursor:
                yield Tx("postgres", cursor, write)
            return
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            yield Tx("sqlite", cursor, write)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


def open_database(
    settings: Common, service: str, part: str = "", *, secure_delete: bool = False, cache_mb: int = 8
) -> Database:
    """The store of a service, or a part of it held apart: DATA/service-part.db, or database parvis_service_part."""
    if settings.engine == "embedded":
        name = f"{service}-{part}.db" if part else f"{service}.db"
        return Database(settings.data / name, secure_delete=secure_delete, cache_mb=cache_mb)
    name = f"parvis_{service}_{part}" if part else f"parvis_{service}"
    return Database(f"{settings.postgres.rstrip('/')}/{name}")


def incarnation(tx: Tx) -> str:
    """16 hex characters, random, made with the store and renewed by a restore."""
    return str(tx.execute("SELECT value FROM incarnation")[0][0])


def renew_incarnation(tx: Tx) -> str:
    """For `restore`: from now on this store tells other events under numbers already used."""
    value = secrets.token_hex(8)
    tx.execute("UPDATE incarnation SET value = ?", (value,))
    return value


def _create_database(url: str) -> None:
    from psycopg import errors, sql

    server, name = url.rsplit("/", 1)
    with translated(), _postgres(f"{server}/postgres") as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if not found:
            try:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            except (errors.DuplicateDatabase, errors.UniqueViolation):
                return  # another process made it between


def _answers(connection: Any) -> bool:
    """Whether the server still keeps this session. A silent one is given up after `_SILENCE`."""
    try:
        with translated():
            connection.execute("SELECT 1")
    except StoreFailed:
        return False
    return True


def _postgres(url: str) -> Any:
    """A connection. The driver is loaded here: on one machine no door pays for it."""
    import psycopg

    return psycopg.connect(url, autocommit=True, **_SILENCE)
