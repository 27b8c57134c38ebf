"""What services tell everyone alike, read once for all who are signed in and ask within the same moments.

A public page has its copies (`public.py`), which only those get who are not signed in. A page of somebody who is says
the same about polls: it is drawn for them alone, from answers that are at most as old as such a copy, and older than no
change that was made from here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from flask import current_app

from services.gateway.clients.ballot import Poll, PollList
from services.gateway.pages import public
from services.gateway.pages.copies import Copies
from services.gateway.pages.front import OFFICER, front, needed, session, together, token
from services.shared.errors import NotFound

A = TypeVar("A")
_MOST: Final = 256  # answers; the largest known one has some 100 KB


@dataclass(frozen=True, slots=True)
class Read:
    """An answer. Whoever gets it changes nothing in it: others have it too."""

    answer: Any
    seconds: float
    size: int = 1


class SharedReads:
    """Safe to share between threads."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._copies = Copies[Read](most=_MOST, size=_MOST, clock=clock)
        self._seconds = seconds

    def get(self, version: int, what: str, read: Callable[[], A]) -> A:
        """What `read` gives. `what` names it, `version` the state of things here. Raises what `read` raises."""
        key = (version, what)
        copy = self._copies.ready(key) or self._copies.get(key, lambda: Read(read(), self._seconds))
        return read() if copy is None else cast(A, copy.answer)


def polls(number: int, state: str = "") -> PollList:
    """A page of the published polls."""
    return _read(f"polls {number} {state}", lambda: front().ballot.polls(number, state=state))


def drafts(number: int) -> PollList:
    """A page of the polls that are not published yet, for officers: each of them sees the same."""
    ours = token("ballot")
    return _read(f"drafts {number}", lambda: front().ballot.drafts(number, ours), only=OFFICER)


def drafts_and_polls() -> tuple[PollList, PollList]:
    """The first page of either, for officers. Raises ServiceUnavailable where one of them cannot be had."""
    begun, published = together(lambda: drafts(1), lambda: polls(1))
    return needed(begun), needed(published)


def poll(wanted: str) -> Poll:
    """A published poll as it stands. Raises NotFound."""
    return _read(f"poll {wanted}", lambda: front().ballot.poll(wanted))


def poll_or_draft(wanted: str) -> Poll:
    """The same, and to an officer a draft too. Raises NotFound."""
    try:
        return poll(wanted)
    except NotFound:
        person = session()
        if person is None or OFFICER not in person.roles:
            raise
        return front().ballot.poll(wanted, token("ballot"))


def _read(what: str, read: Callable[[], A], *, only: str = "") -> A:
    """A page that becomes a copy is made of fresh answers: it may itself become as old as they. Nobody gets an answer
    that was given to those of a role `only` without having it: they ask for themselves, and are refused."""
    person = session()
    if person is None or (only and only not in person.roles):
        return read()
    reads: SharedReads = current_app.extensions["reads"]
    return reads.get(public.version(), what, read)
