"""Every visit of the route map, made once a test run: by the first worker that asks; the others read what it wrote."""

from __future__ import annotations

import fcntl
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from tests.gateway.processes import site, visitor
from tests.gateway.stub_services import World
from tests.journeys.route_map import VISITS, Asked, Visit, Walker

_BY_NAME: Final = {visit.name: visit for visit in VISITS}


@dataclass(frozen=True)
class Walked:
    """A visit and where it ended. `calls`: of each of its requests, (method, path, how often it asked a service)."""

    visit: Visit
    text: str
    trail: tuple[Asked, ...]
    calls: tuple[tuple[str, str, int], ...]


def walked_once(folder: Path) -> list[Walked]:
    """`folder` is the same for all workers of a run."""
    kept = folder / "walked.json"
    with (folder / "walked.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            made = [_as_json(one) for one in _walk(folder)]
            (folder / "walked.part").write_text(json.dumps(made))
            (folder / "walked.part").rename(kept)
    return [_read(one) for one in json.loads(kept.read_text())]


def _walk(folder: Path) -> list[Walked]:
    with site(Path(tempfile.mkdtemp(dir=folder)) / "data") as (running, world):  # another worker's walk may have failed
        walker, found = Walker(running.url, world), []
        for visit in VISITS:
            calls = Calls(world)
            with visitor(running.url, event_hooks={"request": [calls.begin], "response": [calls.end]}) as client:
                answer = walker.walk_in(client, visit)
            found.append(Walked(visit, answer.response.text, answer.trail, tuple(calls.made)))
        return found


class Calls:
    """Counts what the services are asked from a request's beginning to its end."""

    def __init__(self, world: World) -> None:
        self._world, self._before = world, 0
        self.made: list[tuple[str, str, int]] = []

    def begin(self, _: httpx.Request) -> None:
        self._before = len(self._world.seen)

    def end(self, response: httpx.Response) -> None:
        asked = response.request
        self.made.append((asked.method, asked.url.path, len(self._world.seen) - self._before))


def _as_json(one: Walked) -> dict[str, Any]:
    trail = [(asked.method, asked.path, asked.status) for asked in one.trail]
    return {"visit": one.visit.name, "text": one.text, "trail": trail, "calls": one.calls}


def _read(one: dict[str, Any]) -> Walked:
    trail = tuple(Asked(*asked) for asked in one["trail"])
    return Walked(_BY_NAME[one["visit"]], one["text"], trail, tuple((m, p, n) for m, p, n in one["calls"]))
