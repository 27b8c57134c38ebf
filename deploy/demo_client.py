"""What officers and residents do over the services' public HTTP APIs, for the demo region and for drills.

It signs callers' tokens as the gateway does, and builds ballots with the protocol's own functions.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Self

import httpx

from services.ballot.methods import METHODS
from services.ballot.protocol import ballots, credentials, leaves
from services.ballot.protocol import manifest as manifests
from services.ballot.protocol.manifest import Manifest
from services.shared.settings import Common
from services.shared.tokens import TokenSigner

Json = dict[str, Any]


class Refused(Exception):
    """A service refused: `code` names the broken rule."""

    def __init__(self, answer: httpx.Response) -> None:
        told = answer.json() if answer.headers.get("content-type", "").startswith("application/json") else {}
        self.status = answer.status_code
        self.code = str(told.get("refusal", answer.status_code))
        super().__init__(f"{self.code} ({told.get('field')}: {told.get('reason')}) at {answer.request.url.path}")


class Client:
    """One set of connections. Safe to share between threads."""

    def __init__(self, settings: Common) -> None:
        self._settings = settings
        self._signer = TokenSigner(settings.keys / "gateway" / "token.key")
        self._http = httpx.Client(timeout=20, limits=httpx.Limits(max_connections=16), trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def officer(self, subject: str, service: str, path: str, body: Json | None = None) -> Json:
        """POSTs as a returning officer. Raises Refused."""
        token = self._signer.token(subject, ["returning_officer"], service)
        return self._post(self._url(service) + path, body or {}, token)

    def act(self, subject: str, roles: Sequence[str], path: str, body: Json) -> Json:
        """POSTs to identity as this person; as nobody without a subject. Raises Refused."""
        token = self._signer.token(subject, roles, "identity") if subject else None
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self._http.post(self._url("identity") + path, json=body, headers=headers)
        return self._answer(answer).json()  # type: ignore[no-any-return]

    def seen(self, subject: str, roles: Sequence[str], path: str) -> Json:
        """What identity shows this person. Raises Refused."""
        headers = {"Authorization": f"Bearer {self._signer.token(subject, roles, 'identity')}"}
        return self._answer(self._http.get(self._url("identity") + path, headers=headers)).json()  # type: ignore[no-any-return]

    def poll(self, poll: str) -> Json:
        return self._answer(self._http.get(f"{self._settings.ballot_url}/polls/{poll}")).json()  # type: ignore[no-any-return]

    def manifest(self, poll: str) -> Manifest:
        answer = self._answer(self._http.get(f"{self._settings.ballot_url}/polls/{poll}/manifest"))
        return manifests.parse(answer.content, METHODS)

    def mark(self, subject: str, poll: str, seed: bytes) -> tuple[str, bytes]:
        """The stratum and the issuer's signature that identity gives this resident for this poll."""
        token = self._signer.token(subject, ["resident"], "identity")
        key = credentials.credential_key(seed, poll)
        wanted = {"credential": bytes(key.verify_key).hex(), "salt": credentials.salt(seed, poll).hex()}
        told = self._post(f"{self._settings.identity_url}/polls/{poll}/marks", wanted, token)
        return told["stratum"], bytes.fromhex(told["signature"])

    def cast(self, leaf: bytes, poll: str) -> Json:
        """The promise. Raises Refused."""
        headers = {"Content-Type": "application/json"}
        url = f"{self._settings.cast_url}/polls/{poll}/ballots"
        return self._answer(self._http.post(url, content=leaf, headers=headers)).json()  # type: ignore[no-any-return]

    def _url(self, service: str) -> str:
        return {"ballot": self._settings.ballot_url, "identity": self._settings.identity_url}[service]

    def _post(self, url: str, body: Json, token: str) -> Json:
        answer = self._http.post(url, json=body, headers={"Authorization": f"Bearer {token}"})
        return self._answer(answer).json()  # type: ignore[no-any-return]

    def _answer(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            raise Refused(answer)
        return answer


class Voter:
    """One resident in one poll: a seed, the issuer's signature, and the ballots cast so far."""

    def __init__(self, client: Client, manifest: Manifest, subject: str) -> None:
        self._client = client
        self._manifest = manifest
        self._seed = secrets.token_bytes(credentials.SEED_SIZE)
        self._stratum, self._signature = client.mark(subject, manifest.poll, self._seed)
        self._seq, self._prev = 0, b""

    def vote(self, answers: Sequence[Json]) -> Json:
        """Casts the next ballot; its promise. Raises Refused."""
        leaf = ballots.write(
            self._manifest,
            credentials.credential_key(self._seed, self._manifest.poll),
            stratum=self._stratum,
            issuer_signatures=[self._signature],
            answers=answers,
            seq=self._seq,
            prev=self._prev or None,
        )
        promise = self._client.cast(leaf, self._manifest.poll)
        self._seq, self._prev = self._seq + 1, leaves.leaf_hash(leaf)
        return promise
