"""What services publish, passed on as it came: the public API reads it, and changes nothing of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Final
from urllib.parse import urlencode

import msgspec

from services.gateway.clients.connections import pieces
from services.gateway.clients.http import Service, ServiceUnavailable
from services.gateway.turns import given_away
from services.shared.openapi import Refused

_REFUSALS: Final = frozenset({400, 404, 409})


@dataclass(frozen=True, slots=True)
class Answer:
    """A service's answer, or its refusal, as it came."""

    status: int
    body: bytes


class PublicReads:
    """Raises ServiceUnavailable when a service does not answer in time or as agreed. Safe to share between threads."""

    def __init__(self, urls: Mapping[str, str], deadline: float) -> None:
        self._deadline = deadline
        self._services = {name: Service(name, url, deadline) for name, url in urls.items()}

    @given_away()
    def read(self, service: str, path: str, params: Mapping[str, str | int]) -> Answer:
        """A document, whole."""
        end = time.monotonic() + self._deadline
        with self._asked(service, f"{path}?{urlencode(params)}" if params else path) as response:
            return _answer(service, response.status, self._services[service].in_time(response, end))

    def stream(self, service: str, path: str) -> Answer | Iterator[bytes]:
        """A long document piece by piece, or a refusal. Its head has the deadline, the whole has none."""
        stack = ExitStack()
        with given_away():
            response = stack.enter_context(self._asked(service, path))
        if response.status == 200:
            return _pieces(stack, response)
        with stack:
            return _answer(service, response.status, response.read())

    @contextmanager
    def _asked(self, service: str, path: str) -> Iterator[HTTPResponse]:
        """An answer: 200, or a refusal that the asker may see."""
        with self._services[service].asked("GET", path) as response:
            if response.status != 200 and response.status not in _REFUSALS:
                raise ServiceUnavailable(f"{service} answered {response.status}")
            yield response


def _answer(service: str, status: int, body: bytes) -> Answer:
    if status != 200:
        try:
            msgspec.json.decode(body, type=Refused)
        except msgspec.MsgspecError:
            raise ServiceUnavailable(f"{service} refused without saying why") from None
    return Answer(status, body)


def _pieces(stack: ExitStack, response: HTTPResponse) -> Iterator[bytes]:
    with stack:
        yield from pieces(response)
