"""Signing in by codes that are asked for, and the desk, as the identity service offers them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from services.gateway.clients.http import Service
from services.gateway.clients.identity import Person


class Asked(msgspec.Struct, frozen=True):
    """`request` goes with the code when it is typed."""

    request: str
    minutes: int


class DeskCode(msgspec.Struct, frozen=True):
    code: str
    minutes: int


class Change(msgspec.Struct, frozen=True):
    """New contacts of a person, which wait for a second agent."""

    change: str
    subject: str
    name: str
    asked_by: str
    proof: str
    at: str
    email: str
    phone: str
    former_email: str
    former_phone: str


class Act(msgspec.Struct, frozen=True):
    """What an agent did at the desk."""

    at: str
    by: str
    by_name: str
    act: str
    subject: str
    name: str
    proof: str


class Acts(msgspec.Struct, frozen=True):
    acts: list[Act]
    pages: int


class _Days(msgspec.Struct, frozen=True):
    days: int


class _State(msgspec.Struct, frozen=True):
    state: str


class _Changes(msgspec.Struct, frozen=True):
    changes: list[Change]


class _Asked(msgspec.Struct, frozen=True):
    change: str


class CodesClient:
    """In the gateway's own name. `source`: whose tries are counted together, only a keyed hash of an address. Raises
    ServiceRefused or ServiceUnavailable."""

    def __init__(self, api: Service, own_token: Callable[[], str]) -> None:
        self._api = api
        self._own = own_token

    def ask(self, contact: str, source: str) -> Asked:
        """The same answer whoever has this contact, or nobody."""
        return self._api.post("/sign-in/codes", Asked, {"contact": contact, "source": source}, token=self._own())

    def use(self, request: str, code: str, source: str) -> Person:
        value = {"request": request, "code": code, "source": source}
        return self._api.post("/sign-in/codes/uses", Person, value, token=self._own())

    def use_once(self, code: str, source: str) -> Person:
        """A code from a letter or from the desk."""
        value = {"code": code, "source": source}
        return self._api.post("/sign-in/one-time-codes", Person, value, token=self._own())

    def ask_letter(self, family_name: str, given_name: str, birth_date: str, source: str) -> int:
        """For how many days its code will be good; the same answer whoever has these names, or nobody."""
        value = {"family_name": family_name, "given_name": given_name, "birth_date": birth_date, "source": source}
        return self._api.post("/sign-in/letters", _Days, value, token=self._own()).days


class DeskClient:
    """In an agent's name. Raises NotFound, ServiceRefused or ServiceUnavailable."""

    def __init__(self, api: Service) -> None:
        self._api = api

    def open(self, subject: str, proof: str, token: str) -> DeskCode:
        return self._api.post("/desk/sign-ins", DeskCode, {"subject": subject, "proof": proof}, token=token)

    def order_letter(self, subject: str, token: str) -> None:
        self._api.post("/desk/letters", _State, {"subject": subject}, token=token)

    def ask_change(self, subject: str, proof: str, email: str, phone: str, token: str) -> str:
        value = {"subject": subject, "proof": proof, "email": email, "phone": phone}
        return self._api.post("/desk/contacts", _Asked, value, token=token).change

    def changes(self, token: str) -> list[Change]:
        return self._api.get("/desk/contacts", _Changes, token=token).changes

    def confirm_change(self, change: str, token: str) -> None:
        self._api.post("/desk/contacts/confirmations", _State, {"change": change}, token=token)

    def withdraw_change(self, change: str, token: str) -> None:
        self._api.post("/desk/contacts/withdrawals", _State, {"change": change}, token=token)

    def acts(self, page: int, token: str) -> Acts:
        return self._api.get("/desk/acts", Acts, token=token, params={"page": page})
