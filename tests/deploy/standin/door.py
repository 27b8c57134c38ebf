"""A door that does nothing but live as a real one does: HTTP, a worker process of its own, JSON lines, SIGTERM.

What it should do wrong is told by STANDIN_* variables: it stands in for services that misbehave on purpose.
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import sys
import time
from pathlib import Path


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        return


def main(service: str) -> int:
    data, door = Path(os.environ["PARVIS_DATA"]), sys.argv[1]
    label = f"{service}-{door}"
    if door in ("keys", "migrate"):
        return prepare(data / f"{service}.db", door)
    if os.environ.get("STANDIN_DIES") == label:
        time.sleep(float(os.environ.get("STANDIN_SECONDS", "0")))
        print("the setting is of no use", flush=True)
        return int(os.environ.get("STANDIN_CODE", "1"))
    if os.environ.get("STANDIN_STUBBORN") == label:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if door == "api" and os.fork() == 0:
        time.sleep(600)  # a worker process, as gunicorn has one
    (data / "pids").mkdir(exist_ok=True)
    (data / "pids" / f"{label}.{os.getpid()}").touch()
    print(json.dumps({"level": "error", "message": f"{label} says that something went wrong"}), flush=True)
    if "--port" in sys.argv:
        port = int(sys.argv[sys.argv.index("--port") + 1])
        http.server.ThreadingHTTPServer(("127.0.0.1", port), Health).serve_forever()
    while True:
        time.sleep(1)


def prepare(store: Path, step: str) -> int:
    if step == "migrate":
        if store.exists() and store.read_text() == "newer":
            print(f"{store.name} is at schema 9, this release knows 1: use a newer one")
            return 1
        store.write_text("1")
    return 0
