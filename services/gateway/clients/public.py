"""What services publish, passed on as it came: the public API reads it, and changes nothing of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import httpx
import msgspec

from services.gateway.clients.http import ServiceUnavailable
from services.gateway.turns import given_away
from services.shared import logs
from services.shared.openapi import Refused
from services.shared.trust import certificates

_MOST: Final = 4 * 1024 * 1024
_REFUSALS: Final = frozenset({400, 404, 409})


@dataclass(frozen=True, slots=True)
class Answer:
    """A service's answer, or its refusal, as it came."""

    status: int
    body: bytes


class PublicReads:
    """Raises ServiceUnavailable when a service does not answer in time or as agreed. Safe to share between threads."""

    def __init__(self, urls: Mapping[str, str], deadline: float) -> None:
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=16)
        self._deadline = deadline
        self._clients = {
            name: httpx.Client(
                base_url=url,
                verify=certificates(),
                timeout=deadline,
                limits=limits,
                trust_env=False,
                follow_redirects=False,
            )
            for name, url in urls.items()
        }

    @given_away()
    def read(self, service: str, path: str, params: Mapping[str, str | int]) -> Answer:
        """A document, whole."""
        end = time.monotonic() + self._deadline
        response = self._begin(service, path, params)
        try:
            chunks, size = [], 0
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                size += len(chunk)
                if size > _MOST or time.monotonic() > end:
                    raise ServiceUnavailable(f"{service} was too slow or told too much")
        except httpx.HTTPError:
            raise ServiceUnavailable(f"{service} did not answer") from None
        finally:
            response.close()
        return _answer(service, response.status_code, b"".join(chunks))

    def stream(self, service: str, path: str) -> Answer | Iterator[bytes]:
        """A long document piece by piece, or a refusal. Its head has the deadline, the whole has none."""
        with given_away():
            response = self._begin(service, path, {})
        if response.status_code != 200:
            try:
                return _answer(service, response.status_code, response.read())
            except httpx.HTTPError:
                raise ServiceUnavailable(f"{service} did not answer") from None
            finally:
                response.close()
        return _pieces(response)

    def _begin(self, service: str, path: str, params: Mapping[str, str | int]) -> httpx.Response:
        """The head of an answer: 200, or a refusal that the asker may see."""
        client = self._clients[service]
        request_id = logs.request_id()
        headers = {"X-Request-Id": request_id} if request_id else {}
        try:
            response = client.send(client.build_request("GET", path, params=params, headers=headers), stream=True)
        except httpx.HTTPError:
            raise ServiceUnavailable(f"{service} did not answer") from None
        if response.status_code != 200 and response.status_code not in _REFUSALS:
            response.close()
            raise ServiceUnavailable(f"{service} answered {response.status_code}")
        return response


def _answer(service: str, status: int, body: bytes) -> Answer:
    if status != 200:
        try:
            msgspec.json.decode(body, type=Refused)
        except msgspec.MsgspecError:
            raise ServiceUnavailable(f"{service} refused without saying why") from None
    return Answer(status, body)


def _pieces(response: httpx.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_bytes(65536)
    finally:
        response.close()
