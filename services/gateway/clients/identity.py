"""The identity service, as the gateway needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from services.gateway.clients.http import Service
from services.gateway.clients.openid import Vouched

_LONGEST_SUBJECT: Final = 64


class Person(msgspec.Struct, frozen=True):
    """Who signed in, by which method and at which level of eIDAS; `shared`: on a computer that others use after."""

    subject: str
    roles: list[str]
    name: str
    method: str = "sign_in_code"
    level: str = "low"
    shared: bool = False


class Eligibility(msgspec.Struct, frozen=True):
    eligible: bool
    stratum: str | None = None


class Mark(msgspec.Struct, frozen=True):
    """The issuer's signature of one credential."""

    stratum: str
    signature: str


class Grant(msgspec.Struct, frozen=True):
    """A role of a person, from one moment to another."""

    subject: str
    role: str
    since: str
    until: str
    granted_by: str
    ended_by: str = ""
    name: str = ""


class Found(msgspec.Struct, frozen=True):
    subject: str
    name: str


class Erasure(msgspec.Struct, frozen=True):
    """An erasure that waits for a second person."""

    subject: str
    asked_by: str


class Grants(msgspec.Struct, frozen=True):
    grants: list[Grant]
    pages: int = 1


class _People(msgspec.Struct, frozen=True):
    people: list[Found]


class _Roles(msgspec.Struct, frozen=True):
    roles: list[str]


class _Names(msgspec.Struct, frozen=True):
    names: dict[str, str]


class _Seal(msgspec.Struct, frozen=True):
    key: str


class _Erasures(msgspec.Struct, frozen=True):
    erasures: list[Erasure]


class _State(msgspec.Struct, frozen=True):
    state: str


class Linked(msgspec.Struct, frozen=True):
    state: str


class Stratum(msgspec.Struct, frozen=True):
    """A list of voters, and how many people would be on a roll that is frozen now."""

    stratum: str
    people: int


class _Strata(msgspec.Struct, frozen=True):
    strata: list[Stratum]


class Prepared(msgspec.Struct, frozen=True):
    """What the ballot service needs to publish: the frozen roll's size and root a stratum, and the issuer's key."""

    issuer_key: str
    strata: list[dict[str, Any]]


class IdentityClient:
    """Raises NotFound, ServiceRefused or ServiceUnavailable."""

    def __init__(self, api: Service, patient: Service, erased: Callable[[str], object] = lambda subject: None) -> None:
        """`patient`: the same service, for what takes longer the more people there are. `erased`: told of each person
        whom a call of ours erased."""
        self._api = api
        self._patient = patient
        self._erased = erased

    def sign_in(self, code: str, source: str) -> Person:
        """`source` is whose wrong tries are counted together: never an address, only a keyed hash of one."""
        return self._api.post("/sign-in", Person, {"code": code, "source": source})

    def sign_in_external(self, vouched: Vouched, token: str) -> Person:
        """`token` speaks for the gateway itself."""
        return self._api.post("/sign-in/external", Person, _told(vouched), token=token)

    def link_external(self, vouched: Vouched, token: str) -> None:
        """`token` speaks for the gateway in the name of the person who is signed in."""
        self._api.post("/sign-in/external/links", Linked, _told(vouched), token=token)

    def eligibility(self, poll: str, token: str) -> Eligibility:
        return self._api.get(f"/polls/{poll}/eligibility", Eligibility, token=token)

    def mark(self, poll: str, credential: str, salt: str, token: str) -> Mark:
        """Marks the roll and signs the credential. A repeat for the same credential gives the same signature."""
        return self._api.post(f"/polls/{poll}/marks", Mark, {"credential": credential, "salt": salt}, token=token)

    def strata(self, token: str) -> list[Stratum]:
        return self._api.get("/rolls", _Strata, token=token).strata

    def prepare(self, poll: str, strata: Sequence[str], opens_at: str, closes_at: str, token: str) -> Prepared:
        """Freezes the roll as it stands; once the poll is published, gives what was frozen."""
        value = {"strata": list(strata), "opens_at": opens_at, "closes_at": closes_at}
        return self._patient.post(f"/polls/{poll}/issuance", Prepared, value, token=token)

    def reissue(self, poll: str, subject: str, token: str) -> str:
        """ "asked" by the first officer, "confirmed" by the second."""
        return self._api.post(f"/polls/{poll}/reissues", _State, {"subject": subject}, token=token).state

    def sealing_key(self, token: str) -> bytes:
        """For what the gateway keeps of the person whose token it is."""
        return bytes.fromhex(self._api.post("/me/seals", _Seal, {"use": "gateway"}, token=token).key)

    def roles(self, token: str) -> list[str]:
        """Those that the caller has now."""
        return self._api.get("/me/roles", _Roles, token=token).roles

    def names(self, subjects: Iterable[str], token: str) -> dict[str, str]:
        """Of the subjects that are known; who was erased is not in it, nor what can be no subject."""
        wanted = sorted({subject for subject in subjects if 0 < len(subject) <= _LONGEST_SUBJECT})[:200]
        return self._api.post("/people/names", _Names, {"subjects": wanted}, token=token).names if wanted else {}

    def find(self, family_name: str, given_name: str, birth_date: str, token: str) -> list[Found]:
        value = {"family_name": family_name, "given_name": given_name, "birth_date": birth_date}
        return self._api.post("/people/search", _People, value, token=token).people

    def holders(self, page: int, token: str) -> Grants:
        """Who has a role of staff or will have it, by the date when it ends."""
        return self._api.get("/roles", Grants, token=token, params={"page": page})

    def grant(self, subject: str, role: str, since: str, until: str, token: str) -> None:
        value = {"subject": subject, "role": role, "since": since, "until": until}
        self._api.post("/roles/grants", Grant, value, token=token)

    def end_role(self, subject: str, role: str, token: str) -> None:
        self._api.post("/roles/ends", dict, {"subject": subject, "role": role}, token=token)

    def erasures(self, token: str) -> list[Erasure]:
        return self._api.get("/erasures", _Erasures, token=token).erasures

    def erase(self, subject: str, token: str) -> str:
        """ "asked" by the first person, "erased" by the second."""
        state = self._api.post("/erasures", _State, {"subject": subject}, token=token).state
        if state == "erased":
            self._erased(subject)
        return state

    def keep(self, subject: str, token: str) -> None:
        """Withdraws an erasure that was asked for."""
        self._api.post("/erasures/withdrawals", _State, {"subject": subject}, token=token)


def _told(vouched: Vouched) -> dict[str, str]:
    return {name: getattr(vouched, name) for name in ("issuer", "sub", "given_name", "family_name", "birth_date")}
