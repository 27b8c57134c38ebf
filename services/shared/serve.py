"""gunicorn's workers, embedded: one in this very process, no access log, no control socket, stopped within 5 seconds.

There is no arbiter above the worker. It would restart a dead worker, which the supervisor (one machine's runner or
Kubernetes) does anyway; it would cost 25 MB a door; and, killed, it would leave an orphan on the port for a second.
The worker itself stops when the process that started it is gone.
"""

from __future__ import annotations

import errno
import gc
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, NoReturn

from gunicorn import sock
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from services.shared import settings
from services.shared.settings import SettingRefused

STOP_SECONDS: Final = 4.8
GRACEFUL_SECONDS: Final = 4
ASGI_GRACEFUL_SECONDS: Final = 3  # the rest of the stop is for the app's lifespan: a group commit under way
KEEPALIVE_SECONDS: Final = 15
ASGI_KEEPALIVE_SECONDS: Final = 2  # a stop waits for idle connections here
_log = logging.getLogger("parvis")


def serve_flask(app_factory: Callable[[], Any], host: str, port: int, threads: int = 16) -> NoReturn:
    """Serves a Flask app until SIGTERM or SIGINT. `port` 0 takes a free one, told by the line "listening".

    The app is built before the port is bound, so what it raises reaches the caller. Raises SettingRefused when the
    port cannot be had.
    """
    from gunicorn.workers.gthread import ThreadWorker

    class Gthread(ThreadWorker):  # type: ignore[misc]
        def handle_exit(self, sig: int, frame: Any) -> None:
            _stop_by_deadline()
            super().handle_exit(sig, frame)

    options = {"threads": threads, "keepalive": KEEPALIVE_SECONDS, "graceful_timeout": GRACEFUL_SECONDS}
    _serve(Gthread, app_factory(), host, port, options)


def serve_asgi(app_factory: Callable[[], Any], host: str, port: int) -> NoReturn:
    """Serves an ASGI app under gunicorn's asgi worker, its lifespan included; else as `serve_flask`."""
    from gunicorn.workers.gasgi import ASGIWorker

    class Asgi(ASGIWorker):  # type: ignore[misc]
        def handle_exit_signal(self) -> None:
            _stop_by_deadline()
            super().handle_exit_signal()

    loop = settings.read(
        "PARVIS_ASGI_LOOP",
        "uvloop",
        "Event loop of the cast door: `uvloop` is faster; `asyncio` is for where it cannot be installed.",
        settings.one_of("uvloop", "asyncio"),
    )
    options = {
        "asgi_loop": loop,
        "asgi_lifespan": "on",
        "keepalive": ASGI_KEEPALIVE_SECONDS,
        "graceful_timeout": ASGI_GRACEFUL_SECONDS,
    }
    _serve(Asgi, app_factory(), host, port, options)


def _serve(worker_class: Any, app: Any, host: str, port: int, options: dict[str, Any]) -> NoReturn:
    gc.collect()
    gc.freeze()  # what stands from the start is not looked through again and again, which takes 50 ms
    listener = _bound(host, port)
    address = listener.getsockname()[:2]
    embedded = _Embedded(app, {"bind": f"fd://{listener.detach()}", **options})
    log = _JsonLogger(embedded.cfg)
    sockets = sock.create_sockets(embedded.cfg, log)
    worker = worker_class(1, os.getppid(), sockets, embedded, embedded.cfg.timeout, embedded.cfg, log)
    _log.info("listening", extra={"address": "http://{}:{}".format(*address)})
    worker.init_process()
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)  # a request that outlived the grace period holds its thread: waiting for it would hang the exit


def _bound(host: str, port: int) -> socket.socket:
    """Bound here and not by gunicorn, so that a port in use is told at once and in a sentence."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Two sockets may be bound to one port with SO_REUSEADDR; only one may listen.
        listener.listen(2048)
    except OSError as e:
        listener.close()
        if e.errno == errno.EADDRINUSE:
            raise SettingRefused(f"port {port} is in use: stop what listens there, or choose another port") from None
        raise SettingRefused(f"cannot listen on {host} port {port}: {e.strerror}") from None
    return listener


def _stop_by_deadline() -> None:
    def end() -> None:
        _log.warning("stopped before every request was answered")
        os._exit(1)

    timer = threading.Timer(STOP_SECONDS, end)
    timer.daemon = True
    timer.start()


class _Embedded(BaseApplication):  # type: ignore[misc]
    def __init__(self, app: Any, options: dict[str, Any]) -> None:
        self._app = app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in {"accesslog": None, "control_socket_disable": True, **self._options}.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._app


class _JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's own messages through our log. They may quote a request or an address, so only their kind is told."""

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)

    def _tell(self, level: int) -> None:
        failure = sys.exc_info()[0]
        self.error_log.log(level, "http server", extra={"code": failure.__name__ if failure else "RequestRefused"})

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        self._tell(logging.WARNING)

    def error(self, msg: str, *args: Any, **kwargs: Any) -> None:
        self._tell(logging.ERROR)

    exception = critical = error
