"""The notifications service's JSON API: the inbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from services.notifications.store import InboxStore
from services.shared import web
from services.shared.tokens import TokenVerifier


def create_api(inbox: InboxStore, tokens: TokenVerifier | None, ready: Callable[[], object]) -> web.App:
    app = web.create_app("notifications", ready=ready, token_keys=tokens)

    @app.get("/inbox", who=web.SIGNED_IN)
    def read_inbox() -> dict[str, Any]:
        number = web.page()
        messages, pages = inbox.page(number)
        return {"messages": [asdict(message) for message in messages], "page": number, "pages": pages}

    return app
