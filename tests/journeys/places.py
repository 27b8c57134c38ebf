"""Where journeys are walked: sites started for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.shared import keys
from tests.doors import free_port
from tests.gateway.oidc_provider import oidc_provider
from tests.gateway.processes import Gateway, gateway
from tests.gateway.stub_services import World, region, services


@contextmanager
def provided(folder: Path) -> Iterator[tuple[Gateway, World]]:
    """A gateway over stub services, with the real oidc-provider in FranceConnect's place on another site."""
    data = folder / "data"
    keys.make_key_pair(data / "keys/gateway/token.key", data / "keys/gateway/token.pub")
    world = World(data / "keys/gateway/token.pub")
    region(world)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with services(world) as addresses, oidc_provider(url, host="localhost") as provider:
        told = addresses | provider.settings(folder) | {"PARVIS_GATEWAY_URL": url}
        with gateway(data, told, port) as running:
            yield running, world
