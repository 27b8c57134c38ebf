"""Pages as they were answered, served again: any engine may look at any page, one that follows a form included.

One that sends the browser on stays, so that it can be looked at.

Scripts would run here: the policy that forbids them is not sent along, so what escaping alone does can be seen.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_ASSET = re.compile(r"/assets/([A-Za-z0-9._-]+)")
_ONWARD = re.compile(r'<meta http-equiv="refresh" content="0; url=http://127\.0\.0\.1:\d+/(?:authorize|end)\?[^"<>]*">')
_KINDS = {".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


class Snapshots:
    """A small site whose page `/n` is the n-th text that was added."""

    def __init__(self, static: Path) -> None:
        self.url = ""
        self._static = static
        self._pages: list[bytes] = []

    def add(self, html: str) -> str:
        """Its address."""
        self._pages.append(_ONWARD.sub("", html, count=1).encode())
        return f"{self.url}/{len(self._pages) - 1}"

    def find(self, path: str) -> tuple[str, bytes] | None:
        """Kind and content."""
        asset = _ASSET.fullmatch(path)
        if asset:
            file = self._static / asset[1]
            return (_KINDS.get(file.suffix, "text/plain"), file.read_bytes()) if file.exists() else None
        number = path.lstrip("/")
        if number.isdigit() and int(number) < len(self._pages):
            return "text/html; charset=utf-8", self._pages[int(number)]
        return None


@contextmanager
def serving(static: Path) -> Iterator[Snapshots]:
    pages = Snapshots(static)

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            kind, content = pages.find(self.path) or ("text/plain", b"")
            self.send_response(200 if content else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if self.path.startswith("/assets/"):
                self.send_header("Cache-Control", "max-age=3600")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    pages.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield pages
    finally:
        server.shutdown()
        server.server_close()
