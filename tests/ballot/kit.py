"""A ballot service in one process on real stores: what tests and drills build polls with."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from services.ballot.__main__ import STEPS
from services.ballot.application import BallotApplication, PublicKeys, Roll
from services.ballot.protocol import ballots, credentials, merkle
from services.ballot.protocol.fields import written
from services.ballot.protocol.manifest import Manifest
from services.ballot.protocol.sign import public_key
from services.ballot.seal import Sealer
from services.ballot.store import log, slot, views
from services.ballot.store.box import BallotBox
from services.ballot.store.slot import Entry
from services.shared import keys
from services.shared.aggregates import Aggregates
from services.shared.store import Database

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
YES, NO, BLANK = {"choice": "oui"}, {"choice": "non"}, {"blank": True}


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def draft(
    stations: Sequence[str] = ("bureau-1",),
    *,
    opens: datetime = NOON,
    closes: datetime = NOON + timedelta(hours=8),
    epoch_seconds: int = 1,
    epoch_min: int = 3,
    questions: int = 1,
) -> dict[str, Any]:
    return {
        "title": "Éteindre l'éclairage public de 23 h à 5 h",
        "description": "La commune propose d'éteindre l'éclairage des rues résidentielles.",
        "questions": [
            {
                "id": f"q{i}",
                "text": "Êtes-vous favorable à l'extinction de 23 h à 5 h ?",
                "method": "yes_no",
                "options": [{"id": "oui", "label": "Oui"}, {"id": "non", "label": "Non"}],
                "blank": True,
                "tie_break": "none",
            }
            for i in range(1, questions + 1)
        ],
        "strata": [{"id": f"strate-{name}", "label": f"Secteur {name}", "station": name} for name in stations],
        "stations": [{"id": name, "label": f"Bureau {name}"} for name in stations],
        "opens_at": written(opens),
        "closes_at": written(closes),
        "epoch_seconds": epoch_seconds,
        "epoch_min": epoch_min,
    }  # fmt: skip


@dataclass
class Voter:
    """A device that holds a seed, and the issuer's signature for it."""

    manifest: Manifest
    stratum: str
    key: SigningKey
    signature: bytes

    @property
    def credential(self) -> bytes:
        return public_key(self.key)

    def ballot(self, *answers: dict[str, Any], seq: int = 0, prev: bytes | None = None) -> bytes:
        return ballots.write(
            self.manifest, self.key, stratum=self.stratum, issuer_signatures=[self.signature],
            answers=list(answers or (YES,)), seq=seq, prev=prev,
        )  # fmt: skip


class Town:
    """Stores, keys and a clock; `publish` makes a poll that identity accepted and two officers confirmed."""

    def __init__(self, polls: Database, slots: Database, logs: Database) -> None:
        for database, steps in ((polls, STEPS), (slots, slot.STEPS), (logs, log.STEPS)):
            database.migrate(steps)
        self.clock = Clock()
        self.issuer_key = SigningKey.generate()
        self.views = views.Views(polls)
        self.aggregates = Aggregates(polls, (self.views.put,))
        self.slot, self.log = slot.Slot(slots), log.Log(logs)
        self.box = BallotBox(self.slot, logs)
        self._wire(SigningKey.generate(), SigningKey.generate())

    def use_keys(self, folder: Path) -> None:
        """The keys that the service's doors use."""
        self._wire(*(keys.load_signing_key(folder / f"{name}.key") for name in ("log", "promise")))

    def _wire(self, log_key: SigningKey, promise_key: SigningKey) -> None:
        self.log_key, self.promise_key = log_key, promise_key
        public = PublicKeys("parvis.localhost", public_key(log_key), public_key(promise_key))
        self.application = BallotApplication(self.aggregates, public, self.clock)
        self.sealer = Sealer(self.application, self.views, self.slot, self.log, log_key, self.clock)

    @classmethod
    def embedded(cls, folder: Path) -> Town:
        return cls(*(Database(folder / f"{name}.db") for name in ("ballot", "ballot-slot", "ballot-log")))

    @classmethod
    def region(cls, empty_store: Callable[..., str]) -> Town:
        """Databases of their own on a PostgreSQL server, one for each of ballot, slot and log. Those of slot and log
        are made with a row, the sealer's term."""
        return cls(Database(empty_store(tables="ballot")), Database(empty_store()), Database(empty_store()))

    def shut(self) -> None:
        for database in (self.aggregates.database, self.slot.database, self.log.database):
            database.close()

    def roll(self, draft: dict[str, Any], size: int = 100) -> Roll:
        strata = {stratum["id"]: (size, "ab" * 32) for stratum in draft["strata"]}
        return Roll(strata, public_key(self.issuer_key).hex())

    def publish(self, poll_draft: dict[str, Any] | None = None, *, size: int = 100) -> Manifest:
        says = poll_draft or draft()
        poll = self.application.draft(says, "officer-a")
        self.application.publish(poll, self.roll(says, size), "officer-a")
        self.accept_manifest(poll)
        self.confirm_opening(poll)
        return self.application.manifest(poll)

    def accept_manifest(self, poll: str) -> None:
        """Identity's word on the manifest in force."""
        self.application.record_issuance_ready(poll, self.application.manifest(poll).hash.hex())

    def confirm_opening(self, poll: str) -> None:
        """Two officers read the manifest in force and confirm."""
        for officer in ("officer-a", "officer-b"):
            self.application.confirm_opening(poll, self.application.manifest(poll).hash.hex(), officer)

    def open(self, poll_draft: dict[str, Any] | None = None, *, size: int = 100) -> Manifest:
        manifest = self.publish(poll_draft, size=size)
        self.sealer.look()
        return manifest

    def voter(self, manifest: Manifest, stratum: str | None = None) -> Voter:
        name = stratum or manifest.strata[0].id
        key = credentials.credential_key(secrets.token_bytes(32), manifest.poll)
        return Voter(manifest, name, key, credentials.issue(self.issuer_key, manifest.poll, name, public_key(key)))

    def entry(self, manifest: Manifest, data: bytes) -> Entry:
        found = ballots.parse(data, manifest)
        return Entry(manifest.poll, found.station, found.credential, found.seq, found.leaf_hash, found.prev, data, True)

    def cast(self, manifest: Manifest, data: bytes) -> bytes:
        """The tracker of an accepted ballot; raises the refusal otherwise."""
        [settled] = self.box.accept([self.entry(manifest, data)])
        if settled.refusal is not None:
            raise settled.refusal
        return merkle.leaf_hash(data)

    def seal_now(self, manifest: Manifest) -> None:
        """An epoch of all that waits, without waiting for its time."""
        for station in self.sealer._stations(manifest):
            station.epoch()

    def close(self, manifest: Manifest, *, issued: int = 100, reissued: int = 0) -> None:
        """Past the closing time, with identity's word for every stratum."""
        self.clock.now = NOON + timedelta(days=30)
        self.sealer.look()
        for stratum in manifest.strata:
            self.application.record_issuance(manifest.poll, stratum.id, issued, reissued)
        self.sealer.look()

    def count(self, manifest: Manifest) -> dict[str, Any]:
        seen = self.application.poll(manifest.poll).checkpoints_hash or ""
        for officer in ("officer-a", "officer-b"):
            self.application.confirm_count(manifest.poll, seen, officer)
        self.sealer.look()
        for thread in self.sealer._counting.values():
            thread.join()
        tally = self.application.poll(manifest.poll).tally
        assert tally is not None
        return tally


def town_in(folder: Path, *, opens: datetime | None = None) -> Town:
    """The town of a data folder whose keys and stores were made by the service's own commands."""
    town = Town.embedded(folder)
    town.use_keys(folder / "keys" / "ballot")
    town.clock.now = opens or datetime.now(UTC)
    return town
