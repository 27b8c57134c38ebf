"""The voter's cookie in requests and answers; what stands inside it: seed_box.py."""

from __future__ import annotations

import time
from typing import Final

from flask import Response, request

from services.gateway.clients.ballot import Poll
from services.gateway.pages.front import front, session
from services.gateway.pages.words import local
from services.gateway.voting import new_seed

NAME: Final = "droit-de-vote"
_MARGIN: Final = 24 * 3600


def read(poll: str) -> bytes | None:
    """The seed of the signed-in person in this poll, as their browser brought it."""
    person = session()
    return front().seeds(poll).find(request.cookies.get(NAME), person.subject) if person else None


def keep(response: Response, poll: Poll, seed: bytes | None = None) -> Response:
    """Gives the signed-in person a seed in this poll: the given one, else the one they have, else a new one."""
    person = session()
    if person is None:
        return response
    brought = request.cookies.get(NAME)
    box = front().seeds(poll.poll)
    value = box.put(brought, person.subject, seed or box.find(brought, person.subject) or new_seed())
    end = local(poll.manifest.closes_at).timestamp() + _MARGIN
    response.set_cookie(
        NAME,
        value,
        max_age=max(int(end - time.time()), _MARGIN),
        path=f"/scrutins/{poll.poll}",
        secure=front().settings.secure_cookies,
        httponly=True,
        samesite="Lax",
    )
    return response
