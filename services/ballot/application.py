"""The use cases of the ballot service that are not casting or sealing: one method each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from eventsourcing.application import AggregateNotFoundError
from eventsourcing.persistence import IntegrityError

from services.ballot.domain import Poll
from services.ballot.methods import METHODS
from services.ballot.protocol import manifest as manifests
from services.ballot.protocol.fields import Fields
from services.ballot.protocol.manifest import Manifest, log_by, read_dates, read_stations
from services.ballot.protocol.questions import read_questions
from services.shared.aggregates import Aggregates
from services.shared.errors import BadInput, NotFound

Json = dict[str, Any]
_POLLS = UUID("6f0c7f2e-0c53-4f5a-9b1d-3d9a0c9be1f4")


class PollUnknown(NotFound):
    reason = "no such poll"


class StrataDiffer(BadInput):
    reason = "the roll's strata must be those of the draft"


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """What every manifest names: where the log comes from and who signs it."""

    origin: str
    log: bytes
    promise: bytes


@dataclass(frozen=True, slots=True)
class Roll:
    """What identity attests when a roll is frozen: per stratum its size and root, and the poll's issuer key."""

    strata: Mapping[str, tuple[int, str]]
    issuer_key: str


class BallotApplication:
    def __init__(
        self, aggregates: Aggregates, keys: PublicKeys, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._aggregates = aggregates
        self._keys = keys
        self._clock = clock
        self._manifests: dict[str, Manifest] = {}

    def poll(self, poll: str) -> Poll:
        """As it stands, to be read and not changed. Raises PollUnknown."""
        try:
            return self._aggregates.see(Poll, UUID(poll))
        except AggregateNotFoundError:
            raise PollUnknown(field="poll") from None

    def manifest(self, poll: str) -> Manifest:
        """The manifest in force. Raises PollUnknown while there is none."""
        found = self.poll(poll)
        if found.manifest is None or found.manifest_hash is None:
            raise PollUnknown("the poll is not published yet", field="poll")
        if found.manifest_hash not in self._manifests:
            self._manifests[found.manifest_hash] = manifests.from_json(found.manifest, METHODS)
        return self._manifests[found.manifest_hash]

    def draft(self, draft: Json, by: str, key: str = "") -> str:
        """A new poll's id. Raises a refusal naming the first field that cannot stand in a manifest. Again by the same
        officer under the same key: the same poll, which as long as it is a draft says what was sent last."""
        _check_draft(draft)
        id = uuid5(_POLLS, f"{by} {key}") if key else uuid4()
        try:
            self._aggregates.save(Poll(id=id, draft=draft, by=by))
        except IntegrityError:
            if self.poll(str(id)).draft != draft:
                self.redraft(str(id), draft, by)
        return str(id)

    def redraft(self, poll: str, draft: Json, by: str) -> None:
        """What a draft says from now on. Raises PollNotDraft, or what `draft` raises."""
        _check_draft(draft)
        self._change(poll, lambda p: p.redraft(draft, by))

    def publish(self, poll: str, roll: Roll, by: str) -> str:
        """Freezes the manifest; its hash."""
        manifest = self._manifest(poll, self.poll(poll).draft, roll)
        self._change(poll, lambda p: p.publish(manifest.as_json(), manifest.hash.hex(), by))
        return manifest.hash.hex()

    def replace(self, poll: str, draft: Json, roll: Roll, reason: str, by: str) -> str:
        """A new manifest before the opening, naming the one it replaces and why."""
        _check_draft(draft)
        before = self.poll(poll).manifest_hash
        manifest = self._manifest(poll, draft, roll, replaces=before, reason=reason)
        self._change(poll, lambda p: p.replace(manifest.as_json(), manifest.hash.hex(), reason, by, self._clock()))
        return manifest.hash.hex()

    def confirm_opening(self, poll: str, manifest_hash: str, by: str) -> Poll:
        return self._change(poll, lambda p: p.confirm_opening(manifest_hash, by, self._clock()))

    def confirm_count(self, poll: str, checkpoints_hash: str, by: str) -> Poll:
        return self._change(poll, lambda p: p.confirm_count(checkpoints_hash, by))

    def cancel(self, poll: str, reason: str, by: str) -> Poll:
        return self._change(poll, lambda p: p.cancel(reason, by))

    def record_issuance_ready(self, poll: str, manifest_hash: str) -> None:
        self._change(poll, lambda p: p.record_issuance_ready(manifest_hash))

    def record_issuance(self, poll: str, stratum: str, issued: int, reissued: int) -> None:
        self._change(poll, lambda p: p.record_issuance(stratum, issued, reissued))

    # --- the sealer's ---

    def open(self, poll: str, manifest_hash: str) -> None:
        self._change(poll, lambda p: p.open(manifest_hash))

    def begin_closing(self, poll: str) -> None:
        self._change(poll, Poll.begin_closing)

    def close_station(self, poll: str, station: str, checkpoint: str) -> None:
        self._change(poll, lambda p: p.close_station(station, checkpoint))

    def record_tally(self, poll: str, tally: Json) -> None:
        self._change(poll, lambda p: p.record_tally(tally))

    def _change(self, poll: str, decide: Callable[[Poll], None]) -> Poll:
        try:
            return self._aggregates.change(Poll, UUID(poll), decide)
        except AggregateNotFoundError:
            raise PollUnknown(field="poll") from None

    def _manifest(
        self, poll: str, draft: Json, roll: Roll, *, replaces: str | None = None, reason: str | None = None
    ) -> Manifest:
        if set(roll.strata) != {stratum["id"] for stratum in draft["strata"]}:
            raise StrataDiffer(field="strata")
        value = {
            **draft,
            "version": 1,
            "mode": "L",
            "poll": poll,
            "strata": [_stratum(stratum, roll) for stratum in draft["strata"]],
            "log_by": log_by(draft["closes_at"]),
            "origin": self._keys.origin,
            "log_key": self._keys.log.hex(),
            "promise_key": self._keys.promise.hex(),
            "replaces": replaces,
            "reason": reason,
        }
        return manifests.from_json(value, METHODS)


def _stratum(stratum: Json, roll: Roll) -> Json:
    size, root = roll.strata[stratum["id"]]
    return {**stratum, "roll_size": size, "roll_root": root, "issuer_keys": [roll.issuer_key]}


DRAFT: tuple[str, ...] = (
    "title",
    "description",
    "questions",
    "strata",
    "stations",
    "opens_at",
    "closes_at",
    "epoch_seconds",
    "epoch_min",
)


def _check_draft(draft: Json) -> None:
    """Everything that can be refused before the roll is known is refused now, where the officer still has the form."""
    fields = Fields(draft, DRAFT)
    fields.text("title", longest=300)
    fields.text("description", shortest=0, longest=20_000)
    read_questions(fields.raw("questions"), METHODS)
    read_dates(fields)
    fields.integer("epoch_seconds", least=1, most=86_400)
    fields.integer("epoch_min", least=1, most=1_000_000)
    stations = {station.id for station in read_stations(fields.raw("stations"), refusal=BadInput)}
    taken: set[str] = set()
    strata: Sequence[Fields] = fields.inner_items("strata", ("id", "label", "station"), most=500)
    for stratum in strata:
        stratum.slug("id")
        stratum.text("label", longest=300)
        if stratum.slug("station") not in stations:
            raise stratum.refuse("station", "is not among the stations")
        if stratum.slug("station") in taken:
            raise stratum.refuse("station", "stands twice: each station serves exactly one stratum")
        taken.add(stratum.slug("station"))
