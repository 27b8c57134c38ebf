"""100,000 fuzzed ballots at the cast door: each gets a 2xx or a 4xx, and what was accepted can always be counted.

Half are bytes gone wrong; half are ballots that a hostile but enrolled voter signs properly over anything at all.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from services.ballot.protocol import sign
from services.ballot.protocol.leaves import leaf_hash
from services.ballot.protocol.manifest import Manifest
from services.ballot.store.export import export_store
from services.shared import strict
from tests import doors
from tests.ballot.kit import BLANK, NO, YES, Town, Voter, draft, town_in
from tests.drills import _platform
from tests.http_client import Connection

AT_ONCE: Final = 16
VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 2**31, 2**53 - 1, "", "oui", "non", "\u0000", "é", "e\u0301", "\U0001f5f3", "0" * 64,
    [], {}, [[]], [{}], {"choice": "oui"}, {"blank": True}, {"blank": False}, {"blank": 1}, {"choice": None},
    {"choice": "oui", "blank": True}, [{"choice": "oui"}, {"choice": "non"}], "a" * 9000, ["oui"] * 300,
)  # fmt: skip


def main(smoke: bool, seed: int) -> dict[str, object]:
    wanted = 10_000 if smoke else 100_000
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="parvis-fuzz-") as name:
        folder = Path(name)
        env = {"PARVIS_DATA": str(folder)}
        doors.run(["services.ballot", "migrate"], env)
        doors.run(["services.ballot", "keys"], env)
        town, now = town_in(folder), datetime.now(UTC)
        says = draft(opens=now - timedelta(minutes=1), closes=now + timedelta(hours=3), questions=2)
        manifest = town.open(says, size=wanted)
        with doors.running(["services.ballot", "cast"], env, folder) as door:
            told, accepted = asyncio.run(_fuzz(town, manifest, door.port, wanted, chance))
            logged = door.said.read_text()
        town.clock.now = now
        town.seal_now(manifest)
        town.close(manifest, issued=wanted)
        tally = town.count(manifest)
        bundle = folder / "bundle"
        with bundle.open("wb") as file:
            file.writelines(export_store(town.log, town.application.poll(manifest.poll), manifest))
        said = _platform.audit(bundle, manifest)
        kept = _platform.leaf_hashes(bundle)
    statuses = Counter(status for status, _ in told.elements())
    assert all(status // 100 in (2, 4) for status in statuses), statuses
    assert accepted and set(kept) == accepted, "what was accepted is not what the log holds"
    assert tally["counted"] + tally["superseded"] == len(kept)
    assert "Traceback" not in logged
    return {
        "fuzzed": wanted, "answers by status": dict(sorted(statuses.items())), "5xx": 0,
        "refusals seen": len({code for _, code in told}), "accepted": len(kept), "counted": tally["counted"],
        "audit": next(line for line in said.splitlines() if "checked of" in line),
    }  # fmt: skip


async def _fuzz(
    town: Town, manifest: Manifest, port: int, wanted: int, chance: random.Random
) -> tuple[Counter[tuple[int, str]], set[str]]:
    told: Counter[tuple[int, str]] = Counter()
    accepted: set[str] = set()
    left = iter(range(wanted))
    voters = [town.voter(manifest) for _ in range(400)]

    async def worker() -> None:
        connection = Connection(port)
        for _ in left:
            data = _hostile(manifest, chance.choice(voters), chance)
            while True:
                try:
                    answer = await connection.post(f"/polls/{manifest.poll}/ballots", data)
                    break
                except ConnectionError:
                    continue
            code = json.loads(answer.body).get("refusal", "")
            told[answer.status, code] += 1
            if answer.status == 201:
                accepted.add(leaf_hash(data).hex())

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return told, accepted


def _hostile(manifest: Manifest, voter: Voter, chance: random.Random) -> bytes:
    good = voter.ballot(chance.choice((YES, NO, BLANK)), chance.choice((YES, NO, BLANK)))
    return chance.choice(KINDS)(manifest, voter, good, chance)


def _bytes_gone_wrong(_m: Manifest, _v: Voter, good: bytes, chance: random.Random) -> bytes:
    data = bytearray(good)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data)) if data else 0
        match chance.randrange(4):
            case 0 if data:
                data[place] ^= 1 << chance.randrange(8)
            case 1 if data:
                del data[place]
            case 2:
                data.insert(place, chance.randrange(256))
            case _:
                data = data[:place] or bytearray(b"{")
    return bytes(data)


def _any_value_anywhere(_m: Manifest, _v: Voter, good: bytes, chance: random.Random) -> bytes:
    value = json.loads(good)
    value[chance.choice([*value, "extra"])] = chance.choice(VALUES)
    return json.dumps(value, ensure_ascii=False, sort_keys=chance.random() < 0.9, separators=(",", ":")).encode(
        "utf-8", "replace"
    )


def _signed_over_anything(manifest: Manifest, voter: Voter, good: bytes, chance: random.Random) -> bytes:
    """A ballot whose own signature holds, whatever it says."""
    value = json.loads(good)
    del value["signature"]
    match chance.randrange(4):
        case 0:
            value["body"] = {"answers": [chance.choice(VALUES) for _ in range(chance.randint(0, 4))]}
        case 1:
            value["body"] = chance.choice(VALUES)
        case 2:
            value["seq"], value["prev"] = chance.randint(-1, 3), chance.choice((None, "ab" * 32, 7))
        case _:
            value[chance.choice(list(value))] = chance.choice(VALUES)
    unsigned = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "replace")
    signature = sign.sign(voter.key, b"parvis/ballot/v1\n" + manifest.hash + unsigned).hex()
    return json.dumps(
        {**value, "signature": signature}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode("utf-8", "replace")


def _again(_m: Manifest, voter: Voter, _good: bytes, chance: random.Random) -> bytes:
    """An honest ballot, and honest votes after it: mostly refused, since another one stands at that seq."""
    first = voter.ballot(YES, NO)
    if chance.random() < 0.3:
        return first
    return voter.ballot(chance.choice((NO, BLANK)), BLANK, seq=1, prev=leaf_hash(first))


def _not_json(_m: Manifest, _v: Voter, _good: bytes, chance: random.Random) -> bytes:
    return chance.choice(
        (b"", b"[" * 8000, b'{"a":' * 3000, chance.randbytes(200), b"NaN", strict.canonical([0] * 500), b"0" * 17000)
    )


KINDS: Final[tuple[Callable[[Manifest, Voter, bytes, random.Random], bytes], ...]] = (
    _bytes_gone_wrong, _bytes_gone_wrong, _any_value_anywhere, _signed_over_anything, _signed_over_anything, _again,
    _not_json,
)  # fmt: skip
