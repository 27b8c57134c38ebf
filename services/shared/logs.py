"""Logs: one JSON object a line on stdout, with level, service, door and request id.

While a quiet request is being handled (issue, cast, tracker) nothing that is logged by anyone, libraries included, can
carry more than a code: messages, arguments and tracebacks are dropped by the formatter itself, not by discipline.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

_ACCEPTED_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_request: ContextVar[str | None] = ContextVar("parvis_request", default=None)
_quiet: ContextVar[bool] = ContextVar("parvis_quiet", default=False)


def configure(service: str, door: str) -> None:
    """Every log line of this process, of libraries too, leaves as JSON on stdout from now on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(service, door))
    handler.addFilter(worth_a_line)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("kafka", "urllib3", "httpx", "httpcore", "werkzeug"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def begin_request(request_id: str | None, *, quiet: bool) -> None:
    """Until `end_request`, lines of this thread or task carry the id; when quiet, failures alone, and their code."""
    _request.set(None if quiet else request_id)
    _quiet.set(quiet)


def end_request() -> None:
    _request.set(None)
    _quiet.set(False)


def is_quiet() -> bool:
    return _quiet.get()


def request_id() -> str | None:
    """The id to pass on to other services; None outside a request and in a quiet one."""
    return _request.get()


def accept_id(given: str | None) -> str:
    """The caller's id when it is harmless, else a new one."""
    return given if given and _ACCEPTED_ID.fullmatch(given) else uuid.uuid4().hex


def failure(code: str) -> None:
    """One line that holds nothing but the code of a failure: all that a quiet route may leave behind."""
    logging.getLogger("parvis").warning("failed", extra={"code": code})


class JsonLines(logging.Formatter):
    """A record as one JSON line; `extra=` values become members of the object."""

    _USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def __init__(self, service: str, door: str) -> None:
        super().__init__()
        self._service = service
        self._door = door

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: dict[str, Any] = {
            "at": at,
            "level": record.levelname.lower(),
            "service": self._service,
            "door": self._door,
            "request": _request.get(),
        }
        if _quiet.get():
            # To the minute: finer times on two services' lines could tell whose request and whose ballot are one.
            line |= {"at": f"{at[:16]}:00Z", "message": "failed", "code": _code_of(record)}
            return json.dumps(line)
        line["message"] = record.getMessage()
        if record.name not in ("parvis", "root"):
            line["logger"] = record.name
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = "".join(traceback.format_exception(*record.exc_info))
        line |= _extra(record, self._USUAL)
        return json.dumps(line, default=str, ensure_ascii=False)


def _extra(record: logging.LogRecord, usual: frozenset[str]) -> Mapping[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in usual}


def _code_of(record: logging.LogRecord) -> str:
    code = getattr(record, "code", None)
    if isinstance(code, str):
        return code
    return record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else "Unnamed"


def worth_a_line(record: logging.LogRecord) -> bool:
    return not _quiet.get() or record.levelno >= logging.WARNING


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("parvis").critical("stopped by an error", exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is not SystemExit and args.exc_value is not None:
        _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
