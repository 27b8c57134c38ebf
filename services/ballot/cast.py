"""The cast door: `POST /polls/{poll}/ballots`, under gunicorn's asgi worker.

No cookie, no token, no request line, no request id. What can be checked is checked before the ballot waits for the
disk; the promise leaves after the commit that holds it, and the same ballot always gets the same promise.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from nacl.signing import SigningKey
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

from services.ballot.methods import METHODS
from services.ballot.protocol import ballots, manifest, promises
from services.ballot.protocol.acceptance import PollNotOpen, Settled
from services.ballot.protocol.fields import UUID, moment
from services.ballot.store.box import BallotBox
from services.ballot.store.slot import Entry, Slot
from services.shared import answers, logs
from services.shared.commit import GroupCommit
from services.shared.errors import BadInput, Busy, NotFound, Refusal, TooLarge
from services.shared.store import StoreFailed

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
MAX_BALLOT: Final = 16 * 1024
Hex32 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", max_length=64)]
Hex64 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}$(?!\n)", max_length=128)]
_PATH: Final = re.compile(rf"/polls/({UUID.pattern})/ballots")
_READ: Final = ("/livez", "/readyz", "/metrics", "/openapi.json")
_PATIENCE: Final = 15.0  # seconds that a voter waits for the disk; a repeat of the same ballot finds what became of it
_JSON: Final = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
_PROMISED: Final = Counter("parvis_ballots_promised_total", "Promises given, repeats included.")
_REFUSED: Final = Counter("parvis_ballots_refused_total", "Ballots not accepted, by refusal.", ("code",))
_SECONDS: Final = Histogram(
    "parvis_cast_seconds",
    "Time from a checked ballot to its promise.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)


class PollUnknown(NotFound):
    reason = "no such poll, or it is not published yet"


class MethodNotAllowed(BadInput):
    reason = "ballots are sent by POST, all else is read by GET"


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    answers: list[Any]


class BallotCast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed ballot, as the canonical bytes (RFC 8785) of this value: docs/voting-protocol.md."""

    type: Literal["BallotCast"]
    version: Literal[1]
    poll: str
    credential: Hex32
    stratum: str
    issuer_signatures: list[Hex64]
    seq: Annotated[int, msgspec.Meta(ge=0, le=ballots.MAX_SEQ)]
    prev: Hex32 | None
    body: Body
    signature: Hex64


class Promised(msgspec.Struct, frozen=True):
    """The signed promise that the ballot is in the log by `log_by`."""

    poll: str
    leaf_hash: Hex32
    log_by: str
    signature: Hex64


@dataclass(frozen=True, slots=True)
class OpenPoll:
    """A poll whose manifest is frozen for good, with its dates as seconds since 1970."""

    manifest: manifest.Manifest
    opens: float
    closes: float


class OpenPolls:
    """Manifests of polls whose gates are or were open: frozen by then, so they are kept. Others are looked up anew."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._known: dict[str, OpenPoll] = {}

    async def get(self, poll: str) -> OpenPoll:
        """Raises PollUnknown, PollNotOpen or StoreFailed."""
        found = self._known.get(poll)
        return found if found is not None else await asyncio.to_thread(self._load, poll)

    def _load(self, poll: str) -> OpenPoll:
        gates = self._slot.gates(poll)
        if not gates:
            raise PollUnknown(field="poll")
        states = {state for state, _ in gates.values()}
        if "shut" in states:
            raise PollNotOpen(field="poll")
        manifest_hash = next(iter(gates.values()))[1]
        found = manifest.parse(self._slot.manifest(manifest_hash), METHODS)
        opened = OpenPoll(found, moment(found.opens_at).timestamp(), moment(found.closes_at).timestamp())
        return self._known.setdefault(poll, opened)


class CastDoor:
    """The ASGI application."""

    def __init__(self, box: BallotBox, promise_key: SigningKey, *, queue: int, clock: Callable[[], float] = time.time):
        self._box = box
        self._polls = OpenPolls(box.slot)
        self._key = promise_key
        self._queue = queue
        self._clock = clock
        self._commit: GroupCommit[Entry] | None = None
        self._deliver: Callable[[list[Any]], None] = lambda _: None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            status, headers, body = await self._answer(scope, receive)
            head = [*headers, (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": status, "headers": head})
            await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        loop = asyncio.get_running_loop()

        def deliver(pairs: list[Any]) -> None:
            loop.call_soon_threadsafe(_resolve, pairs)

        self._deliver = deliver
        self._commit = GroupCommit(self._box.accept, lambda e: _die(loop, e), max_waiting=self._queue)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._commit.close)
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: dict[str, Any], receive: Receive) -> tuple[int, list[Any], bytes]:
        try:
            if scope["method"] == "GET":
                return await self._health(scope["path"])
            found = _PATH.fullmatch(scope["path"])
            if scope["path"] in _READ or (found and scope["method"] != "POST"):
                raise MethodNotAllowed(field="method")
            if not found:
                raise NotFound(field="path")
            return 201, _JSON, await self._cast(found[1], await _body(scope, receive))
        except Refusal as e:
            _REFUSED.labels(e.code).inc()
            failure = answers.failure_of(e)
            if isinstance(e, MethodNotAllowed):
                allowed = b"POST" if _PATH.fullmatch(scope["path"]) else b"GET"
                return 405, [*_JSON, (b"allow", allowed)], json.dumps(failure.as_json()).encode()
            retry = [(b"retry-after", b"1")] if failure.status == 503 else []
            return failure.status, [*_JSON, *retry], json.dumps(failure.as_json()).encode()
        except Exception as e:  # noqa: BLE001 the last line of defence: whatever it is, only its kind may be told
            logs.failure(type(e).__name__)
            return 503, [*_JSON, (b"retry-after", b"1")], json.dumps(Busy().as_json()).encode()

    async def _cast(self, poll: str, data: bytes) -> bytes:
        opened = await self._polls.get(poll)
        ballot = ballots.parse(data, opened.manifest)
        started = time.perf_counter()
        now = self._clock()
        settled = await self._settled(
            Entry(
                poll=poll,
                station=ballot.station,
                credential=ballot.credential,
                seq=ballot.seq,
                leaf_hash=ballot.leaf_hash,
                prev=ballot.prev,
                leaf=data,
                in_time=opened.opens <= now < opened.closes,
            )
        )
        if settled.refusal is not None:
            raise settled.refusal
        _SECONDS.observe(time.perf_counter() - started)
        _PROMISED.inc()
        return promises.make(self._key, opened.manifest, ballot.leaf_hash).encode()

    async def _settled(self, entry: Entry) -> Settled:
        if self._commit is None:
            raise Busy
        future: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()
        self._commit.submit(entry, self._deliver, future)
        try:
            return await asyncio.wait_for(future, _PATIENCE)
        except TimeoutError:
            raise Busy from None

    async def _health(self, path: str) -> tuple[int, list[Any], bytes]:
        if path == "/livez":
            return 200, _JSON, b'{"status":"alive"}'
        if path == "/readyz":
            try:
                await asyncio.to_thread(self._box.slot.gates, "none")
            except StoreFailed as e:
                refusal = {"refusal": "NotReady", "field": None, "reason": str(e)}
                return 503, [*_JSON, (b"retry-after", b"1")], json.dumps(refusal).encode()
            return 200, _JSON, b'{"status":"ready"}'
        if path == "/metrics":
            return 200, [(b"content-type", CONTENT_TYPE_LATEST.encode())], generate_latest()
        if path == "/openapi.json":
            return 200, _JSON, await asyncio.to_thread(lambda: msgspec.json.encode(described()))
        raise MethodNotAllowed(field="method") if _PATH.fullmatch(path) else NotFound(field="path")


def described() -> dict[str, Any]:
    """The OpenAPI description of this door. What makes it is loaded when it is asked for: casting needs none of it."""
    from werkzeug.routing import Map

    from services.shared import openapi, routes

    class Health(msgspec.Struct, frozen=True):
        status: str

    def rule(path: str, endpoint: str, method: str, **shapes: Any) -> routes.DeclaredRule:
        return routes.DeclaredRule(path, endpoint=endpoint, methods=[method], who=routes.ANYONE, **shapes)

    rules = [
        rule("/livez", "livez", "GET", gives=Health),
        rule("/readyz", "readyz", "GET", gives=Health),
        rule("/metrics", "metrics", "GET", content=CONTENT_TYPE_LATEST),
        rule("/openapi.json", "openapi", "GET", content=openapi.JSON),
        rule("/polls/<uuid:poll>/ballots", "cast", "POST", takes=BallotCast, gives=Promised, status=201, ruled=True),
    ]
    about = {"cast": "Casts a ballot; the same bytes always get the same promise."}
    declared: Any = Map(rules).iter_rules()
    return openapi.describe("cast", declared, lambda endpoint: about.get(endpoint, ""), title="Parvis: cast door")


async def _body(scope: dict[str, Any], receive: Receive) -> bytes:
    """The whole body, or TooLarge as soon as that is known."""
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value) > MAX_BALLOT):
            raise TooLarge(f"a ballot has at most {MAX_BALLOT} bytes", field="body")
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadInput("the connection closed before the ballot was whole", field="body")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BALLOT:
            raise TooLarge(f"a ballot has at most {MAX_BALLOT} bytes", field="body")
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


def _resolve(pairs: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, outcome in pairs:
        if future.done():
            continue  # the client went away; its ballot is on disk all the same
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _die(loop: asyncio.AbstractEventLoop, error: BaseException) -> None:
    """The slot cannot be written: everybody waiting is told 503, then this process ends and a new one looks."""
    logs.failure(type(error).__name__)
    loop.call_soon_threadsafe(loop.call_later, 0.2, os._exit, 1)
