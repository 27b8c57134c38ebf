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

import httpx

from services.shared import keys
from tests.gateway.stub_services import World, services


@dataclass
class Gateway:
    url: str
    output: Path


@contextmanager
def gateway(data: Path, addresses: Mapping[str, str]) -> Iterator[Gateway]:
    """Makes keys and store by the gateway's own commands, serves on a free port, stops it by SIGTERM."""
    environment = os.environ | {"PARVIS_DATA": str(data), "PYTHONUNBUFFERED": "1"} | dict(addresses)
    command = [sys.executable, "-m", "services.gateway"]
    for step in ("keys", "migrate"):
        subprocess.run([*command, step], env=environment, check=True, timeout=60)
    output = data.parent / "gateway.out"
    with output.open("wb") as out:
        process = subprocess.Popen([*command, "api", "--port", "0"], env=environment, stdout=out, stderr=out)
    try:
        yield Gateway(_listening(process, output), output)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@contextmanager
def site(data: Path) -> Iterator[tuple[Gateway, World]]:
    """A gateway over stub services; what these know may still grow."""
    keys.make_key_pair(data / "keys/gateway/token.key", data / "keys/gateway/token.pub")
    world = World(data / "keys/gateway/token.pub")
    with services(world) as addresses, gateway(data, addresses) as running:
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
