"""The manifest: everything about a poll that its voters must be sure of. Its hash is the anchor of every audit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from services.ballot.protocol import sign
from services.ballot.protocol.fields import Fields, moment, written
from services.ballot.protocol.questions import Method, Question, read_questions, refuse_repeats
from services.shared import strict
from services.shared.errors import BadInput

LEAST_ROLL: Final = 50
LOG_DELAY: Final = timedelta(hours=1)
MAX_STRATA: Final = 500
MAX_MANIFEST: Final = 1 << 20
_ORIGIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::[0-9]{1,5})?")
_STRATUM: Final = ("id", "label", "roll_size", "roll_root", "station", "issuer_keys")
_NAMES: Final = (
    "version", "poll", "title", "description", "mode", "questions", "strata", "stations", "opens_at", "closes_at",
    "log_by", "epoch_seconds", "epoch_min", "origin", "log_key", "promise_key", "replaces", "reason",
)  # fmt: skip


class WrongManifest(BadInput):
    """The manifest breaks its format or one of its rules."""


class StratumTooSmall(WrongManifest):
    reason = f"a stratum of fewer than {LEAST_ROLL} people would not keep its votes secret"


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of the roll, and the one station where it alone votes. `index` is its place in the manifest."""

    id: str
    label: str
    roll_size: int
    roll_root: bytes
    station: str
    issuer_keys: tuple[bytes, ...]
    index: int = field(compare=False)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "label": self.label,
            "roll_size": self.roll_size,
            "roll_root": self.roll_root.hex(),
            "station": self.station,
            "issuer_keys": [key.hex() for key in self.issuer_keys],
        }


@dataclass(frozen=True, slots=True)
class Station:
    id: str
    label: str

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "label": self.label}


@dataclass(frozen=True)
class Manifest:
    """A poll as frozen at publication. Times are protocol texts; keys, hashes and roots are bytes."""

    poll: str
    title: str
    description: str
    questions: tuple[Question, ...]
    strata: tuple[Stratum, ...]
    stations: tuple[Station, ...]
    opens_at: str
    closes_at: str
    log_by: str
    epoch_seconds: int
    epoch_min: int
    origin: str
    log_key: bytes
    promise_key: bytes
    replaces: bytes | None
    reason: str | None
    mode: str = "L"

    @cached_property
    def canonical(self) -> bytes:
        return strict.canonical(self.as_json())

    @cached_property
    def hash(self) -> bytes:
        """SHA-256 of the canonical bytes: what every ballot signs and the press notice prints (in hex)."""
        return sha256(self.canonical).digest()

    @cached_property
    def stratum(self) -> Mapping[str, Stratum]:
        return {stratum.id: stratum for stratum in self.strata}

    @cached_property
    def answers_seen(self) -> set[bytes]:
        """A cache of `ballots` alone: canonical answers that it found right for this manifest."""
        return set()

    @property
    def roll(self) -> int:
        return sum(stratum.roll_size for stratum in self.strata)

    def roll_of(self, station: str) -> int:
        return sum(stratum.roll_size for stratum in self.strata if stratum.station == station)

    def log_origin(self, station: str) -> str:
        """The name of a station's log: first line and signer's name of its checkpoints."""
        return f"{self.origin}/{self.poll}/{station}"

    def as_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "poll": self.poll,
            "title": self.title,
            "description": self.description,
            "mode": self.mode,
            "questions": [question.as_json() for question in self.questions],
            "strata": [stratum.as_json() for stratum in self.strata],
            "stations": [station.as_json() for station in self.stations],
            "opens_at": self.opens_at,
            "closes_at": self.closes_at,
            "log_by": self.log_by,
            "epoch_seconds": self.epoch_seconds,
            "epoch_min": self.epoch_min,
            "origin": self.origin,
            "log_key": self.log_key.hex(),
            "promise_key": self.promise_key.hex(),
            "replaces": self.replaces.hex() if self.replaces else None,
            "reason": self.reason,
        }


def parse(data: bytes, methods: Mapping[str, Method]) -> Manifest:
    """The manifest that canonical bytes hold; raises WrongManifest or MalformedJson naming the field."""
    value = strict.parse(data, limit=MAX_MANIFEST)
    manifest = from_json(value, methods)
    if manifest.canonical != data:
        raise WrongManifest("is not in its canonical form", field="manifest")
    return manifest


def from_json(value: Any, methods: Mapping[str, Method]) -> Manifest:
    """The manifest of a decoded JSON value, every field and every rule checked."""
    fields = Fields(value, _NAMES, refusal=WrongManifest)
    fields.equal("version", 1)
    fields.equal("mode", "L")
    stations = read_stations(fields.raw("stations"), refusal=WrongManifest)
    opens_at, closes_at = read_dates(fields)
    replaces, reason = _replacement(fields)
    manifest = Manifest(
        poll=fields.uuid("poll"),
        title=fields.text("title", longest=300),
        description=fields.text("description", shortest=0, longest=20_000),
        questions=read_questions(fields.raw("questions"), methods, refusal=WrongManifest),
        strata=_strata(fields, stations),
        stations=stations,
        opens_at=opens_at,
        closes_at=closes_at,
        log_by=fields.time("log_by"),
        epoch_seconds=fields.integer("epoch_seconds", least=1, most=86_400),
        epoch_min=fields.integer("epoch_min", least=1, most=1_000_000),
        origin=_origin(fields),
        log_key=_key(fields, "log_key"),
        promise_key=_key(fields, "promise_key"),
        replaces=replaces,
        reason=reason,
    )
    if manifest.log_by != log_by(closes_at):
        raise fields.refuse("log_by", "must be one hour after closes_at")
    _refuse_shared_keys(fields, manifest)
    return manifest


def log_by(closes_at: str) -> str:
    """The one promised moment of a poll: every accepted ballot is in the log by then."""
    return written(moment(closes_at) + LOG_DELAY)


def read_stations(value: Any, *, refusal: type[BadInput] = WrongManifest) -> tuple[Station, ...]:
    holder = Fields({"stations": value}, ("stations",), refusal=refusal)
    inner = holder.inner_items("stations", ("id", "label"), most=MAX_STRATA)
    stations = tuple(Station(one.slug("id"), one.text("label", longest=300)) for one in inner)
    refuse_repeats(inner, [station.id for station in stations])
    return stations


def read_dates(fields: Fields) -> tuple[str, str]:
    """`opens_at` and `closes_at`, in that order in time."""
    opens_at, closes_at = fields.time("opens_at"), fields.time("closes_at")
    if moment(opens_at) >= moment(closes_at):
        raise fields.refuse("closes_at", "must be after opens_at")
    if closes_at >= "9999":
        raise fields.refuse("closes_at", "is too far away")
    return opens_at, closes_at


def _strata(fields: Fields, stations: Sequence[Station]) -> tuple[Stratum, ...]:
    inner = fields.inner_items("strata", _STRATUM, most=MAX_STRATA)
    known = {station.id for station in stations}
    strata = tuple(_stratum(one, index, known) for index, one in enumerate(inner))
    refuse_repeats(inner, [stratum.id for stratum in strata])
    # One to one: a station's closing leaf tells the counts of its stratum, and turnout is bounded stratum by stratum.
    refuse_repeats(inner, [stratum.station for stratum in strata], "station")
    for index, station in enumerate(stations):
        if all(stratum.station != station.id for stratum in strata):
            raise fields.refuse(f"stations[{index}].id", "no stratum votes in this station")
    return strata


def _stratum(fields: Fields, index: int, stations: set[str]) -> Stratum:
    roll_size = fields.integer("roll_size", most=100_000_000)
    if roll_size < LEAST_ROLL:
        raise StratumTooSmall(field=fields.at("roll_size"))
    station = fields.slug("station")
    if station not in stations:
        raise fields.refuse("station", "is not among the stations")
    keys = tuple(_inner_key(fields, place, key) for place, key in enumerate(fields.items("issuer_keys", most=2)))
    if len(set(keys)) != len(keys):
        raise fields.refuse("issuer_keys", "must not hold one key twice")
    return Stratum(
        id=fields.slug("id"),
        label=fields.text("label", longest=300),
        roll_size=roll_size,
        roll_root=fields.hexadecimal("roll_root", 32),
        station=station,
        issuer_keys=keys,
        index=index,
    )


def _inner_key(fields: Fields, place: int, value: Any) -> bytes:
    name = f"issuer_keys[{place}]"
    return _key(Fields({name: value}, (name,), path=fields.path, refusal=WrongManifest), name)


def _key(fields: Fields, name: str) -> bytes:
    key = fields.hexadecimal(name, sign.KEY_SIZE)
    sign.check_key(key, fields.at(name))
    return key


def _origin(fields: Fields) -> str:
    origin = fields.raw("origin")
    if not isinstance(origin, str) or not _ORIGIN.fullmatch(origin):
        raise fields.refuse("origin", "must be a lower-case host name, with a port if need be")
    return origin


def _replacement(fields: Fields) -> tuple[bytes | None, str | None]:
    if fields.raw("replaces") is None:
        if fields.raw("reason") is not None:
            raise fields.refuse("reason", "must be null where nothing is replaced")
        return None, None
    return fields.hexadecimal("replaces", 32), fields.text("reason", longest=2000)


def _refuse_shared_keys(fields: Fields, manifest: Manifest) -> None:
    """A key that signs two kinds of things lets a leak of one door open the other."""
    if manifest.log_key == manifest.promise_key:
        raise fields.refuse("promise_key", "must differ from log_key")
    for index, stratum in enumerate(manifest.strata):
        if manifest.log_key in stratum.issuer_keys or manifest.promise_key in stratum.issuer_keys:
            raise fields.refuse(f"strata[{index}].issuer_keys", "must differ from log_key and promise_key")
