"""Served for real: started at once, stopped within 5 seconds, gone with whoever started it, silent about requests."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

SAMPLE = """
import sys, time
from services.shared import cli, logs, serve, web

def flask_app():
    app = web.create_app("sample", ready=lambda: None)
    app.post("/quiet/<word>", who=web.ANYONE, quiet=True)(lambda word: {})
    app.post("/unread", who=web.ANYONE)(unread)
    app.get("/slow/<int:seconds>", who=web.ANYONE)(slow)
    if sys.argv[1] == "undeclared":
        app.get("/undeclared")(dict)
    return app

def unread():
    return {}

def slow(seconds):
    print("under way", flush=True)
    time.sleep(seconds)
    return {}

async def asgi_app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            if kind == "lifespan.shutdown":
                print("drained", flush=True)
            await send({"type": kind + ".complete"})
            if kind == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

def main():
    logs.configure("sample", sys.argv[1])
    if sys.argv[1] == "asgi":
        serve.serve_asgi(lambda: asgi_app, "127.0.0.1", int(sys.argv[2]))
    serve.serve_flask(flask_app, "127.0.0.1", int(sys.argv[2]), threads=4)

cli.finish(main)
"""


class Door:
    def __init__(self, folder: Path, kind: str, port: int = 0) -> None:
        self.said = folder / f"{kind}-{port}.log"
        script = folder / "sample.py"
        script.write_text(SAMPLE)
        env = {**os.environ, "PYTHONPATH": str(Path.cwd())}
        with self.said.open("wb") as out:
            command = [sys.executable, str(script), kind, str(port)]
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env)

    @property
    def port(self) -> int:
        until = time.monotonic() + 30
        while time.monotonic() < until and self.process.poll() is None:
            for line in self.said.read_text().splitlines():
                if "listening" in line:
                    return int(json.loads(line)["address"].rpartition(":")[2])
            time.sleep(0.02)
        raise AssertionError(self.said.read_text())

    def works(self) -> None:
        """Returns once a slow request has come."""
        until = time.monotonic() + 20
        while "under way" not in self.said.read_text():
            assert time.monotonic() < until, self.said.read_text()
            time.sleep(0.02)

    def get(self, path: str, method: str = "GET") -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path)
        return connection.getresponse().status

    def stop(self) -> tuple[float, int]:
        """Seconds that a SIGTERM took, and the exit code."""
        begun = time.monotonic()
        self.process.terminate()
        code = self.process.wait(20)
        return time.monotonic() - begun, code


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Door]]:
    doors: list[Door] = []

    def launch(kind: str, port: int = 0) -> Door:
        doors.append(Door(tmp_path, kind, port))
        return doors[-1]

    yield launch
    for door in doors:
        if door.process.poll() is None:
            door.process.kill()
            door.process.wait()


@pytest.mark.parametrize("kind, path", [("flask", "/livez"), ("asgi", "/")])
def test_an_idle_door_stops_at_once_though_a_connection_is_kept_alive(
    start: Callable[..., Door], kind: str, path: str
) -> None:
    door = start(kind)
    kept = http.client.HTTPConnection("127.0.0.1", door.port)
    kept.request("GET", path)
    assert kept.getresponse().read()
    seconds, code = door.stop()
    assert seconds < 4 and code == 0
    kept.close()


def test_a_request_under_way_is_answered_before_the_stop(start: Callable[..., Door]) -> None:
    door = start("flask")
    assert door.get("/livez") == 200
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(door.get, "/slow/2")
        door.works()
        seconds, code = door.stop()
    assert slow.result() == 200 and seconds < 5 and code == 0


def test_a_request_that_never_ends_does_not_hold_up_the_stop(start: Callable[..., Door]) -> None:
    door = start("flask")
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=20)
    connection.request("GET", "/slow/60")
    door.works()
    seconds, _ = door.stop()
    assert seconds < 5.2
    connection.close()


def test_an_asgi_app_is_drained_before_the_stop(start: Callable[..., Door]) -> None:
    door = start("asgi")
    assert door.get("/") == 200
    door.stop()
    assert "drained" in door.said.read_text()


@pytest.mark.parametrize("kind", ["flask", "asgi"])
def test_a_port_in_use_is_told_in_a_sentence(start: Callable[..., Door], kind: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        door = start(kind, port)
        assert door.process.wait(20) == 2
    assert f"port {port} is in use" in door.said.read_text()
    assert "Traceback" not in door.said.read_text()


def test_a_killed_door_can_be_started_again_on_its_port_at_once(start: Callable[..., Door]) -> None:
    door = start("flask")
    port = door.port
    assert door.get("/livez") == 200
    door.process.kill()
    door.process.wait()
    assert start("flask", port).get("/livez") == 200


def test_an_app_with_an_undeclared_route_never_listens(start: Callable[..., Door]) -> None:
    door = start("undeclared")
    assert door.process.wait(20) != 0
    assert "RouteUndeclared" in door.said.read_text()
    assert "listening" not in door.said.read_text()


def test_a_door_ends_with_the_process_that_started_it(start: Callable[..., Door], tmp_path: Path) -> None:
    parent = (
        "import subprocess, sys, time; p = subprocess.Popen(sys.argv[1:]); print(p.pid, flush=True); time.sleep(60)"
    )
    (tmp_path / "sample.py").write_text(SAMPLE)
    command = [sys.executable, "-c", parent, sys.executable, str(tmp_path / "sample.py"), "flask", "0"]
    env = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    supervisor = subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True)
    assert supervisor.stdout
    child = int(supervisor.stdout.readline())
    assert "listening" in supervisor.stdout.readline()
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    until = time.monotonic() + 10
    while time.monotonic() < until and Path(f"/proc/{child}").exists():
        time.sleep(0.1)
    assert not Path(f"/proc/{child}").exists()


def raw(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(4096)


def test_the_server_itself_says_nothing_of_what_was_asked(start: Callable[..., Door]) -> None:
    door = start("flask")
    head = b"POST /unread?c0ffee HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    for data in (
        b"GET /quiet/c0ffee HTTQ/9\r\n\r\n",
        b"GET /c0ffee HTTP/1.1\r\nHost: a\r\nbad header c0ffee\r\n\r\n",
        head + b"Content-Length: c0ffee\r\n\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\nc0ffee;;;\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\n0\r\nbad trailer c0ffee\r\n\r\n",
    ):
        assert raw(door.port, data).split()[1] == b"400", data
    assert door.get("/quiet/c0ffee", "POST") == 200
    said = door.said.read_text()
    assert "c0ffee" not in said and "127.0.0.1:" not in said.replace('"address": "http://127.0.0.1:', "")
    assert all(json.loads(line)["level"] for line in said.splitlines())


def test_20_megabytes_are_refused_in_chunks_too(start: Callable[..., Door]) -> None:
    door = start("flask")

    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 1_000_000

    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=20)
    try:
        connection.request("POST", "/unread", pieces(), {"Content-Type": "application/json"}, encode_chunked=True)
        status = connection.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        status = 413  # it closed the door on the rest of the body
    assert status == 413
    assert door.get("/livez") == 200
