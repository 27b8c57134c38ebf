"""The ballot service, as the gateway needs it: its API and its cast door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any

import msgspec

from services.gateway.clients.http import Service, read
from services.gateway.voting import Promise


class Listed(msgspec.Struct, frozen=True):
    """A poll in the list."""

    poll: str
    title: str
    state: str
    opens_at: str
    closes_at: str
    roll: int | None = None
    turnout: int | None = None


class PollList(msgspec.Struct, frozen=True):
    polls: list[Listed]
    page: int
    pages: int


class Option(msgspec.Struct, frozen=True):
    id: str
    label: str


class Question(msgspec.Struct, frozen=True):
    id: str
    text: str
    method: str
    options: list[Option]
    blank: bool = False
    tie_break: str = "none"
    settings: dict[str, Any] = {}


class Stratum(msgspec.Struct, frozen=True):
    id: str
    label: str
    station: str
    roll_size: int | None = None
    issuer_keys: list[str] = []


class Manifest(msgspec.Struct, frozen=True):
    """The part of a manifest that pages show. A draft has neither keys nor roll yet."""

    title: str
    description: str
    questions: list[Question]
    strata: list[Stratum]
    opens_at: str
    closes_at: str
    epoch_seconds: int
    epoch_min: int
    mode: str = "L"
    log_by: str | None = None
    promise_key: str | None = None
    replaces: str | None = None
    reason: str | None = None

    def stratum(self, wanted: str) -> Stratum | None:
        return next((s for s in self.strata if s.id == wanted), None)


class Station(msgspec.Struct, frozen=True):
    station: str
    label: str
    size: int = 0
    turnout: int = 0
    checkpoint: str | None = None
    epochs: int = 0
    sums: list[dict[str, Any] | None] = []
    """Per question, where its method's result is a sum; else None. Shapes differ by method."""


class QuestionResult(msgspec.Struct, frozen=True):
    """`result` is the method's own: docs/voting-protocol.md, *Methods*, says what stands in it."""

    id: str
    method: str
    result: dict[str, Any]


class Tally(msgspec.Struct, frozen=True):
    """The count as published. `invalid` gives counts by reason."""

    questions: list[QuestionResult]
    counted: int
    superseded: int
    turnout: int
    roll: int
    issued: int
    reissued: int
    invalid: dict[str, int] = {}


class Poll(msgspec.Struct, frozen=True):
    """A poll as its API tells it; `body`: as it told it."""

    poll: str
    state: str
    manifest: Manifest
    manifest_hash: str | None = None
    checkpoints_hash: str | None = None
    stations: list[Station] = []
    roll: int | None = None
    turnout: int | None = None
    issuance_ready: bool = False
    opening_confirmed_by: int = 0
    count_confirmed_by: int = 0
    cancellation_asked: bool = False
    issued: int = 0
    reissued: int = 0
    tally: Tally | None = None
    reason: str | None = None
    body: bytes = b""

    @property
    def raw_manifest(self) -> dict[str, Any]:
        """What the hash is of."""
        return dict(read(self.body)["manifest"])

    @property
    def raw_tally(self) -> dict[str, Any] | None:
        """What the event holds."""
        found: dict[str, Any] | None = read(self.body).get("tally")
        return found

    @property
    def content(self) -> bytes:
        """A hash of all that was told: the same answer has the same, any change another."""
        return sha256(self.body).digest()


class Epoch(msgspec.Struct, frozen=True):
    station: str
    epoch: int
    turnout: int
    sums: list[dict[str, Any] | None] = []


class _Epochs(msgspec.Struct, frozen=True):
    epochs: list[Epoch]


class CredentialState(msgspec.Struct, frozen=True):
    """The last ballot of a credential: both None when there is none."""

    seq: int | None = None
    leaf_hash: str | None = None


class _Paper(msgspec.Struct, frozen=True):
    poll: msgspec.Raw
    last: CredentialState


class TrackerState(msgspec.Struct, frozen=True):
    state: str
    station: str | None = None
    index: int | None = None
    log_by: str | None = None


class _Promise(msgspec.Struct, frozen=True):
    poll: str
    leaf_hash: str
    log_by: str
    signature: str


class _State(msgspec.Struct, frozen=True):
    state: str


class _Drafted(msgspec.Struct, frozen=True):
    poll: str


class _Published(msgspec.Struct, frozen=True):
    manifest_hash: str


class BallotClient:
    """Raises NotFound, ServiceRefused or ServiceUnavailable."""

    def __init__(self, api: Service, cast: Service) -> None:
        self._api = api
        self._cast = cast

    def _poll(self, body: bytes) -> Poll:
        return msgspec.structs.replace(self._api.told(body, Poll), body=body)

    def polls(self, page: int = 1, token: str | None = None, state: str = "") -> PollList:
        wanted = {"page": page} | ({"state": state} if state else {})
        return self._api.get("/polls", PollList, token=token, params=wanted)

    def drafts(self, page: int, token: str) -> PollList:
        """The polls that officers alone see, not published yet."""
        return self._api.get("/drafts", PollList, token=token, params={"page": page})

    def poll(self, poll: str, token: str | None = None) -> Poll:
        return self._poll(self._api.raw(f"/polls/{poll}", token=token))

    def manifest(self, poll: str) -> bytes:
        """The canonical bytes that the manifest hash is of."""
        return self._api.raw(f"/polls/{poll}/manifest")

    def checkpoint(self, poll: str, station: str) -> bytes:
        return self._api.raw(f"/polls/{poll}/stations/{station}/checkpoint")

    def epochs(self, poll: str) -> list[Epoch]:
        return self._api.get(f"/polls/{poll}/epochs", _Epochs).epochs

    def export(self, poll: str) -> AbstractContextManager[Iterator[bytes]]:
        return self._api.stream(f"/polls/{poll}/export")

    def credential(self, poll: str, credential: str) -> CredentialState:
        return self._api.post(f"/polls/{poll}/credentials", CredentialState, {"credential": credential})

    def paper(self, poll: str, credential: str) -> tuple[Poll, CredentialState]:
        """The poll and the last ballot of a credential, in one call."""
        told = self._api.post(f"/polls/{poll}/credentials/paper", _Paper, {"credential": credential})
        return self._poll(bytes(told.poll)), told.last

    def tracker(self, poll: str, tracker: str) -> TrackerState:
        return self._api.post(f"/polls/{poll}/trackers", TrackerState, {"tracker": tracker})

    def cast(self, poll: str, leaf: bytes) -> Promise:
        """Casts a ballot. After ServiceUnavailable the same bytes can be sent again without harm."""
        got = self._cast.post(f"/polls/{poll}/ballots", _Promise, content=leaf)
        return Promise(got.poll, got.leaf_hash, got.log_by, got.signature)

    def draft(self, draft: dict[str, Any], key: str, token: str) -> str:
        """The new poll. Again under the same key: the same poll."""
        return self._api.post("/polls", _Drafted, {**draft, "key": key}, token=token).poll

    def redraft(self, poll: str, draft: dict[str, Any], token: str) -> None:
        self._api.post(f"/polls/{poll}/draft", _Drafted, draft, token=token)

    def publish(self, poll: str, strata: list[dict[str, Any]], issuer_key: str, token: str) -> str:
        """The manifest's hash."""
        value = {"strata": strata, "issuer_key": issuer_key}
        return self._api.post(f"/polls/{poll}/publication", _Published, value, token=token).manifest_hash

    def replace(
        self, poll: str, draft: dict[str, Any], strata: list[dict[str, Any]], issuer_key: str, reason: str, token: str
    ) -> str:
        """The new manifest's hash."""
        value = {"draft": draft, "strata": strata, "issuer_key": issuer_key, "reason": reason}
        return self._api.post(f"/polls/{poll}/replacement", _Published, value, token=token).manifest_hash

    def confirm_opening(self, poll: str, manifest_hash: str, token: str) -> None:
        """`manifest_hash`: what the officer's page showed."""
        self._api.post(f"/polls/{poll}/opening-confirmations", dict, {"manifest_hash": manifest_hash}, token=token)

    def confirm_count(self, poll: str, checkpoints_hash: str, token: str) -> None:
        """`checkpoints_hash`: what the officer's page showed."""
        self._api.post(f"/polls/{poll}/count-confirmations", dict, {"checkpoints_hash": checkpoints_hash}, token=token)

    def cancel(self, poll: str, reason: str, token: str) -> str:
        """The poll's state after it: the second person's request cancels."""
        return self._api.post(f"/polls/{poll}/cancellation", _State, {"reason": reason}, token=token).state
