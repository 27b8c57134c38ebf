"""The notifications service, as the gateway needs it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from services.gateway.clients.http import Service


class Letter(msgspec.Struct, frozen=True):
    """A message in a person's inbox."""

    id: str
    at: str
    subject: str
    body: str
    poll: str | None = None


class Inbox(msgspec.Struct, frozen=True):
    messages: list[Letter]
    pages: int = 1


class Spooled(msgspec.Struct, frozen=True):
    """A message to one person, on a demonstration machine; `at`: seconds since 1970."""

    kind: str
    name: str
    at: int
    to: str
    subject: str
    text: str


class Spool(msgspec.Struct, frozen=True):
    messages: list[Spooled]


class _Accepted(msgspec.Struct, frozen=True):
    state: str


_PART: Final = 2000  # the longest value of a message
_PARTS: Final = 5


class NotificationsClient:
    """Raises ServiceRefused or ServiceUnavailable."""

    def __init__(self, api: Service) -> None:
        self._api = api

    def inbox(self, page: int, token: str) -> Inbox:
        return self._api.get("/inbox", Inbox, token=token, params={"page": page})

    def mail_receipt(self, message: dict[str, Any], token: str) -> None:
        """`message`: key, subject, address, and the values name, title, at, number, text and rows (at most 10,000
        characters are sent). `token` speaks for the gateway itself. The same key again sends nothing."""
        values = dict(message["values"])
        rows = values.pop("rows")
        if len(rows) > _PART * _PARTS:
            rows = rows[: _PART * _PARTS - 1] + "…"
        values |= {f"rows_{n + 1}": rows[n * _PART : (n + 1) * _PART] for n in range(_PARTS)}
        value = {**message, "values": values, "kind": "email", "template": "receipt"}
        self._api.post("/outbox", _Accepted, value, token=token)

    def spool(self, token: str) -> list[Spooled]:
        """The newest first. `token` speaks for the gateway itself. Raises NotFound where the spool is not shown."""
        return self._api.get("/spool", Spool, token=token).messages
