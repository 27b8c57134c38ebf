"""What identity offers to a person about themselves: their data, why they cannot vote, appeals, accounts, organisations
that they speak for, being erased."""

from __future__ import annotations

from typing import Any

import msgspec

from services.gateway.clients.http import Service, read
from services.gateway.clients.persons import Entry, Person, Represented, Role


class Standing(msgspec.Struct, frozen=True):
    """`reason`: may_vote, took_credential, not_open_yet, closed, another_stratum, not_on_roll or not_attached.
    `stratum`: on the poll's roll; `own_stratum`: of the account today."""

    reason: str
    stratum: str
    own_stratum: str
    opens_at: str
    closes_at: str


class Access(msgspec.Struct, frozen=True):
    """All that identity keeps of a person; `body`: as it told it. `erasure`: asked, asked_by_agent or empty."""

    person: Person
    roles: list[Role]
    entries: list[Entry]
    organisations: list[Represented]
    erasure: str = ""
    body: bytes = b""

    @property
    def raw(self) -> dict[str, Any]:
        return dict(read(self.body))


class Delegate(msgspec.Struct, frozen=True):
    organisation: str
    subject: str
    since: str
    until: str
    name: str = ""


class Made(msgspec.Struct, frozen=True):
    """A new account, and its sign-in code, told once."""

    subject: str
    code: str


class _Delegates(msgspec.Struct, frozen=True):
    delegates: list[Delegate]


class _State(msgspec.Struct, frozen=True):
    state: str


class OwnClient:
    """In the person's own name. Raises NotFound (they were erased, or the thing is not there), ServiceRefused or
    ServiceUnavailable."""

    def __init__(self, api: Service) -> None:
        self._api = api

    def access(self, token: str) -> Access:
        body = self._api.raw("/me", token=token)
        return msgspec.structs.replace(self._api.told(body, Access), body=body)

    def standing(self, poll: str, token: str) -> Standing:
        return self._api.get(f"/polls/{poll}/standing", Standing, token=token)

    def appeal(self, poll: str, text: str, key: str, token: str) -> None:
        """`key`: 32 hex digits; the same appeal again stands once."""
        self._api.post("/me/appeals", Entry, {"poll": poll, "text": text, "key": key}, token=token)

    def sign_up(self, told: dict[str, str], source: str) -> Made:
        """`source`: whose accounts are counted together."""
        return self._api.post("/sign-up", Made, {**told, "source": source})

    def register(self, told: dict[str, str], key: str, token: str) -> None:
        """An organisation; an agent confirms. `key` as of an appeal."""
        self._api.post("/me/organisations", _State, {**told, "key": key}, token=token)

    def delegates(self, token: str) -> list[Delegate]:
        """Who speaks now for the organisations that the caller speaks for."""
        return self._api.get("/me/organisations/delegates", _Delegates, token=token).delegates

    def add_delegate(self, organisation: str, subject: str, until: str, token: str) -> str:
        """Their name is told by `delegates`; here the end of their time."""
        value = {"organisation": organisation, "subject": subject, "until": until}
        return self._api.post("/me/organisations/delegates/grants", Delegate, value, token=token).until

    def end_delegate(self, organisation: str, subject: str, token: str) -> None:
        value = {"organisation": organisation, "subject": subject}
        self._api.post("/me/organisations/delegates/ends", _State, value, token=token)

    def ask_erasure(self, token: str) -> str:
        """ "asked", or "erased" where an agent had asked before."""
        return self._api.post("/me/erasures", _State, {}, token=token).state

    def keep(self, token: str) -> None:
        """Withdraws what the caller asked for."""
        self._api.post("/me/erasures/withdrawals", _State, {}, token=token)
