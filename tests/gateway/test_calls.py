"""Services that are slow: a page waits for two calls at the same time, and never longer than its deadline."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from services.gateway.clients.connections import IDLE_SECONDS
from services.gateway.clients.http import Service, ServiceRefused, ServiceUnavailable
from services.shared import serve
from tests.deploy.processes import wait_for
from tests.gateway.conftest import Site, gateway
from tests.gateway.stub_services import OPEN, World

TWO_AT_ONCE = [("/agent/scrutins", "AUDE-3"), (f"/scrutins/{OPEN}/voter", "LILAS-1")]


@pytest.fixture
def hasty(environment: World, static: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PARVIS_DEADLINE_SECONDS", "1.2")
    return gateway(static)


@pytest.fixture
def patient(environment: World, static: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PARVIS_DEADLINE_SECONDS", "30")
    return gateway(static)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


@pytest.mark.parametrize(("path", "who"), TWO_AT_ONCE)
def test_two_calls_of_a_page_run_at_the_same_time(patient: Any, world: World, path: str, who: str) -> None:
    """Each call is answered once the other has come: in turn, neither would be."""
    site, both = Site(patient.test_client(), Path()), threading.Barrier(2)
    site.sign_in(who)

    def together(value: Any) -> Any:
        both.wait(10)
        return value

    world.rewrite = dict.fromkeys(("ballot", "identity"), together)
    page = site.get(path)
    assert page.status == 200 and "pour le moment" not in page.text


@pytest.mark.parametrize(("path", "who"), [*TWO_AT_ONCE, ("/messages", "LILAS-1"), ("/", "LILAS-1")])
def test_a_service_that_does_not_answer_holds_a_page_no_longer_than_the_deadline(
    hasty: Any, world: World, path: str, who: str
) -> None:
    site = Site(hasty.test_client(), Path())
    site.sign_in(who)
    site.get(path)  # its template is compiled then
    world.slow = dict.fromkeys(("ballot", "identity", "notifications"), 30.0)
    with at_most(2.2):
        page = site.get(path)
    assert page.status in (200, 503) and page.faults() == []
    assert "pour le moment" in page.text


@contextmanager
def telling(pieces: Iterator[bytes]) -> Iterator[str]:
    """A service that answers 200 and then these pieces, as long as somebody listens; its address."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                for piece in pieces:
                    self.wfile.write(piece)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_an_answer_that_drips_is_cut_off_at_the_deadline() -> None:
    """Each of its pieces is in time, their sum is not."""

    def dripping() -> Iterator[bytes]:
        for _ in range(400):
            time.sleep(0.05)
            yield b" "

    with telling(dripping()) as url, at_most(1.5), pytest.raises(ServiceUnavailable):
        Service("slow", url, 0.3).raw("/")


def test_an_answer_without_end_is_cut_off() -> None:
    with telling(itertools.repeat(b"x" * 65536)) as url, at_most(5), pytest.raises(ServiceUnavailable):
        Service("endless", url, 60).raw("/")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nowhere.invalid"])
def test_a_service_that_is_not_there_is_unavailable(url: str) -> None:
    with pytest.raises(ServiceUnavailable):
        Service("gone", url, 1).raw("/")


def test_what_is_not_http_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            connection.sendall(b"SSH-2.0-nothing\r\n\r\n")
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(ServiceUnavailable):
            Service("other", f"http://127.0.0.1:{server.getsockname()[1]}", 2).raw("/")


class Counting(BaseHTTPRequestHandler):
    """A service that keeps connections open, and counts them. `/last` ends one without a word, `/cut` in the middle;
    `/long` is long."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        body = b"x" * (10_000_000 if self.path == "/long" else 2)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + (7 if self.path == "/cut" else 0)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)
        self.close_connection = self.path in ("/last", "/cut")

    def do_POST(self) -> None:
        """Refused before its body is read."""
        self.send_response(413)
        self.send_header("Content-Length", "28")
        self.end_headers()
        self.wfile.write(b'{"refusal":"TooLarge","x":1}')
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class Counted(ThreadingHTTPServer):
    daemon_threads = True
    connections = ended = 0

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.ended += 1


@pytest.fixture
def counting() -> Iterator[Counted]:
    with Counted(("127.0.0.1", 0), Counting) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_connection_is_used_again_unless_its_service_has_closed_it(counting: Counted) -> None:
    service = Service("counting", f"http://127.0.0.1:{counting.server_address[1]}", 2)
    for path, connections in (("/", 1), ("/", 1), ("/last", 1)):
        assert (service.raw(path), counting.connections) == (b"xx", connections)
    assert wait_for(lambda: counting.ended == 1)
    assert (service.raw("/"), counting.connections) == (b"xx", 2)
    service.close()
    assert (service.raw("/"), counting.connections) == (b"xx", 3)


def test_an_answer_that_was_not_read_whole_leaves_no_connection_to_the_next_call(counting: Counted) -> None:
    service = Service("counting", f"http://127.0.0.1:{counting.server_address[1]}", 2)
    with service.stream("/long") as pieces:
        assert next(pieces)[:2] == b"xx"
    assert (service.raw("/"), counting.connections) == (b"xx", 2)
    with service.stream("/") as pieces:
        assert b"".join(pieces) == b"xx"
    assert (service.raw("/"), counting.connections) == (b"xx", 2)


def test_an_answer_that_ends_before_it_is_whole_is_none(counting: Counted) -> None:
    service = Service("counting", f"http://127.0.0.1:{counting.server_address[1]}", 2)
    with pytest.raises(ServiceUnavailable):
        service.raw("/cut")
    with pytest.raises(ServiceUnavailable), service.stream("/cut") as pieces:
        assert b"".join(pieces) == b"xx"


@pytest.mark.parametrize("how", [BrokenPipeError, ConnectionResetError])
def test_a_refusal_that_comes_before_all_was_sent_is_heard(
    counting: Counted, monkeypatch: pytest.MonkeyPatch, how: type[OSError]
) -> None:
    """As far as it reached us: a service that closes with something unread may take its own answer back (RFC 9112,
    9.6), so here sending fails at the body, and nothing is left unread."""
    send = HTTPConnection.send

    def until_the_body(self: HTTPConnection, data: bytes) -> None:
        if data.startswith(b"x"):
            raise how
        send(self, data)

    monkeypatch.setattr(HTTPConnection, "send", until_the_body)
    service = Service("counting", f"http://127.0.0.1:{counting.server_address[1]}", 2)
    for connections in (1, 2):
        with pytest.raises(ServiceRefused) as refused:
            service.post("/", dict, content=b"x" * 2_000_000)
        assert (refused.value.code, counting.connections) == ("TooLarge", connections)


def test_a_connection_waits_for_its_next_call_no_longer_than_any_door_keeps_it() -> None:
    assert min(serve.KEEPALIVE_SECONDS, serve.ASGI_KEEPALIVE_SECONDS) > IDLE_SECONDS
