"""Connections to one service, kept open between calls, over the standard library's HTTP (ADR 0017)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from select import POLLIN, poll
from typing import Final
from urllib.parse import urlsplit

from services.shared.trust import certificates

FAILED: Final = (OSError, HTTPException)
"""What a call raises that was not answered, or not in HTTP."""
IDLE_SECONDS: Final = 1.5
"""How long a connection waits for its next call: less than any of our doors keeps one."""
_MOST_IDLE: Final = 16
_PIECE: Final = 64 * 1024


class Connections:
    """Safe to share between threads: each call has a connection for itself."""

    def __init__(self, url: str, seconds: float) -> None:
        """`seconds`: how long connecting, and each wait for a piece of an answer, may take."""
        parts = urlsplit(url)
        self._host, self._port, self._root = parts.hostname or "", parts.port, parts.path.rstrip("/")
        self._secure, self._seconds = parts.scheme == "https", seconds
        self._idle: list[tuple[float, HTTPConnection]] = []
        self._lock = threading.Lock()

    @contextmanager
    def asked(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> Iterator[HTTPResponse]:
        """The answer, its body still to be read: once it is, whole, the next call may have the connection. Raises one
        of `FAILED`; IncompleteRead at the end, when the answer ended before it was whole."""
        connection = self._fresh() or self._new()
        sent = kept = False
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may have answered before all was sent
                connection.request(method, self._root + path, content, headers)
                sent = True
            response = connection.getresponse()
            yield response
            if response.isclosed() and response.length:
                raise IncompleteRead(b"", response.length)
            whole = response.isclosed() or response.length == 0  # not every Python closes what was read to its end
            response.close()
            kept = sent and whole and connection.sock is not None and self._kept(connection)
        finally:
            if not kept:
                connection.close()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    def _new(self) -> HTTPConnection:
        if self._secure:
            return HTTPSConnection(self._host, self._port, timeout=self._seconds, context=certificates())
        return HTTPConnection(self._host, self._port, timeout=self._seconds)

    def _fresh(self) -> HTTPConnection | None:
        """The one that was used last, unless its service has closed it meanwhile."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                since, connection = self._idle.pop()
            if time.monotonic() - since < IDLE_SECONDS and not _has_ended(connection):
                return connection
            connection.close()

    def _kept(self, connection: HTTPConnection) -> bool:
        with self._lock:
            room = len(self._idle) < _MOST_IDLE
            if room:
                self._idle.append((time.monotonic(), connection))
        return room


def pieces(response: HTTPResponse) -> Iterator[bytes]:
    """The body as it comes."""
    while piece := response.read1(_PIECE):
        yield piece


def _has_ended(connection: HTTPConnection) -> bool:
    """Nothing was asked, so all that there can be to read is its end."""
    waiting = poll()
    waiting.register(connection.sock, POLLIN)
    return bool(waiting.poll(0))
