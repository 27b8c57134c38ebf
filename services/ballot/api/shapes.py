"""What the ballot service's JSON API takes and gives. Descriptions of the API are made from these."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from services.ballot.domain import State

Json = dict[str, Any]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Hex32 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", max_length=64)]
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$(?!\n)", max_length=40)]
Moment = Annotated[str, msgspec.Meta(description="RFC 3339, UTC, as 2027-06-30T22:00:00Z.")]
Sums = list[Json | None]
"""Per question, where its method's result is a sum; else null. Its shape is the method's."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body: fields that are not known are refused."""


class Draft(Request, frozen=True):
    """What a poll asks, of whom and when: docs/voting-protocol.md says what each field may hold."""

    title: str
    description: str
    questions: list[Json]
    strata: list[Json]
    stations: list[Json]
    opens_at: Moment
    closes_at: Moment
    epoch_seconds: Count = 60
    epoch_min: Count = 20


class NewPoll(Draft, frozen=True):
    """`key`: the caller's own; the same draft sent again under it makes no second poll."""

    key: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]*$(?!\n)", max_length=64)] = ""


class RollPart(Request, frozen=True):
    id: str
    roll_size: Count
    roll_root: str


class Publication(Request, frozen=True):
    """What identity gave for this poll: the frozen roll of each stratum, and the key that signs credentials."""

    strata: list[RollPart]
    issuer_key: str


class Replacement(Request, frozen=True):
    draft: Draft
    strata: list[RollPart]
    issuer_key: str
    reason: str


class OpeningConfirmation(Request, frozen=True):
    manifest_hash: str


class CountConfirmation(Request, frozen=True):
    checkpoints_hash: str


class Reason(Request, frozen=True):
    reason: str


class CredentialRequest(Request, frozen=True):
    credential: Hex32


class TrackerRequest(Request, frozen=True):
    tracker: Hex32


class Option(msgspec.Struct, frozen=True):
    id: str
    label: str


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    text: str
    method: str
    options: list[Option]
    blank: bool
    tie_break: str
    settings: Json | msgspec.UnsetType = msgspec.UNSET


class Station(msgspec.Struct, frozen=True):
    id: str
    label: str


class Stratum(msgspec.Struct, frozen=True):
    """A part of the roll. `roll_root`: of the frozen roll, so that its size can be held against it."""

    id: str
    label: str
    roll_size: Count
    roll_root: Hex32
    station: str
    issuer_keys: list[Hex32]


class Manifest(msgspec.Struct, frozen=True):
    """A poll as frozen at its publication; the manifest hash is the SHA-256 of these very bytes."""

    version: int
    poll: str
    title: str
    description: str
    mode: str
    questions: list[Question]
    strata: list[Stratum]
    stations: list[Station]
    opens_at: Moment
    closes_at: Moment
    log_by: Moment
    epoch_seconds: Count
    epoch_min: Count
    origin: str
    log_key: Hex32
    promise_key: Hex32
    replaces: Hex32 | None
    reason: str | None


class Line(msgspec.Struct, frozen=True):
    """A poll in the list of drafts."""

    poll: str
    title: str
    state: State
    opens_at: Moment
    closes_at: Moment
    roll: Count


class PublicLine(Line, frozen=True):
    """A poll in the public list. `turnout`: as of the last sealed epochs."""

    turnout: Count


class Drafts(msgspec.Struct, frozen=True):
    polls: list[Line]
    page: int
    pages: int


class Polls(msgspec.Struct, frozen=True):
    polls: list[PublicLine]
    page: int
    pages: int


class StationFigures(msgspec.Struct, frozen=True):
    """As of the last sealed epoch."""

    station: str
    label: str
    size: Count
    checkpoint: str | None
    epochs: Count
    turnout: Count
    sums: Sums


class QuestionResult(msgspec.Struct, frozen=True):
    """`result` is the method's own: docs/voting-protocol.md, *Methods*."""

    id: str
    method: str
    result: Json


class StationCheckpoint(msgspec.Struct, frozen=True):
    station: str
    checkpoint: str


class Tally(msgspec.Struct, frozen=True):
    """The count as published: what anyone's recount of the export must give. `invalid`: counts by reason."""

    type: str
    version: int
    poll: str
    manifest_hash: Hex32
    questions: list[QuestionResult]
    counted: Count
    superseded: Count
    invalid: dict[str, Count]
    turnout: Count
    roll: Count
    issued: Count
    reissued: Count
    stations: list[StationCheckpoint]
    code_hash: Hex32


class PollState(msgspec.Struct, frozen=True):
    """`manifest` is the draft, without keys and roll, as long as `manifest_hash` is null."""

    poll: str
    state: State
    manifest: Json
    manifest_hash: Hex32 | None
    checkpoints_hash: Hex32 | None
    stations: list[StationFigures]
    roll: Count
    turnout: Count
    issuance_ready: bool
    opening_confirmed_by: Count
    count_confirmed_by: Count
    cancellation_asked: bool
    issued: Count
    reissued: Count
    tally: Tally | None
    reason: str | None


class Epoch(msgspec.Struct, frozen=True):
    """Turnout and sums of a station at the end of one epoch."""

    station: str
    epoch: Count
    turnout: Count
    sums: Sums


class Epochs(msgspec.Struct, frozen=True):
    epochs: list[Epoch]


class Drafted(msgspec.Struct, frozen=True):
    poll: str


class Published(msgspec.Struct, frozen=True):
    manifest_hash: Hex32


class Confirmations(msgspec.Struct, frozen=True):
    state: State
    opening_confirmed_by: Count
    count_confirmed_by: Count
    cancellation_asked: bool


class LastBallot(msgspec.Struct, frozen=True):
    """The last ballot of a credential; both null when there is none."""

    seq: Count | None
    leaf_hash: Hex32 | None


class Paper(msgspec.Struct, frozen=True):
    """What a ballot paper is made of: the poll, and the last ballot of whoever is about to vote."""

    poll: PollState
    last: LastBallot


class TrackerState(msgspec.Struct, frozen=True):
    """`index`: the leaf's place in its station's log. `log_by`: until when a waiting ballot is logged."""

    state: Literal["logged", "waiting", "unknown"]
    station: str | None
    index: Count | None
    log_by: Moment
