"""A poll of 100,000 ballots on each engine: issued and cast through the HTTP doors, sealed, relayed, counted, audited.

The platform is the one that `make run` starts; what each of its processes keeps in memory is printed, idle and after.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

from deploy.demo_client import Client
from services.ballot.protocol import ballots, credentials
from services.ballot.protocol.manifest import Manifest
from services.shared.settings import Common
from services.shared.tokens import TokenSigner
from tests.drills import _platform
from tests.drills._platform import Platform
from tests.drills._voters import ANSWERS, port_of
from tests.http_client import Connection

AT_ONCE = 32
Json = dict[str, Any]


def main(smoke: bool, seed: int) -> dict[str, object]:
    ballots_wanted = 10_000 if smoke else 100_000
    return {engine: once(engine, ballots_wanted, seed) for engine in ("embedded", "region")}


def once(engine: str, wanted: int, seed: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="parvis-scale-") as folder:
        Path(folder).chmod(0o755)
        with Platform(Path(folder) / "data", engine) as platform:
            settings = platform.settings()
            idle = platform.memory_mb()
            with Client(settings) as client:
                subjects, importing = _timed(lambda: _platform.residents(settings, wanted + 10)[:wanted])
                seconds = 1.25 * wanted * _seconds_each(settings, client, subjects[:800]) + 15
                voting = _open(settings, client, seconds)
                poll, manifest = voting.manifest.poll, voting.manifest
                marked, marking = _timed(lambda: voting.mark_all(subjects))
                cast, casting = _timed(lambda: voting.cast_all(marked))
                busy = platform.memory_mb()
                _platform.wait_for(client, poll, "closed", seconds=seconds + wanted / 500 + 120)
                tally, counting = _timed(lambda: _platform.count(client, poll))
                relayed, relaying = _timed(lambda: _relayed(settings, poll, wanted))
                bundle = _platform.export(settings, poll, Path(folder) / "bundle")
                same = bundle.read_bytes() == relayed.read_bytes()
                (said, memory), auditing = _timed(lambda: _audit(bundle, manifest))
    assert cast == tally["counted"] == wanted, (cast, tally["counted"])
    assert same, "the event log's export differs from the store's"
    return {
        "ballots": wanted, "people imported/s": round(wanted / importing), "marks/s": round(wanted / marking),
        "casts/s": round(wanted / casting), "count s": round(counting, 1),
        "export from the event log s": round(relaying, 1), "audit s": round(auditing, 1), "audit MB": memory,
        "both exports equal": same, "audit": next(line for line in said.splitlines() if "checked of" in line),
        "idle MB (sum of PSS)": round(sum(idle.values())), "idle MB by process": idle, "busy MB by process": busy,
    }  # fmt: skip


def _open(settings: Common, client: Client, seconds: float) -> Voting:
    poll = _platform.publish(client, lasts=seconds, epoch_seconds=5, epoch_min=20)
    _platform.wait_for(client, poll, "open")
    return Voting(settings, client.manifest(poll))


def _seconds_each(settings: Common, client: Client, subjects: Sequence[str]) -> float:
    """How long a mark and a cast take together on this machine, once warm: a poll's closing time must be set before."""
    voting = _open(settings, client, 60)
    warming, measured = subjects[::2], subjects[1::2]
    voting.cast_all(voting.mark_all(warming))
    marked, marking = _timed(lambda: voting.mark_all(measured))
    _, casting = _timed(lambda: voting.cast_all(marked))
    return (marking + casting) / len(measured)


class Voting:
    """Everybody's mark, then everybody's ballot, over kept-alive connections."""

    def __init__(
        self, settings: Common, manifest: Manifest, answer: Callable[[str], Json] = lambda _: secrets.choice(ANSWERS)
    ) -> None:
        """`answer`: what each subject answers to the poll's one question."""
        self._settings = settings
        self._answer = answer
        self.manifest = manifest
        self._signer = TokenSigner(settings.keys / "gateway" / "token.key")

    def mark_all(self, subjects: Sequence[str]) -> list[bytes]:
        """Signed ballots, one a subject."""
        made: list[bytes] = []
        people = iter(subjects)

        async def worker() -> None:
            connection = Connection(port_of(self._settings.identity_url))
            for subject in people:
                made.append(await self._mark(connection, subject))

        asyncio.run(_at_once(worker))
        return made

    def cast_all(self, leaves: Sequence[bytes]) -> int:
        """How many were promised."""
        promised = 0
        waiting: Iterator[bytes] = iter(leaves)

        async def worker() -> None:
            nonlocal promised
            connection = Connection(port_of(self._settings.cast_url))
            for leaf in waiting:
                answer = await connection.post(f"/polls/{self.manifest.poll}/ballots", leaf)
                while answer.status == 503:
                    await asyncio.sleep(0.2)
                    answer = await connection.post(f"/polls/{self.manifest.poll}/ballots", leaf)
                assert answer.status == 201, answer
                promised += 1

        asyncio.run(_at_once(worker))
        return promised

    async def _mark(self, connection: Connection, subject: str) -> bytes:
        poll, seed = self.manifest.poll, secrets.token_bytes(credentials.SEED_SIZE)
        key = credentials.credential_key(seed, poll)
        body = {"credential": bytes(key.verify_key).hex(), "salt": credentials.salt(seed, poll).hex()}
        token = f"Authorization: Bearer {self._signer.token(subject, ['resident'], 'identity')}\r\n"
        answer = await connection.post(f"/polls/{poll}/marks", json.dumps(body).encode(), token)
        assert answer.status == 200, answer
        told: dict[str, Any] = json.loads(answer.body)
        return ballots.write(
            self.manifest, key, stratum=told["stratum"], answers=[self._answer(subject)],
            issuer_signatures=[bytes.fromhex(told["signature"])],
        )  # fmt: skip


async def _at_once(worker: Callable[[], Coroutine[Any, Any, None]]) -> None:
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


def _relayed(settings: Common, poll: str, wanted: int) -> Path:
    """The export from the event log, once the relay has told all of it."""
    to = settings.data.parent / "bundle-of-the-topic"
    until = time.monotonic() + 120 + wanted / 500
    while True:
        try:
            return _platform.export(settings, poll, to, "topic")
        except AssertionError:  # the tally is not told yet
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def _audit(bundle: Path, manifest: Manifest) -> tuple[str, int]:
    """What it printed, and the most memory it held, in MB, with its helpers."""
    code = (
        "import resource,runpy,sys\n"
        "try: runpy.run_module('services.ballot.audit', run_name='__main__')\n"
        "finally:\n"
        "  kb=[resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]\n"
        "  print('MAXRSS', sum(kb)//1024)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(bundle), "--manifest-hash", manifest.hash.hex()],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, int(done.stdout.rsplit("MAXRSS", 1)[1])


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    found = work()
    return found, time.perf_counter() - began
