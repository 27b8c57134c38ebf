"""The real npm `oidc-provider`, started on a free port of loopback and stopped by its id; and a person in its pages."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import httpx

from services.gateway.assets import build
from tests.doors import free_port
from tests.gateway.stub_provider import BORN

SCRIPT: Final = Path(__file__).with_name("oidc_provider.mjs")
LILAS: Final = {"given_name": "Lilas", "family_name": "Moreau", "birthdate": BORN}
SECRET: Final = "secret-du-fournisseur-seme"


@dataclass
class OidcProvider:
    issuer: str
    process: subprocess.Popen[str]

    def settings(self, folder: Path) -> dict[str, str]:
        """What the gateway must be told, the secret in a file."""
        secret = folder / "franceconnect.secret"
        secret.write_text(f"{SECRET}\n")
        secret.chmod(0o600)
        return {
            "PARVIS_FRANCECONNECT_DISCOVERY": f"{self.issuer}/.well-known/openid-configuration",
            "PARVIS_FRANCECONNECT_CLIENT_ID": "parvis",
            "PARVIS_FRANCECONNECT_SECRET_FILE": str(secret),
        }

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(40)


@contextmanager
def oidc_provider(
    gateway: str, *, acr: str = "eidas1", host: str = "127.0.0.1", person: dict[str, str] = LILAS
) -> Iterator[OidcProvider]:
    build.build(with_tests=True)
    port = free_port()
    issuer = f"http://{host}:{port}"
    told = {"issuer": issuer, "port": port, "gateway": gateway, "person": person, "acr": acr}
    told |= {"client_id": "parvis", "client_secret": SECRET}
    process = subprocess.Popen(
        [*build.find_node().node, str(SCRIPT), json.dumps(told)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    while "listening" not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    provider = OidcProvider(issuer, process)
    try:
        yield provider
    finally:
        provider.stop()


class Person:
    """Someone in the provider's pages, without a screen."""

    def __init__(self, provider: OidcProvider) -> None:
        self._at = provider.issuer
        self._browser = httpx.Client(follow_redirects=False, timeout=20)

    def signs_in_and_consents(self, address: str) -> str:
        """Where the provider sends the browser at last, outside itself."""
        login = self._open("GET", address)
        consent = self._submit(login, login="lilas", password="x")
        return self._left(self._submit(consent))

    def gives_up(self, address: str) -> str:
        login = self._open("GET", address)
        abort = re.search(r'href="([^"]*/abort)"', login.text)
        assert abort, login.text
        return self._left(self._open("GET", urljoin(self._at, abort[1])))

    def signs_out(self, address: str) -> str:
        return self._left(self._submit(self._open("GET", address), logout="yes"))

    def _submit(self, page: httpx.Response, **fields: str) -> httpx.Response:
        action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        assert action, page.text
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        return self._open("POST", urljoin(self._at, action[1]), hidden | fields)

    def _open(self, method: str, address: str, data: dict[str, str] | None = None) -> httpx.Response:
        answer = self._browser.request(method, address, data=data)
        while answer.is_redirect and urljoin(self._at, answer.headers["location"]).startswith(self._at):
            answer = self._browser.get(urljoin(self._at, answer.headers["location"]))
        return answer

    def _left(self, answer: httpx.Response) -> str:
        assert answer.is_redirect, answer.text
        return answer.headers["location"]
