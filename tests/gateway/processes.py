"""A real gateway process, its output kept, over the stub services."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from services.shared import keys
from tests.doors import free_port
from tests.gateway.stub_provider import stub_provider
from tests.gateway.stub_services import World, services


@dataclass
class Gateway:
    url: str
    output: Path


def visitor(url: str, **more: Any) -> httpx.Client:
    """A browser without a screen. What it asks goes without TLS: reading all certificates first would take 40 ms."""
    return httpx.Client(base_url=url, verify=False, timeout=60, **more)


@contextmanager
def gateway(data: Path, addresses: Mapping[str, str], port: int = 0) -> Iterator[Gateway]:
    """Makes keys and store by the gateway's own commands, serves on this or a free port, stops it by SIGTERM.
    It renders public pages anew for each visitor, so that what the services know may change between two."""
    settings = {"PARVIS_DATA": str(data), "PYTHONUNBUFFERED": "1", "PARVIS_PUBLIC_SECONDS": "0"}
    settings["PARVIS_DEADLINE_SECONDS"] = "20"  # a busy machine is no service that is down: that is told by a status
    environment = os.environ | settings | dict(addresses)
    command = [sys.executable, "-m", "services.gateway"]
    for step in ("keys", "migrate"):
        subprocess.run([*command, step], env=environment, check=True, timeout=60)
    output = data.parent / "gateway.out"
    with output.open("wb") as out:
        process = subprocess.Popen([*command, "api", "--port", str(port)], env=environment, stdout=out, stderr=out)
    try:
        yield Gateway(_listening(process, output), output)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0


@contextmanager
def site(data: Path) -> Iterator[tuple[Gateway, World]]:
    """A gateway over stub services and a stub behind both providers; what these know may still change."""
    keys.make_key_pair(data / "keys/gateway/token.key", data / "keys/gateway/token.pub")
    world = World(data / "keys/gateway/token.pub")
    port = free_port()
    with services(world) as addresses, stub_provider(world.provider):
        told = {"PARVIS_GATEWAY_URL": f"http://127.0.0.1:{port}"}
        for name in ("FRANCECONNECT", "PROCONNECT"):
            told |= world.provider.settings(data, name)
        with gateway(data, addresses | told, port) as running:
            yield running, world


def _listening(process: subprocess.Popen[bytes], output: Path) -> str:
    for _ in range(300):
        for line in output.read_text().splitlines():
            if '"listening"' in line:
                address: str = json.loads(line)["address"]
                httpx.get(f"{address}/readyz").raise_for_status()
                return address
        assert process.poll() is None, output.read_text()
        time.sleep(0.05)
    raise AssertionError(f"the gateway does not listen: {output.read_text()}")
