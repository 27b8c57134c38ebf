"""The notifications service, as the gateway needs it."""

from __future__ import annotations

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


class NotificationsClient:
    """Raises ServiceRefused or ServiceUnavailable."""

    def __init__(self, api: Service) -> None:
        self._api = api

    def inbox(self, page: int, token: str) -> Inbox:
        return self._api.get("/inbox", Inbox, token=token, params={"page": page})
