"""The one way to call a service: a deadline, the request id passed on (never from a quiet route), a checked shape.

Three things can happen to a call: an answer of the expected shape; a refusal by the service (`ServiceRefused`, with
the service's own code, or `NotFound`); or nothing that can be used (`ServiceUnavailable`), after which a page goes on
without that block.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import httpx
import msgspec

from services.shared import logs, strict
from services.shared.errors import Busy, Conflict, NotFound, Refusal

T = TypeVar("T")
_MAX_ANSWER: Final = 4 * 1024 * 1024


class ServiceUnavailable(Busy):
    """The service did not answer in time, or not as agreed. Whether it did what was asked is unknown."""


class ServiceRefused(Conflict):
    """The service refused; `told` is its own code."""

    def __init__(self, told: str, reason: str, field: str | None) -> None:
        super().__init__(reason, field=field)
        self.told = told

    @property
    def code(self) -> str:
        return self.told


class Service:
    """One service at its address. Safe to share between threads."""

    def __init__(self, name: str, url: str, deadline: float, transport: httpx.BaseTransport | None = None) -> None:
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=16)
        self.name = name
        self._client = httpx.Client(
            base_url=url, timeout=deadline, limits=limits, transport=transport, trust_env=False, follow_redirects=False
        )

    def get(self, path: str, shape: type[T], *, token: str | None = None, params: dict[str, Any] | None = None) -> T:
        return self.shaped(self.json(path, token=token, params=params), shape)

    def json(self, path: str, *, token: str | None = None, params: dict[str, Any] | None = None) -> Any:
        """The answer as it came, for what must be kept whole; `shaped` then checks it."""
        return self._parsed(self._call("GET", path, token=token, params=params))

    def post(
        self, path: str, shape: type[T], value: Any = None, *, token: str | None = None, content: bytes | None = None
    ) -> T:
        """Posts `value` as JSON, or `content` as it is. An empty body is posted as the empty object."""
        body = content if content is not None else strict.canonical({} if value is None else value)
        return self.shaped(self._parsed(self._call("POST", path, token=token, content=body)), shape)

    def raw(self, path: str, *, token: str | None = None) -> bytes:
        """The exact bytes of a document."""
        return self._call("GET", path, token=token).content

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[bytes]]:
        """A long document, piece by piece; its head has the deadline, the whole has none."""
        try:
            with self._client.stream("GET", path, headers=_headers(None)) as response:
                if response.status_code != 200:
                    response.read()
                    self._refuse(response)
                yield response.iter_bytes(65536)
        except httpx.HTTPError:
            raise ServiceUnavailable(f"{self.name} did not answer") from None

    def close(self) -> None:
        self._client.close()

    def _call(
        self,
        method: str,
        path: str,
        *,
        token: str | None,
        params: dict[str, Any] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        headers = _headers(token) | ({"Content-Type": "application/json"} if content is not None else {})
        try:
            response = self._client.request(method, path, params=params, content=content, headers=headers)
        except httpx.HTTPError:
            raise ServiceUnavailable(f"{self.name} did not answer") from None
        if not response.is_success:
            self._refuse(response)
        return response

    def _refuse(self, response: httpx.Response) -> None:
        if response.status_code >= 500 or response.status_code < 400:
            raise ServiceUnavailable(f"{self.name} answered {response.status_code}")
        try:
            told = msgspec.json.decode(response.content, type=_Refusal)
        except msgspec.MsgspecError:
            raise ServiceUnavailable(f"{self.name} refused without saying why") from None
        if response.status_code == 404:
            raise NotFound(told.reason, field=told.field)
        raise ServiceRefused(told.refusal, told.reason, told.field)

    def shaped(self, value: Any, shape: type[T]) -> T:
        try:
            return msgspec.convert(value, shape)
        except msgspec.ValidationError:
            raise ServiceUnavailable(f"{self.name} answered in another shape") from None

    def _parsed(self, response: httpx.Response) -> Any:
        try:
            return strict.parse(response.content, limit=_MAX_ANSWER)
        except Refusal:
            raise ServiceUnavailable(f"{self.name} answered what is not JSON") from None


class _Refusal(msgspec.Struct):
    refusal: str
    reason: str = ""
    field: str | None = None


def _headers(token: str | None) -> dict[str, str]:
    request_id = logs.request_id()
    headers = {"X-Request-Id": request_id} if request_id else {}
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})
