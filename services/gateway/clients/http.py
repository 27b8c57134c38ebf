"""The one way to call a service: a deadline, the request id passed on (never from a quiet route), a checked shape.

Three things can happen to a call: an answer of the expected shape; a refusal by the service (`ServiceRefused`, with
the service's own code, or `NotFound`); or nothing that can be used (`ServiceUnavailable`), after which a page goes on
without that block.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPResponse
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec

from services.gateway.clients.connections import FAILED, Connections, pieces
from services.gateway.turns import given_away
from services.shared import logs, strict
from services.shared.errors import Busy, Conflict, NotFound

T = TypeVar("T")
_MAX_ANSWER: Final = 4 * 1024 * 1024


class ServiceUnavailable(Busy):
    """The service did not answer in time, or not as agreed. Whether it did what was asked is unknown."""


class ServiceRefused(Conflict):
    """The service refused; `told` is its own code, `seconds` after how many it may be asked again, if it says so."""

    def __init__(self, told: str, reason: str, field: str | None, seconds: int | None = None) -> None:
        super().__init__(reason, field=field)
        self.told = told
        self.seconds = seconds

    @property
    def code(self) -> str:
        return self.told


class Service:
    """One service at its address. Safe to share between threads."""

    def __init__(self, name: str, url: str, deadline: float) -> None:
        self.name = name
        self._deadline = deadline
        self._connections = Connections(url, deadline)

    def get(self, path: str, shape: type[T], *, token: str | None = None, params: dict[str, Any] | None = None) -> T:
        return self.told(self._call("GET", path, token=token, params=params), shape)

    def post(
        self, path: str, shape: type[T], value: Any = None, *, token: str | None = None, content: bytes | None = None
    ) -> T:
        """Posts `value` as JSON, or `content` as it is. An empty body is posted as the empty object."""
        body = content if content is not None else strict.canonical({} if value is None else value)
        return self.told(self._call("POST", path, token=token, content=body), shape)

    def raw(self, path: str, *, token: str | None = None) -> bytes:
        """The exact bytes of a document."""
        return self._call("GET", path, token=token)

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[bytes]]:
        """A long document, piece by piece; its head has the deadline, the whole has none."""
        with ExitStack() as stack:
            with given_away():
                response = stack.enter_context(self.asked("GET", path))
            if response.status != 200:
                self._refuse(response, response.read())
            yield pieces(response)

    @contextmanager
    def asked(
        self, method: str, path: str, *, token: str | None = None, content: bytes | None = None
    ) -> Iterator[HTTPResponse]:
        """The answer, whatever its status, its body still to be read. Raises ServiceUnavailable."""
        headers = _headers(token) | ({"Content-Type": "application/json"} if content is not None else {})
        try:
            with self._connections.asked(method, path, headers, content) as response:
                yield response
        except FAILED:
            raise ServiceUnavailable(f"{self.name} did not answer") from None

    def in_time(self, response: HTTPResponse, end: float) -> bytes:
        """The body, unless it drips: each wait has its limit, and here their sum has one."""
        body, size = [], 0
        for piece in pieces(response):
            body.append(piece)
            size += len(piece)
            if time.monotonic() > end or size > _MAX_ANSWER:
                raise ServiceUnavailable(f"{self.name} was too slow or told too much")
        return b"".join(body)

    def close(self) -> None:
        self._connections.close()

    def _call(
        self,
        method: str,
        path: str,
        *,
        token: str | None,
        params: dict[str, Any] | None = None,
        content: bytes | None = None,
    ) -> bytes:
        end = time.monotonic() + self._deadline
        asked = f"{path}?{urlencode(params)}" if params else path
        with given_away(), self.asked(method, asked, token=token, content=content) as response:
            body = self.in_time(response, end)
        if not 200 <= response.status < 300:
            self._refuse(response, body)
        return body

    def _refuse(self, response: HTTPResponse, body: bytes) -> None:
        status = response.status
        if status >= 500 or status < 400:
            raise ServiceUnavailable(f"{self.name} answered {status}")
        try:
            told = msgspec.json.decode(body, type=_Refusal)
        except msgspec.MsgspecError:
            raise ServiceUnavailable(f"{self.name} refused without saying why") from None
        if status == 404:
            raise NotFound(told.reason, field=told.field)
        again = response.getheader("Retry-After", "")
        seconds = int(again) if again.isdecimal() and again.isascii() else None
        raise ServiceRefused(told.refusal, told.reason, told.field, seconds)

    def told(self, body: bytes, shape: type[T]) -> T:
        """What the answer says."""
        try:
            return msgspec.json.decode(body, type=shape)
        except msgspec.ValidationError:
            raise ServiceUnavailable(f"{self.name} answered in another shape") from None
        except (msgspec.DecodeError, RecursionError):
            raise ServiceUnavailable(f"{self.name} answered what is not JSON") from None


def read(body: bytes) -> Any:
    """All of an answer whose shape was checked, what a shape leaves out included."""
    return msgspec.json.decode(body)


class _Refusal(msgspec.Struct):
    refusal: str
    reason: str = ""
    field: str | None = None


def _headers(token: str | None) -> dict[str, str]:
    request_id = logs.request_id()
    headers = {"X-Request-Id": request_id} if request_id else {}
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})
