"""Kill -9 of any process of the platform at random moments, under load, on both engines.

Checks: every promised ballot stands in the log once; every repeat got the same promise; every voter, who holds nothing
but a cookie, ends with exactly one counted ballot; the reaction in notifications happened once; the audit passes; on
embedded stores no tracker, credential or seed stands in any file or log but the ballot's slot and log and their copy.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path

import httpx

from deploy.demo_client import Client
from services.shared.settings import Common
from services.shared.tokens import TokenSigner
from tests.drills import _platform
from tests.drills._platform import Platform
from tests.drills._voters import ANSWERS, Device


def main(smoke: bool, seed: int) -> dict[str, object]:
    return {engine: once(engine, 5 if smoke else 50, seed) for engine in ("embedded", "region")}


def once(engine: str, kills: int, seed: int) -> dict[str, object]:
    chance = random.Random(seed)
    people = 60 + 4 * kills
    with tempfile.TemporaryDirectory(prefix="parvis-kills-") as folder:
        Path(folder).chmod(0o755)
        with Platform(Path(folder) / "data", engine) as platform:
            settings = platform.settings()
            with Client(settings) as client:
                subjects = _platform.residents(settings, people)
                poll = _platform.publish(client, lasts=10 + 2.2 * kills)
                _platform.wait_for(client, poll, "open")
                manifest = client.manifest(poll)
                signer = TokenSigner(settings.keys / "gateway" / "token.key")
                devices = [Device(settings, signer, manifest, s) for s in subjects[: len(subjects) * 9 // 10]]
                killed = asyncio.run(under_load(platform, devices, kills, chance))
                _platform.wait_for(client, poll, "closed", seconds=240)
                time.sleep(2)
                tally = _platform.count(client, poll)
                bundle = _platform.export(settings, poll, Path(folder) / "bundle")
                said = _platform.audit(bundle, manifest)
                logged = _platform.leaf_hashes(bundle)
                promised = {tracker for device in devices for tracker in device.promises}
                voted = sum(1 for device in devices if device.promises)
                assert len(logged) == len(set(logged)), "a ballot stands twice"
                assert promised <= set(logged), f"{len(promised - set(logged))} promised ballots are not in the log"
                assert tally["counted"] == tally["turnout"], tally
                assert tally["counted"] >= voted, (tally["counted"], voted)
                assert tally["counted"] <= len(devices)
                assert voted == len(devices), "every voter repeated until served"
                assert tally["counted"] == len(devices)
                secrets = [bytes.fromhex(tracker) for tracker in list(promised)[:200]]
                secrets += [bytes(d.key.verify_key) for d in devices] + [d.seed for d in devices]
                found = [] if engine == "region" else _platform.traces(platform.data, secrets)
                assert not found, f"trackers, credentials or seeds stand in {found}"
                messages = inbox(settings, poll)
                assert messages == 1, f"{messages} messages of one closing"
    return {
        "kills": len(killed), "doors hit": len(set(killed)), "voters": len(devices), "promises": len(promised),
        "in the log": len(logged), "counted": tally["counted"], "traces outside slot and log": len(found), "lost": 0,
        "twice": 0, "messages": messages,
        "audit": next(line for line in said.splitlines() if "checked of" in line),
    }  # fmt: skip


async def under_load(platform: Platform, devices: list[Device], kills: int, chance: random.Random) -> list[str]:
    """All voters vote once or more, spread over the time that the kills take."""
    length = 2.0 * kills

    async def voter(device: Device) -> None:
        for _ in range(chance.randint(1, 3)):
            await asyncio.sleep(chance.uniform(0, length / 3))
            await device.vote(chance.choice(ANSWERS), patience=120)

    async def killer() -> list[str]:
        killed = []
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.5, 1.9) * length / kills / 1.2)
            killed.append(platform.kill_one(chance))
        return killed

    _, killed = await asyncio.gather(asyncio.gather(*(voter(d) for d in devices)), killer())
    return killed


def inbox(settings: Common, poll: str) -> int:
    """How many messages the closing of this poll made; waits for the first one."""
    signer = TokenSigner(settings.keys / "gateway" / "token.key")
    until = time.monotonic() + 60
    while True:
        headers = {"Authorization": f"Bearer {signer.token('resident-1', ['resident'], 'notifications')}"}
        try:
            told = httpx.get(f"{settings.notifications_url}/inbox", headers=headers, timeout=5, trust_env=False)
            found = sum(bool(message["poll"] == poll) for message in told.json()["messages"])
        except httpx.HTTPError:
            found = 0
        if found or time.monotonic() > until:
            time.sleep(1)
            return found
        time.sleep(0.2)
