"""Refusals: what a service answers when a rule forbids the request.

A refusal carries a code (its class name), the field that is wrong and a short reason in English. It knows nothing of
HTTP and speaks no French: `shared.web` maps the kinds below to status codes, the gateway maps codes to words.
"""

from __future__ import annotations


class Refusal(Exception):
    """A rule was broken by the request, not by the program. Nothing was changed."""

    reason: str = ""

    def __init__(self, reason: str = "", *, field: str | None = None) -> None:
        self.reason = reason or type(self).reason or type(self).__name__
        self.field = field
        super().__init__(self.reason)

    @property
    def code(self) -> str:
        return type(self).__name__

    def as_json(self) -> dict[str, str | None]:
        """The shape of every refusal on every door: {"refusal", "field", "reason"}."""
        return {"refusal": self.code, "field": self.field, "reason": self.reason}


class BadInput(Refusal):
    """The request itself is malformed; sending it again unchanged cannot succeed."""


class NotSignedIn(Refusal):
    reason = "a valid token is needed"


class NotAllowed(Refusal):
    reason = "this caller may not do that"


class TooOften(Refusal):
    """Asked again too soon. `seconds`: after how many it may be asked again."""

    reason = "asked too often"

    def __init__(self, reason: str = "", *, field: str | None = None, seconds: int = 60) -> None:
        super().__init__(reason, field=field)
        self.seconds = seconds


class NotFound(Refusal):
    reason = "no such thing"


class Conflict(Refusal):
    """The request is well formed, but the state of the thing does not allow it."""


class TooLarge(Refusal):
    reason = "the body is too large"


class Busy(Refusal):
    """Try again: nothing was accepted. The queue is full or a store cannot answer."""

    reason = "busy, try again in a second"
