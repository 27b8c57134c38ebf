"""Pages of the gateway as ratios to a bare Flask "hello" of the same minutes, over real services, at 10 and 10,000
polls.

From the cache: requests a second of 32 connections. Cold: the time of one request after another, at a gateway that
keeps no copies. Signed in: the same and the 99th percentile at 32 connections, at a gateway as it is run; the page is
drawn for each request.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from services.gateway.settings import GatewaySettings
from services.gateway.store.sessions import Sessions
from services.shared.store import open_database
from tests import doors
from tests.ballot.kit import Town, draft, town_in
from tests.bench.many_polls import copies, fill
from tests.drills import _platform
from tests.gateway import ballot_cases
from tests.http_client import Connection

AT_ONCE: Final = 32
_COPIES: Final = 48  # more than the gateway remembers the figures of
OFFICER: Final = "returning_officer"
Times = list[float]


@dataclass(frozen=True)
class Site:
    """The doors that are asked, the paths of the pages, and the cookies of who is signed in."""

    hello: int
    cached: int
    cold: int
    public: dict[str, str]
    first: dict[str, list[str]]
    """Pages that differ in nothing but their poll, asked in turn: none of them was made a moment ago."""
    of_people: dict[str, tuple[str, str]]


def measure(short: bool) -> dict[str, Any]:
    rounds, requests = (2, 400) if short else (7, 2000)
    sizes = (10, 200) if short else (10, 10_000)
    with tempfile.TemporaryDirectory(prefix="parvis-bench-") as name:
        folder = Path(name)
        town, env, public = _prepared(folder)
        counted = public["results"].split("/")[2]
        others = [public["results"].replace(counted, poll) for poll in copies(town, counted, _COPIES)]
        first = {name: [path] for name, path in public.items()} | {"results": others}
        found: dict[str, Any] = {}
        for size in sizes:
            fill(town, size)
            with _served(folder, env, public, first) as site:
                found[f"{size:,} polls"] = _rounds(site, rounds, requests)
        few, many = (found[f"{size:,} polls"] for size in sizes)
        return found | {f"growth from {sizes[0]} to {sizes[1]:,} polls": _growth(few, many)}


def _rounds(site: Site, rounds: int, requests: int) -> dict[str, Any]:
    """In each round everything in turn, hello beside each; then medians of what the rounds' ratios are."""
    rates: dict[str, list[float]] = {name: [] for name in site.public}
    cold: dict[str, list[float]] = {name: [] for name in site.public}
    people: dict[str, list[float]] = {name: [] for name in site.of_people}
    busy: dict[str, list[float]] = {name: [] for name in site.of_people}
    hello: list[float] = []
    few = requests // 10
    for number in range(rounds + 1):
        for name, path in site.public.items():
            bare = _rate(_load(site.hello, "/", requests))
            kept = _rate(_load(site.cached, path, requests))
            alone, whole = _alone(site.hello, ["/"], few), _alone(site.cold, site.first[name], few)
            if number:  # the first round warms up
                hello.append(bare)
                rates[name].append(kept / bare)
                cold[name].append(whole / alone)
        for name, (path, cookie) in site.of_people.items():
            alone, whole = _alone(site.hello, ["/"], few), _alone(site.cached, [path], few, cookie)
            spans = _load(site.cached, path, requests // 2, cookie)
            if number:
                people[name].append(whole / alone)
                busy[name].append(_p99(spans))
    median = statistics.median
    return {
        "hello, requests/s": round(median(hello)),
        **{f"{name}, from the cache / hello": round(median(r), 2) for name, r in rates.items()},
        **{f"{name}, cold, times hello": round(median(r), 1) for name, r in cold.items()},
        **{f"{name}, signed in, times hello": round(median(r), 1) for name, r in people.items()},
        **{f"{name}, signed in, p99 ms at {AT_ONCE}": round(median(r), 1) for name, r in busy.items()},
    }


def _growth(few: dict[str, Any], many: dict[str, Any]) -> dict[str, float]:
    """By page, how much longer it takes among many polls: of times, and of rates the other way round."""
    found = {}
    for name in few:
        if name.endswith("times hello"):
            found[name.removesuffix(", times hello")] = round(many[name] / few[name], 2)
        elif name.endswith("/ hello"):
            found[name.removesuffix(" / hello")] = round(few[name] / many[name], 2)
    return found


Span = tuple[float, float]


def _load(port: int, path: str, requests: int, cookie: str = "") -> list[Span]:
    """The span of each request, of 32 connections that ask one after the other's answer."""

    async def run() -> list[Span]:
        left, spans = iter(range(requests)), list[Span]()

        async def worker() -> None:
            connection = Connection(port)
            for _ in left:
                began = time.perf_counter()
                answer = await connection.get(path, _headers(cookie))
                spans.append((began, time.perf_counter()))
                if answer.status != 200:
                    raise AssertionError(f"{path}: {answer.status}")
            connection.close()

        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
        return spans

    return asyncio.run(run())


def _alone(port: int, paths: Sequence[str], requests: int, cookie: str = "") -> float:
    """The median time of one request after another, of these pages in turn."""

    async def run() -> Times:
        connection, times = Connection(port), []
        for path in itertools.islice(itertools.cycle(paths), requests):
            began = time.perf_counter()
            answer = await connection.get(path, _headers(cookie))
            times.append(time.perf_counter() - began)
            if answer.status != 200:
                raise AssertionError(f"{path}: {answer.status}")
        connection.close()
        return times

    return statistics.median(asyncio.run(run()))


def _headers(cookie: str) -> str:
    return "Accept-Encoding: gzip\r\n" + (f"Cookie: {cookie}\r\n" if cookie else "")


def _rate(spans: Sequence[Span]) -> float:
    return len(spans) / (max(end for _, end in spans) - min(began for began, _ in spans))


def _p99(spans: Sequence[Span]) -> float:
    return 1000 * sorted(end - began for began, end in spans)[int(0.99 * (len(spans) - 1))]


def _prepared(folder: Path) -> tuple[Town, dict[str, str], dict[str, str]]:
    """Stores and keys by the services' own commands; a counted poll of ten candidates and an open one."""
    env = {"PARVIS_DATA": str(folder / "data"), "PARVIS_ENGINE": "embedded"}
    for command in ("keys", "migrate"):
        for service in ("gateway", "ballot", "identity", "notifications"):
            doors.run([f"services.{service}", command], env)
    town = town_in(folder / "data", opens=datetime.now(UTC))
    now = town.clock.now
    counted = town.open(_says("irv", now - timedelta(minutes=1), now + timedelta(hours=1)))
    _vote(town, counted, 60)
    town.close(counted)
    town.count(counted)
    town.clock.now = now
    opened = town.open(_says("irv", now - timedelta(minutes=1), now + timedelta(days=30)))
    _vote(town, opened, 40)
    public = {"list": "/", "poll": f"/scrutins/{opened.poll}", "results": f"/scrutins/{counted.poll}/resultats"}
    return town, env, public


def _says(method: str, opens: datetime, closes: datetime) -> dict[str, Any]:
    return draft(opens=opens, closes=closes) | {"questions": [ballot_cases.question(method, 10)]}


def _vote(town: Town, manifest: Any, voters: int) -> None:
    names = [option.id for option in manifest.questions[0].options]
    for n in range(voters):
        ranking = [[names[(n * 7 + i * 3) % 10]] for i in range(1 + n % 5)]
        town.cast(manifest, town.voter(manifest).ballot({"ranking": ranking}))
    town.seal_now(manifest)


@contextmanager
def _served(folder: Path, env: dict[str, str], public: dict[str, str], first: dict[str, list[str]]) -> Iterator[Site]:
    """Every service as the process it is, the gateway twice: with its copies, and without."""
    with ExitStack() as stack:
        urls: dict[str, str] = {}
        for service in ("ballot", "identity", "notifications"):
            door = stack.enter_context(doors.running([f"services.{service}", "api"], env, folder))
            urls[f"PARVIS_{service.upper()}_URL"] = door.url

        def port(arguments: list[str], **more: str) -> int:
            return stack.enter_context(doors.running(arguments, env | urls | more, folder)).port

        gateway = ["services.gateway", "api"]
        yield Site(
            hello=port(["tests.bench.doors", "hello"]),
            cached=port(gateway),
            cold=port(gateway, PARVIS_PUBLIC_SECONDS="0"),
            public=public,
            first=first,
            of_people=_signed_in(env, public),
        )


def _signed_in(env: dict[str, str], public: dict[str, str]) -> dict[str, tuple[str, str]]:
    with _platform.environment(env):
        settings = GatewaySettings.from_env()
    sessions = Sessions(open_database(settings.common, "gateway"), 24 * 3600)
    resident = f"session={sessions.open('resident-1', ['resident'], 'Lilas Moreau')}"
    officer = f"session={sessions.open('officer-1', [OFFICER], 'Aude Kermarrec')}"
    return {
        "list": ("/", resident),
        "poll": (public["poll"], resident),
        "results": (public["results"], resident),
        "messages": ("/messages", resident),
        "officer's list": ("/agent/scrutins", officer),
    }
