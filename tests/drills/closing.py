"""Casts across the closing moment from two doors, on both engines, with identity's relay 30 s late.

Checks: every promised ballot stands before `StationClosed`; a repeat after the close gets its promise; the audit
passes although the word that issuance is closed came late.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.demo_client import Client
from services.ballot.protocol.fields import moment
from services.shared.settings import Common
from services.shared.tokens import TokenSigner
from tests import doors
from tests.drills import _platform, _servers
from tests.drills._voters import ANSWERS, Device
from tests.http_client import Connection

WORKERS = ("identity worker", "ballot seal", "ballot worker", "ballot relay")


def main(smoke: bool, seed: int) -> dict[str, object]:
    casts, delay = (100, 3) if smoke else (1000, 30)
    found: dict[str, object] = {}
    for engine in ("embedded", "region"):
        with tempfile.TemporaryDirectory(prefix="parvis-closing-") as folder:
            Path(folder).chmod(0o755)
            with _servers.settings(engine, Path(folder)) as settings:
                found[engine] = once(settings, Path(folder), casts, delay, seed)
    return found


def once(settings: Common, folder: Path, casts: int, delay: int, seed: int) -> dict[str, object]:
    chance = random.Random(seed)
    env = _platform.as_environment(settings)
    with ExitStack() as stack:
        second = stack.enter_context(doors.running(["services.ballot", "cast"], env, folder))
        for service, door in (("identity", "api"), ("ballot", "api"), ("ballot", "cast")):
            stack.enter_context(_servers.door(settings, service, door, folder))
        for name in WORKERS:
            stack.enter_context(doors.running(_words(name), env, folder, port=False))
        with Client(settings) as client:
            subjects = _platform.residents(settings, max(60, casts // 2 + 20))
            lasts = 8 + casts / 60
            with doors.running(["services.identity", "relay"], env, folder, port=False):
                poll = _platform.publish(client, lasts=lasts, opens_in=3)
                _platform.wait_for(client, poll, "open")
            late = {**env, "PARVIS_RELAY_DELAY": str(delay)}
            stack.enter_context(doors.running(["services.identity", "relay"], late, folder, port=False))
            manifest = client.manifest(poll)
            signer = TokenSigner(settings.keys / "gateway" / "token.key")
            devices = [Device(settings, signer, manifest, subject) for subject in subjects[: casts // 2]]
            for device in devices[::2]:
                device._cast = Connection(second.port)
            closes = moment(manifest.closes_at)
            refused = asyncio.run(_across(devices, casts, closes, chance))
            closed_at = time.monotonic()
            _platform.wait_for(client, poll, "closed", seconds=120 + delay)
            waited = time.monotonic() - closed_at
            tally = _platform.count(client, poll)
            bundle = _platform.export(settings, poll, folder / "bundle")
            said = _platform.audit(bundle, manifest)
            logged = _platform.leaf_hashes(bundle)
            promised = {tracker for device in devices for tracker in device.promises}
            assert promised <= set(logged), f"{len(promised - set(logged))} promised ballots are missing"
            assert len(logged) == len(set(logged))
            assert refused > 0, "nothing reached a closed gate: the drill did not cross the closing moment"
            assert b'"StationClosed"' in _last_leaf(bundle)
    return {
        "casts": casts, "promised": len(promised), "refused as too late": refused, "in the log": len(logged),
        "lost": 0, "counted": tally["counted"], "identity's relay late by": f"{delay} s",
        "closed after": f"{waited:.0f} s", "audit": next(x for x in said.splitlines() if "checked of" in x),
    }  # fmt: skip


async def _across(devices: list[Device], casts: int, closes: datetime, chance: random.Random) -> int:
    """Each device votes twice at random moments of the seconds around the close; how many came too late."""
    refused = 0

    async def one(device: Device) -> None:
        nonlocal refused
        now = datetime.now(UTC)
        first = closes - timedelta(seconds=chance.uniform(1.5, max(2.0, casts / 70)))
        await asyncio.sleep(max(0.0, (first - now).total_seconds()))
        if await device.vote(chance.choice(ANSWERS)) is None:
            refused += 1
        moment = closes + timedelta(seconds=chance.gauss(0, 0.4))
        await asyncio.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))
        if await device.vote(chance.choice(ANSWERS)) is None:
            refused += 1

    await asyncio.gather(*(one(device) for device in devices))
    return refused


def _last_leaf(bundle: Path) -> bytes:
    with bundle.open("rb") as lines:
        leaves = [line for line in lines if b'"type":"Station' in line]
    return leaves[-1]


def _words(name: str) -> list[str]:
    service, door = name.split()
    return [f"services.{service}", door]
