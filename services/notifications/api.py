"""The notifications service's JSON API: the inbox, the outbox, and on a demonstration machine what is in the spool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from services.notifications.application.outbox import Outbox
from services.notifications.store import InboxStore
from services.notifications.store.spool import Spool
from services.shared import outbox as contract
from services.shared import web
from services.shared.tokens import TokenVerifier

SERVICES: Final = web.role("identity", "gateway")  # no person has them: a service speaks for itself
GATEWAY: Final = web.role("gateway")
_SHOWN: Final = 50
S = TypeVar("S", bound=msgspec.Struct)


class Told(msgspec.Struct, frozen=True):
    """A message of the inbox."""

    id: str
    at: str
    subject: str
    body: str
    poll: str | None


class Inbox(msgspec.Struct, frozen=True):
    messages: list[Told]
    page: int
    pages: int


class Spooled(msgspec.Struct, frozen=True):
    """A file of the spool; `at`: seconds since 1970."""

    kind: str
    name: str
    at: int
    to: str
    subject: str
    text: str


class SpoolShown(msgspec.Struct, frozen=True):
    messages: list[Spooled]


def create_api(
    inbox: InboxStore,
    outbox: Outbox,
    tokens: TokenVerifier | None,
    ready: Callable[[], object],
    shown_spool: Spool | None = None,
) -> web.App:
    """`shown_spool`: its messages can be read, for a demonstration."""
    app = web.create_app("notifications", ready=ready, token_keys=tokens)

    @app.get("/inbox", who=web.SIGNED_IN, gives=Inbox, paged=True)
    def read_inbox() -> Inbox:
        """What everyone who is signed in is told, newest first."""
        number = web.page()
        messages, pages = inbox.page(number)
        return Inbox([_as(Told, message) for message in messages], number, pages)

    @app.post("/outbox", who=SERVICES, quiet=True, takes=contract.Message, gives=contract.Accepted, ruled=True)
    def send() -> contract.Accepted:
        """On disk when it answers. The same key again changes nothing."""
        return contract.Accepted(outbox.accept(web.body(contract.Message)))

    if shown_spool is not None:
        spool = shown_spool

        @app.get("/spool", who=GATEWAY, quiet=True, gives=SpoolShown)
        def read_spool() -> SpoolShown:
            """The newest messages that went out."""
            return SpoolShown([_as(Spooled, one) for one in spool.newest(_SHOWN)])

    return app


def _as(kind: type[S], of: object) -> S:
    return msgspec.convert(of, kind, from_attributes=True)
