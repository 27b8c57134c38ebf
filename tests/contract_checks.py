"""Holds a service against its own OpenAPI description by schemathesis, with all of its checks."""

from __future__ import annotations

import copy
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from werkzeug.serving import WSGIRequestHandler, make_server

REJECTED = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]
"""The library's own, and a body of too many bytes."""
ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "429", "503"]


@dataclass
class Checked:
    """What was asked and what was found; equal findings of one operation stand once."""

    operations: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    findings: dict[str, str] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        return self.statuses.total()

    def __iadd__(self, other: Checked) -> Checked:
        self.operations |= other.operations
        self.statuses += other.statuses
        self.findings |= other.findings
        return self


@contextmanager
def served(app: Any) -> Iterator[str]:
    """A WSGI app at an address of this very process."""

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept, or a run would use up the ports
        disable_nagle_algorithm = True

        def log(self, type: str, message: str, *args: object) -> None:
            pass

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def check(
    said: Mapping[str, Any],
    url: str,
    *,
    examples: int,
    seed: int,
    token: Callable[[], str] | None = None,
    known: Mapping[str, Sequence[str]] | None = None,
    bodies: Mapping[str, Any] | None = None,
) -> Checked:
    """Every phase: examples, coverage, fuzzing and, where links were found, sequences of requests.

    `known`: by name in a path, things that are there. `bodies`: by operation, one that is right."""
    schema: Any = schemathesis.openapi.from_dict(
        helped(said, known or {}, bodies or {}), config=_config(said, url, examples, seed)
    )
    if token is not None:

        @schema.auth(refresh_interval=20)
        class Bearer:
            def get(self, case: schemathesis.Case, ctx: schemathesis.AuthContext) -> str:
                return token()

            def set(self, case: schemathesis.Case, data: str, ctx: schemathesis.AuthContext) -> None:
                case.headers["Authorization"] = f"Bearer {data}"

    found = Checked()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _note(event.recorder, found)
        elif isinstance(event, events.NonFatalError):
            found.findings[f"{event.label}: not checked"] = str(event.info)[:1500]
        elif isinstance(event, events.FatalError):
            raise event.exception
    return found


def helped(said: Mapping[str, Any], known: Mapping[str, Sequence[str]], bodies: Mapping[str, Any]) -> dict[str, Any]:
    """The same description, that tells schemathesis of some things which are there."""
    told = copy.deepcopy(dict(said))
    for path in told["paths"].values():
        for one in path.values():
            for parameter in one.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"] in known:
                    there = {"enum": list(known[parameter["name"]])}
                    parameter["schema"] = {"anyOf": [there, parameter["schema"]]}
            if one["operationId"] in bodies:
                one["requestBody"]["content"]["application/json"]["example"] = bodies[one["operationId"]]
    return told


def _config(said: Mapping[str, Any], url: str, examples: int, seed: int) -> SchemathesisConfig:
    """All checks. A route marked `x-ruled` may refuse a body of the right shape with 400, any other may not."""
    ruled = [
        {
            "include-operation-id": one["operationId"],
            "checks": {"positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "400"]}},
        }
        for path in said["paths"].values()
        for one in path.values()
        if one.get("x-ruled")
    ]
    return SchemathesisConfig.from_dict(
        {
            "base-url": url,
            "seed": seed,
            "suppress-health-check": ["too_slow"],  # it measures the machine
            "request-timeout": 20,
            "generation": {"max-examples": examples, "database": "none", "allow-x00": False},
            "checks": {"negative_data_rejection": {"expected-statuses": REJECTED}},
            "operations": ruled,
            "continue-on-failure": True,
        }
    )


def _note(recorder: Any, found: Checked) -> None:
    for interaction in recorder.interactions.values():
        if interaction.response is not None:
            found.statuses[interaction.response.status_code] += 1
    for case_id, checks in recorder.checks.items():
        case = recorder.cases[case_id].value
        label = f"{case.operation.method.upper()} {case.operation.path}"
        found.operations.add(label)
        for one in checks:
            if one.failure_info is not None and not (
                one.name == "negative_data_rejection" and _other_on_the_wire(case)
            ):
                failure = one.failure_info.failure
                told = f"{label}: {one.name}: {failure.title}"
                found.findings.setdefault(told, f"{failure.message}\n{one.failure_info.code_sample}"[:1500])


def _other_on_the_wire(case: Any) -> bool:
    """Two halves of a surrogate pair, made apart, are one character once they are sent: a body that was made one
    character too long may be a right one then."""
    try:
        sent = json.dumps(case.body)
    except TypeError:  # no JSON body
        return False
    return bool(json.loads(sent) != case.body)
