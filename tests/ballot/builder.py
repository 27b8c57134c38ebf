"""Real elections in pure protocol code: real keys, real signatures, whole bundles, of any size.

Also a program, for drills and measures: `python -m tests.ballot.builder BALLOTS FILE` prints the manifest hash.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from nacl.signing import SigningKey

from services.ballot.methods import METHODS
from services.ballot.protocol import ballots, bundle, credentials, profile, promises, sign, tally
from services.ballot.protocol import manifest as manifests
from services.ballot.protocol.checkpoints import Checkpoint, sign_checkpoint
from services.ballot.protocol.leaves import EpochSealed, StationClosed, StationOpened
from services.ballot.protocol.manifest import Manifest
from services.ballot.protocol.merkle import Frontier, leaf_hash
from services.ballot.protocol.tally import StationCount
from services.shared.errors import BadInput

POLL = "0192f0c1-7a33-7c1e-9d7a-0a1b2c3d4e5f"
STRATA = {"habitants": "bureau-1", "quartiers": "bureau-2"}


def key(name: str) -> SigningKey:
    """A key of its own for each name, the same in every run."""
    return SigningKey(sha256(name.encode()).digest())


def public(name: str) -> str:
    return sign.public_key(key(name)).hex()


def manifest_json(owner: str = "parvis", **changes: Any) -> dict[str, Any]:
    """A manifest of two questions, two strata and two stations; `owner` names whose keys it holds."""
    options = [{"id": "oui", "label": "Oui"}, {"id": "non", "label": "Non"}]
    value: dict[str, Any] = {
        "version": 1,
        "poll": POLL,
        "title": "Réaménager la place du Marché",
        "description": "Deux questions sur la place, ouvertes aux habitants et aux quartiers.",
        "mode": "L",
        "questions": [
            {"id": "place", "text": "Faut-il planter la place ?", "method": "yes_no", "options": options,
             "blank": True, "tie_break": "none"},
            {"id": "halle", "text": "Faut-il garder la halle ?", "method": "yes_no", "options": options,
             "blank": False, "tie_break": "none"},
        ],
        "strata": [
            {"id": stratum, "label": stratum.title(), "roll_size": 5_000_000, "roll_root": "ab" * 32,
             "station": station, "issuer_keys": [public(f"{owner}/issuer")]}
            for stratum, station in STRATA.items()
        ],
        "stations": [{"id": station, "label": station.title()} for station in STRATA.values()],
        "opens_at": "2026-11-23T08:00:00Z",
        "closes_at": "2026-11-30T19:00:00Z",
        "log_by": "2026-11-30T20:00:00Z",
        "epoch_seconds": 60,
        "epoch_min": 3,
        "origin": "parvis.localhost",
        "log_key": public(f"{owner}/log"),
        "promise_key": public(f"{owner}/promise"),
        "replaces": None,
        "reason": None,
    }  # fmt: skip
    return value | changes


def make_manifest(owner: str = "parvis", **changes: Any) -> Manifest:
    return manifests.from_json(manifest_json(owner, **changes), METHODS)


class Voter:
    """One person's device: a seed, a credential signed by the issuer, the ballots cast so far."""

    def __init__(self, manifest: Manifest, stratum: str, name: str, issuer: SigningKey) -> None:
        self.manifest, self.stratum = manifest, stratum
        self.seed = sha256(f"voter {name}".encode()).digest()
        self.key = credentials.credential_key(self.seed, manifest.poll)
        self.credential = sign.public_key(self.key)
        self.issued = credentials.issue(issuer, manifest.poll, stratum, self.credential)
        self.ballots: list[bytes] = []

    def cast(self, answers: list[Any], **changes: Any) -> bytes:
        """The next ballot of this voter; `changes` replace what the protocol would put."""
        ballot = self.ballot(answers, **changes)
        self.ballots.append(ballot)
        return ballot

    def ballot(self, answers: list[Any], **changes: Any) -> bytes:
        fields: dict[str, Any] = {
            "stratum": self.stratum,
            "issuer_signatures": [self.issued],
            "answers": answers,
            "seq": len(self.ballots),
            "prev": leaf_hash(self.ballots[-1]) if self.ballots else None,
        }
        return ballots.write(self.manifest, self.key, **(fields | changes))


@dataclass
class Log:
    """One station's leaves, appended as a sealer does."""

    manifest: Manifest
    station: str
    leaves: list[bytes] = field(default_factory=list)
    epochs: int = 0

    def open(self) -> None:
        self.leaves.append(StationOpened(self.manifest.poll, self.station, self.manifest.hash).encode())

    def epoch(self, ballots_: list[bytes]) -> None:
        first = len(self.leaves)
        self.epochs += 1
        self.leaves += sorted(ballots_, key=leaf_hash)
        sealed = EpochSealed(self.manifest.poll, self.station, self.epochs, first, len(ballots_))
        self.leaves.append(sealed.encode())

    def close(self, issued: int, reissued: int = 0) -> None:
        closed = StationClosed(self.manifest.poll, self.station, len(self.leaves), issued, reissued)
        self.leaves.append(closed.encode())

    def note(self, size: int | None = None, *, signer: SigningKey | None = None) -> str:
        frontier = Frontier()
        frontier.extend(map(leaf_hash, self.leaves[:size]))
        checkpoint = Checkpoint(self.manifest.log_origin(self.station), frontier.size, frontier.root())
        return sign_checkpoint(checkpoint, signer or key("parvis/log"))


@dataclass
class Election:
    """A poll that is over. Tests change `logs`, `notes` or `events`, then look at what the audit says."""

    manifest: Manifest
    voters: list[Voter]
    logs: dict[str, Log]
    owner: str = "parvis"
    notes: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    def publish(self) -> Election:
        """Signs the checkpoints and computes the tally over the logs as they now are."""
        self.notes = {name: log.note(signer=key(f"{self.owner}/log")) for name, log in self.logs.items()}
        self.events = [tally.poll_closed(self.manifest), tally.build(self.manifest, self._counts())]
        return self

    @property
    def tally(self) -> dict[str, Any]:
        return self.events[1]

    def lines(self) -> Iterator[bytes]:
        lines = 0
        for line in self._body():
            lines += 1
            yield line
        yield bundle.end(lines)

    def bundle(self) -> bytes:
        return b"".join(self.lines())

    def promise(self, ballot: bytes) -> bytes:
        return promises.make(key(f"{self.owner}/promise"), self.manifest, leaf_hash(ballot)).encode()

    def _body(self) -> Iterator[bytes]:
        yield bundle.opening(self.manifest.poll)
        yield bundle.manifest(self.manifest)
        for name, log in self.logs.items():
            yield bundle.station(name, len(log.leaves))
            yield from map(bundle.leaf, log.leaves)
            yield bundle.checkpoint(name, self.notes[name])
        yield from map(bundle.event, self.events)

    def _counts(self) -> list[StationCount]:
        counts: list[StationCount] = []
        for station in self.manifest.stations:
            leaves = self.logs[station.id].leaves if station.id in self.logs else []
            winners = profile.fold(leaf for leaf in leaves if countable(leaf, self.manifest))
            issued = sum(self.manifest.stratum[voter.stratum].station == station.id for voter in self.voters)
            note = self.notes.get(station.id, "")
            counts.append(StationCount(station.id, note, winners.profile(), winners.ballots, issued, 0))
        return counts


def countable(leaf: bytes, manifest: Manifest) -> bool:
    """A cheat who computes a tally leaves out what cannot be counted."""
    try:
        ballots.parse(leaf, manifest, verify=False)
    except BadInput:
        return False
    return True


def random_answers(random: Random) -> list[Any]:
    return [
        random.choice([{"choice": "oui"}, {"choice": "non"}, {"choice": "oui"}, {"blank": True}]),
        random.choice([{"choice": "oui"}, {"choice": "non"}]),
    ]


def election(ballots_: int = 120, *, epochs: int = 4, owner: str = "parvis", seed: int = 7) -> Election:
    """An election of that many ballots over both stations, a fifth of them re-votes, some within one epoch."""
    random = Random(seed)
    manifest = make_manifest(owner)
    issuer = key(f"{owner}/issuer")
    voters: list[Voter] = []
    logs = {station.id: Log(manifest, station.id) for station in manifest.stations}
    shares = dict(zip(STRATA.values(), (ballots_ - ballots_ // 3, ballots_ // 3), strict=True))
    for stratum, station in STRATA.items():
        log, mine = logs[station], list[Voter]()
        log.open()
        for number in range(epochs):
            wanted = shares[station] // epochs + (number < shares[station] % epochs)
            cast: list[bytes] = []
            while len(cast) < wanted:
                if mine and random.random() < 0.2:
                    voter = random.choice(mine)
                else:
                    voter = Voter(manifest, stratum, f"{owner}/{stratum}/{len(mine)}", issuer)
                    mine.append(voter)
                cast.append(voter.cast(random_answers(random)))
            log.epoch(cast)
        log.close(issued=len(mine))
        voters += mine
    return Election(manifest, voters, logs, owner).publish()


if __name__ == "__main__":
    made = election(int(sys.argv[1]), epochs=max(4, int(sys.argv[1]) // 5000))
    with Path(sys.argv[2]).open("wb") as stream:
        stream.writelines(made.lines())
    print(made.manifest.hash.hex())
