"""Voters' devices that hold a cookie (a seed) and nothing else, and try until they are served."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import Sequence
from typing import Any

from services.ballot.protocol import ballots, credentials, leaves
from services.ballot.protocol.manifest import Manifest
from services.shared.settings import Common
from services.shared.tokens import TokenSigner
from tests.http_client import Answer, Connection

ANSWERS: Sequence[dict[str, Any]] = ({"choice": "oui"}, {"choice": "non"}, {"blank": True})


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


class Device:
    """One voter. `vote` begins from the seed alone each time: mark, last ballot, cast."""

    def __init__(self, settings: Common, signer: TokenSigner, manifest: Manifest, subject: str) -> None:
        self.manifest = manifest
        self.subject = subject
        self.seed = secrets.token_bytes(credentials.SEED_SIZE)
        self.key = credentials.credential_key(self.seed, manifest.poll)
        self.promises: dict[str, bytes] = {}
        self._signer = signer
        self._identity = Connection(port_of(settings.identity_url))
        self._ballot = Connection(port_of(settings.ballot_url))
        self._cast = Connection(port_of(settings.cast_url))

    async def vote(self, answer: dict[str, Any], *, patience: float = 60) -> bytes | None:
        """The promise, or None when the poll closed first. Whatever fails on the way, it begins again."""
        until = asyncio.get_running_loop().time() + patience
        while True:
            try:
                return await self._vote(answer)
            except (ConnectionError, OSError):
                if asyncio.get_running_loop().time() > until:
                    raise TimeoutError("no promise in time") from None
                await asyncio.sleep(random.uniform(0.05, 0.3))
            except Closed:
                return None

    async def _vote(self, answer: dict[str, Any]) -> bytes:
        poll = self.manifest.poll
        credential = bytes(self.key.verify_key).hex()
        marked = await self._ask(
            self._identity, f"/polls/{poll}/marks",
            {"credential": credential, "salt": credentials.salt(self.seed, poll).hex()},
            self._signer.token(self.subject, ["resident"], "identity"),
        )  # fmt: skip
        last = await self._ask(self._ballot, f"/polls/{poll}/credentials", {"credential": credential})
        leaf = ballots.write(
            self.manifest, self.key, stratum=marked["stratum"], answers=[answer],
            issuer_signatures=[bytes.fromhex(marked["signature"])],
            seq=0 if last["seq"] is None else last["seq"] + 1,
            prev=None if last["leaf_hash"] is None else bytes.fromhex(last["leaf_hash"]),
        )  # fmt: skip
        return await self.cast(leaf)

    async def cast(self, leaf: bytes) -> bytes:
        """Casts these bytes; remembers the promise and checks that a repeat gets the same one."""
        answer = self._served(await self._cast.post(f"/polls/{self.manifest.poll}/ballots", leaf))
        tracker = leaves.leaf_hash(leaf).hex()
        if self.promises.setdefault(tracker, answer.body) != answer.body:
            raise AssertionError(f"two promises for {tracker}")
        return answer.body

    async def _ask(self, to: Connection, path: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
        headers = f"Authorization: Bearer {token}\r\n" if token else ""
        answer = self._served(await to.post(path, json.dumps(body).encode(), headers))
        told: dict[str, Any] = json.loads(answer.body)
        return told

    def _served(self, answer: Answer) -> Answer:
        if answer.status in (200, 201):
            return answer
        told = json.loads(answer.body)
        if told["refusal"] in ("PollNotOpen", "IssuanceNotOpen"):
            raise Closed
        if answer.status == 503 or told["refusal"] in ("SeqTaken", "PreviousBallotUnknown"):
            raise ConnectionError(told["refusal"])  # a retry overtook this one: begin again from the seed
        raise AssertionError(f"{answer.status} {told}")


class Closed(Exception):
    """The poll takes no more ballots."""
