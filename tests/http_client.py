"""A small HTTP/1.1 client on asyncio streams: cheap enough that the server, not the client, is what is measured."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


class Connection:
    """One kept-alive connection. Reconnects when the server went away; then the caller tries again."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: bytes, headers: str = "") -> Answer:
        """Raises ConnectionError when no whole answer came."""
        head = f"{headers}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return await self._ask("POST", path, head, body)

    async def get(self, path: str, headers: str = "") -> Answer:
        """The same."""
        return await self._ask("GET", path, headers, b"")

    async def _ask(self, method: str, path: str, headers: str, body: bytes) -> Answer:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self.host, self.port)
        assert self._reader is not None
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{headers}\r\n"
        try:
            self._writer.write(head.encode() + body)
            raw = await self._reader.readuntil(b"\r\n\r\n")
            status = int(raw[9:12])
            lowered = raw.lower()
            at = lowered.index(b"content-length:") + 15
            answer = await self._reader.readexactly(int(raw[at : raw.index(b"\r\n", at)]))
            if b"connection: close" in lowered:
                self.close()
            return Answer(status, answer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            self.close()
            raise ConnectionError("no whole answer") from None

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
