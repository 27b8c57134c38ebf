"""The identity service, as the gateway needs it."""

from __future__ import annotations

import msgspec

from services.gateway.clients.http import Service


class Person(msgspec.Struct, frozen=True):
    """Who signed in."""

    subject: str
    roles: list[str]
    name: str


class Eligibility(msgspec.Struct, frozen=True):
    eligible: bool
    stratum: str | None = None


class Mark(msgspec.Struct, frozen=True):
    """The issuer's signature of one credential."""

    stratum: str
    signature: str


class IdentityClient:
    """Raises NotFound, ServiceRefused or ServiceUnavailable."""

    def __init__(self, api: Service) -> None:
        self._api = api

    def sign_in(self, code: str, source: str) -> Person:
        """`source` is whose wrong tries are counted together: never an address, only a keyed hash of one."""
        return self._api.post("/sign-in", Person, {"code": code, "source": source})

    def eligibility(self, poll: str, token: str) -> Eligibility:
        return self._api.get(f"/polls/{poll}/eligibility", Eligibility, token=token)

    def mark(self, poll: str, credential: str, salt: str, token: str) -> Mark:
        """Marks the roll and signs the credential. A repeat for the same credential gives the same signature."""
        return self._api.post(f"/polls/{poll}/marks", Mark, {"credential": credential, "salt": salt}, token=token)
