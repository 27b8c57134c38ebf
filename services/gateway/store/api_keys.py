"""Keys of the public API: who may use it, for what, how often; and how often they did, by the hour.

A key is kept as its hash alone and shown once. Of its use stand here the day of the last one, and one number an hour,
gone an hour later.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from services.shared.errors import BadInput, Conflict
from services.shared.store import Database, Duplicate, Tx

KEYS_STEP: Final = """
    CREATE TABLE api_keys (id TEXT PRIMARY KEY, key_hash {blob} NOT NULL UNIQUE, owner TEXT NOT NULL,
        label TEXT NOT NULL, scopes TEXT NOT NULL, quota {bigint} NOT NULL, created_on TEXT NOT NULL,
        created_by TEXT NOT NULL, ends_on TEXT NOT NULL, ended_by TEXT NOT NULL, last_used_on TEXT NOT NULL);
    CREATE TABLE api_uses (id TEXT NOT NULL, hour {bigint} NOT NULL, used {bigint} NOT NULL, PRIMARY KEY (id, hour))
    """
SCOPES: Final = ("polls:read", "exports:read", "catalogue:read")
"""What a key may be for. A service that publishes more names its scope here."""
MOST_AN_HOUR: Final = 1_000_000
HOUR: Final = 3600
PAGE: Final = 20
_SHAPE: Final = re.compile(r"parvis_[0-9a-f]{12}_[A-Za-z0-9_-]{43}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COLUMNS: Final = "id, owner, label, scopes, quota, created_on, created_by, ends_on, ended_by, last_used_on"


class KeyRequestWrong(BadInput):
    """What was asked of a new key cannot be."""


class KeyMadeAlready(Conflict):
    reason = "this key is made already, and its secret is not shown again"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`id` stands in the key itself and names it in logs. `owner`: an opaque subject, a person or an organisation.
    `ends_on`: the first day on which it is no longer good; empty: none. Days are of UTC."""

    id: str
    owner: str
    label: str
    scopes: frozenset[str]
    quota: int
    created_on: str
    created_by: str
    ends_on: str
    ended_by: str
    last_used_on: str

    def good_on(self, day: str) -> bool:
        return not self.ends_on or day < self.ends_on


class ApiKeys:
    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def make(
        self,
        owner: str,
        label: str,
        scopes: Iterable[str],
        quota: int,
        by: str,
        ends_on: str = "",
        *,
        key_id: str | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key and, this once, its secret. `key_id`: 12 hex digits, by which a repeat is known. Raises
        KeyRequestWrong or KeyMadeAlready."""
        wanted = frozenset(scopes)
        today = self.today()
        _check(owner, label, wanted, quota)
        if ends_on and not (_DAY.fullmatch(ends_on) and ends_on > today):
            raise KeyRequestWrong("a day after today, as 2027-06-30", field="ends_on")
        key_id = key_id or secrets.token_hex(6)
        secret = f"parvis_{key_id}_{secrets.token_urlsafe(32)}"
        made = ApiKey(key_id, owner, label.strip(), wanted, quota, today, by, ends_on, "", "")
        row = (made.id, _hash(secret), owner, made.label, " ".join(sorted(wanted)), quota, today, by, ends_on, "", "")
        try:
            with self._database.transaction() as tx:
                tx.execute(f"INSERT INTO api_keys VALUES ({', '.join('?' * len(row))})", row)
        except Duplicate:
            raise KeyMadeAlready(field="id") from None
        return made, secret

    def find(self, secret: str) -> ApiKey | None:
        """The key with this secret, if it is still good. One look-up by the hash of 256 random bits: how long it takes
        tells nothing that helps to guess one."""
        if not _SHAPE.fullmatch(secret):
            return None
        with self._database.transaction(write=False) as tx:
            rows = tx.execute(f"SELECT {_COLUMNS} FROM api_keys WHERE key_hash = ?", (_hash(secret),))
        found = _key(rows[0]) if rows else None
        return found if found is not None and found.good_on(self.today()) else None

    def get(self, key_id: str) -> ApiKey | None:
        with self._database.transaction(write=False) as tx:
            rows = tx.execute(f"SELECT {_COLUMNS} FROM api_keys WHERE id = ?", (key_id,))
        return _key(rows[0]) if rows else None

    def page(self, number: int) -> tuple[list[ApiKey], int]:
        """Newest first, those that ended too; and how many pages there are."""
        sql = f"SELECT {_COLUMNS} FROM api_keys ORDER BY created_on DESC, id LIMIT ? OFFSET ?"
        with self._database.transaction(write=False) as tx:
            rows = tx.execute(sql, (PAGE, (number - 1) * PAGE))
            total = int(tx.execute("SELECT count(*) FROM api_keys")[0][0])
        return [_key(row) for row in rows], max(1, -(-total // PAGE))

    def end(self, key_id: str, by: str) -> bool:
        """From now on the key opens nothing. False: there is none, or it has ended already."""
        today = self.today()
        with self._database.transaction() as tx:
            tx.execute(
                "UPDATE api_keys SET ends_on = ?, ended_by = ? WHERE id = ? AND (ends_on = '' OR ends_on > ?)",
                (today, by, key_id, today),
            )
            return tx.rowcount == 1

    def forget(self, subject: str) -> None:
        """Keys of an erased person open nothing any more; what they were for stays readable. Harmless when repeated."""
        today = self.today()
        with self._database.transaction() as tx:
            tx.execute(
                "UPDATE api_keys SET ends_on = ?, ended_by = owner WHERE owner = ? AND (ends_on = '' OR ends_on > ?)",
                (today, subject, today),
            )

    def used(self, key_id: str, hour: int) -> int:
        with self._database.transaction(write=False) as tx:
            return _used(tx, key_id, hour)

    def add_uses(self, hour: int, uses: Mapping[str, int]) -> dict[str, int]:
        """Adds what one process counted; the uses of these keys by all of them. Older hours are forgotten."""
        today = self.today()
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM api_uses WHERE hour < ?", (hour,))
            for key_id in sorted(uses):  # in one order, so that two processes cannot wait for each other
                tx.execute(
                    "INSERT INTO api_uses VALUES (?, ?, ?) ON CONFLICT (id, hour) DO UPDATE "
                    "SET used = api_uses.used + excluded.used",
                    (key_id, hour, uses[key_id]),
                )
                tx.execute(
                    "UPDATE api_keys SET last_used_on = ? WHERE id = ? AND last_used_on <> ?", (today, key_id, today)
                )
            return {key_id: _used(tx, key_id, hour) for key_id in uses}

    def today(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).date().isoformat()


def _check(owner: str, label: str, scopes: frozenset[str], quota: int) -> None:
    if not scopes or not scopes <= set(SCOPES):
        raise KeyRequestWrong(f"at least one of {', '.join(SCOPES)}", field="scopes")
    if not 1 <= quota <= MOST_AN_HOUR:
        raise KeyRequestWrong(f"from 1 to {MOST_AN_HOUR} an hour", field="quota")
    if not 1 <= len(label.strip()) <= 100 or not 1 <= len(owner) <= 64:
        raise KeyRequestWrong("at most 100 characters, and not empty", field="label")


def _used(tx: Tx, key_id: str, hour: int) -> int:
    rows = tx.execute("SELECT used FROM api_uses WHERE id = ? AND hour = ?", (key_id, hour))
    return int(rows[0][0]) if rows else 0


def _key(row: tuple[str, ...]) -> ApiKey:
    key_id, owner, label, scopes, quota, *dates = row
    return ApiKey(key_id, owner, label, frozenset(scopes.split()), int(quota), *dates)


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
