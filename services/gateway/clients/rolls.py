"""Voter rolls and the files that fill them, as the identity service offers them to agents."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

import msgspec

from services.gateway.clients.http import Service
from services.gateway.clients.identity import Stratum

PART: Final = 524_288
"""Bytes of a file that go in one call; identity takes no more."""
LISTED: Final = 50
"""What identity puts on a page of the list of imports."""


class RollImport(msgspec.Struct, frozen=True):
    """A roll file on its way; `done` of `total` lines in the pass that `state` names."""

    id: str
    state: str
    hash: str
    stratum: str
    asked_by: str
    started_by: str
    at: str
    keep_good: bool
    with_changes: bool
    total: int
    done: int
    fresh: int
    changed: int
    known: int
    faulty: int
    added: int
    altered: int
    reason: str


class Line(msgspec.Struct, frozen=True):
    line: int
    kind: str
    field: str
    reason: str


class Frozen(msgspec.Struct, frozen=True):
    """A stratum as it was frozen for one poll."""

    poll: str
    roll_size: int
    roll_root: str
    opens_at: str
    closes_at: str


class StratumSheet(msgspec.Struct, frozen=True):
    stratum: str
    people: int
    frozen: list[Frozen]
    imports: list[RollImport]
    names: dict[str, str]


class _Strata(msgspec.Struct, frozen=True):
    strata: list[Stratum]


class Imports(msgspec.Struct, frozen=True):
    """`names`: of those who asked for these, by their subjects."""

    imports: list[RollImport]
    names: dict[str, str]


class _Lines(msgspec.Struct, frozen=True):
    lines: list[Line]


class RollsClient:
    """In an agent's name. Raises NotFound, ServiceRefused or ServiceUnavailable."""

    def __init__(self, api: Service) -> None:
        self._api = api

    def strata(self, token: str) -> list[Stratum]:
        return self._api.get("/rolls", _Strata, token=token).strata

    def stratum(self, stratum: str, token: str) -> StratumSheet:
        return self._api.get(f"/rolls/strata/{quote(stratum, safe='')}", StratumSheet, token=token)

    def imports(self, page: int, token: str) -> Imports:
        """The newest first, LISTED a page."""
        return self._api.get("/rolls/imports", Imports, token=token, params={"page": page})

    def roll_import(self, id: str, token: str) -> RollImport:
        return self._api.get(f"/rolls/imports/{id}", RollImport, token=token)

    def send_roll(self, hash: str, stratum: str, parts: Iterator[bytes], token: str) -> RollImport:
        """Makes room, and sends the file in pieces of PART bytes. The same file again gives the import that is on its
        way; what of it had not come yet comes now."""
        made = self._api.post("/rolls/imports", RollImport, {"hash": hash, "stratum": stratum}, token=token)
        if made.state == "receiving":
            for nth, part in enumerate(parts):
                value = {"nth": nth, "data": base64.b64encode(part).decode()}
                self._api.post(f"/rolls/imports/{made.id}/parts", RollImport, value, token=token)
        return made

    def check_roll(self, id: str, token: str) -> RollImport:
        return self._api.post(f"/rolls/imports/{id}/check", RollImport, token=token)

    def start_roll(self, id: str, hash: str, keep_good: bool, with_changes: bool, token: str) -> RollImport:
        value = {"hash": hash, "keep_good": keep_good, "with_changes": with_changes}
        return self._api.post(f"/rolls/imports/{id}/start", RollImport, value, token=token)

    def drop_roll(self, id: str, token: str) -> None:
        self._api.post(f"/rolls/imports/{id}/drop", RollImport, token=token)

    def lines(self, id: str, kind: str, page: int, size: int, token: str) -> list[Line]:
        params = {"kind": kind, "page": page, "size": size}
        return self._api.get(f"/rolls/imports/{id}/lines", _Lines, token=token, params=params).lines
