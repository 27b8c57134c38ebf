"""Stores, keys, ports and, in a region, servers for drills that start single doors themselves."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy.servers import Kafka, Postgres
from services.shared.settings import Common
from tests import doors
from tests.doors import Door
from tests.drills import _platform

SERVICES = ("identity", "ballot", "notifications", "gateway")
URLS = ("BALLOT", "CAST", "IDENTITY", "NOTIFICATIONS", "GATEWAY")


@contextmanager
def settings(engine: str, folder: Path, brokers: int = 1) -> Iterator[Common]:
    """Migrated stores and made keys in `folder`; in a region on servers that live as long as the context."""
    ours = {f"PARVIS_{name}_URL": f"http://127.0.0.1:{doors.free_port()}" for name in URLS}
    ours |= {"PARVIS_DATA": str(folder / "data"), "PARVIS_ENGINE": engine}
    with ExitStack() as stack:
        if engine == "region":
            postgres = stack.enter_context(Postgres(folder / "postgres"))
            kafka = stack.enter_context(Kafka(folder / "kafka", brokers=brokers))
            ours |= {"PARVIS_POSTGRES": postgres.url, "PARVIS_KAFKA": kafka.address}
            doors.run(["services.shared.eventlog", "topics", "--replication", str(brokers)], ours)
        for service in SERVICES:
            doors.run([f"services.{service}", "migrate"], ours)
            doors.run([f"services.{service}", "keys"], ours)
        with _platform.environment(ours):
            yield Common.from_env()


@contextmanager
def door(common: Common, service: str, name: str, folder: Path) -> Iterator[Door]:
    """A door at the port where the others look for it."""
    url = {"api": getattr(common, f"{service}_url"), "cast": common.cast_url}[name]
    said = folder / f"{service}-{name}-{secrets.token_hex(2)}.log"
    made = doors.launch(
        [f"services.{service}", name], _platform.as_environment(common), said, int(url.rsplit(":", 1)[1])
    )
    try:
        yield made
    finally:
        made.kill()
