"""What agents do at the desk: the trail, and changes of contacts that wait for a second agent, sealed as people are."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from services.identity.application.desk import Act, Change
from services.identity.store.codes import CodeStore
from services.identity.store.vault import Vault
from services.shared.store import Database, Tx

_CHANGE = "id, subject, asked_by, proof, at, sealed"


class DeskStore:
    def __init__(self, database: Database, vault: Vault) -> None:
        """`database`: that of the people store, which makes the tables."""
        self.database = database
        self._vault = vault
        self.put_once = CodeStore(database).put_once

    def transaction(self) -> AbstractContextManager[Tx]:
        return self.database.transaction()

    # --- the trail ---

    def note(self, act: Act) -> None:
        sql = "INSERT INTO desk_act (at, by_whom, act, subject, proof) VALUES (?, ?, ?, ?, ?)"
        with self.database.transaction() as tx:
            tx.execute(sql, (act.at, act.by, act.act, act.subject, act.proof))

    def acts(self, page: int, size: int) -> tuple[list[Act], int]:
        sql = "SELECT at, by_whom, act, subject, proof FROM desk_act ORDER BY number DESC LIMIT ? OFFSET ?"
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(sql, (size, (page - 1) * size))
            count = int(tx.execute("SELECT COUNT(*) FROM desk_act")[0][0])
        return [Act(*row) for row in rows], max(1, -(-count // size))

    # --- changes of contacts ---

    def put_change(self, change: Change) -> None:
        fields = {"email": change.email, "phone": change.phone}
        sealed = self._vault.seal({change.subject: fields})[change.subject]
        with self.database.transaction() as tx:
            tx.execute("DELETE FROM contact_change WHERE subject = ?", (change.subject,))
            row = (change.id, change.subject, change.asked_by, change.proof, change.at, sealed)
            tx.execute("INSERT INTO contact_change VALUES (?, ?, ?, ?, ?, ?)", row)

    def change(self, id: str) -> Change | None:
        with self.database.transaction(write=False) as tx:
            rows = tx.execute(f"SELECT {_CHANGE} FROM contact_change WHERE id = ?", (id,))
        return next(iter(self._opened(rows)), None)

    def changes(self) -> list[Change]:
        with self.database.transaction(write=False) as tx:
            return self._opened(tx.execute(f"SELECT {_CHANGE} FROM contact_change ORDER BY at, id"))

    def drop_change(self, id: str) -> bool:
        with self.database.transaction() as tx:
            return bool(tx.execute("DELETE FROM contact_change WHERE id = ? RETURNING id", (id,)))

    # --- notices ---

    def put_notice(self, subject: str, id: str, way: str, address: str) -> None:
        sealed = self._vault.seal({subject: {"way": way, "address": address}})[subject]
        with self.database.transaction() as tx:
            tx.execute("INSERT INTO notice VALUES (?, ?, ?)", (id, subject, sealed))

    def notices(self) -> list[tuple[str, str, dict[str, str]]]:
        """(id, subject, {way, address})."""
        with self.database.transaction(write=False) as tx:
            rows = tx.execute("SELECT id, subject, sealed FROM notice ORDER BY id LIMIT 100")
        found = [(id, subject, self._vault.open(subject, bytes(sealed))) for id, subject, sealed in rows]
        return [(id, subject, fields) for id, subject, fields in found if fields is not None]

    def drop_notice(self, id: str) -> None:
        with self.database.transaction() as tx:
            tx.execute("DELETE FROM notice WHERE id = ?", (id,))

    def _opened(self, rows: Sequence[Sequence[Any]]) -> list[Change]:
        found = []
        for id, subject, asked_by, proof, at, sealed in rows:
            fields = self._vault.open(subject, bytes(sealed))
            if fields is not None:
                found.append(Change(id, subject, asked_by, proof, at, **fields))
        return found
