"""Identity and notifications as their processes, killed at random with -9: each code asked for is sent once."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.shared import keys
from services.shared.tokens import TokenSigner
from tests import doors
from tests.doors import Door

KNOWN = 40
DOORS = ("identity api", "identity worker", "identity relay", "notifications api", "notifications worker")


@dataclass
class Platform:
    """The doors of two services in one folder, each started again when it was killed."""

    folder: Path
    ports: dict[str, int] = field(default_factory=lambda: {n: doors.free_port() for n in DOORS if "api" in n})
    running: dict[str, Door] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        urls = {f"PARVIS_{n.split()[0].upper()}_URL": f"http://127.0.0.1:{p}" for n, p in self.ports.items()}
        return {"PARVIS_DATA": str(self.folder), "PARVIS_CODES_PER_SOURCE": "1000", **urls}

    def start(self, name: str) -> None:
        service, door = name.split()
        said = self.folder / f"{service}-{door}.log"
        self.running[name] = doors.launch([f"services.{service}", door], self.env, said, self.ports.get(name, 0))

    def kill(self, name: str) -> None:
        self.running.pop(name).kill()

    def post(self, path: str, body: dict[str, Any], by: str = "gateway", role: str = "gateway") -> httpx.Response:
        signer = TokenSigner(self.folder / "keys" / "gateway" / "token.key")
        headers = {"Authorization": f"Bearer {signer.token(by, [role], 'identity')}"}
        url = f"http://127.0.0.1:{self.ports['identity api']}{path}"
        return httpx.post(url, json=body, headers=headers, timeout=20, trust_env=False)

    def ask(self, contact: str) -> str | None:
        """The request's name; None when no answer came."""
        with suppress(httpx.HTTPError):
            answer = self.post("/sign-in/codes", {"contact": contact, "source": contact[:20]})
            if answer.status_code == 200:
                return str(answer.json()["request"])
        return None

    def mails(self) -> dict[str, list[str]]:
        """address → the texts of its mails."""
        found: dict[str, list[str]] = {}
        for path in (self.folder / "spool" / "email").glob("[!.]*"):
            with suppress(FileNotFoundError):  # deleted while this looked
                mail = message_from_bytes(path.read_bytes(), policy=default)
                found.setdefault(str(mail["To"]), []).append(mail.get_content())
        return found


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    made = Platform(tmp_path / "data")
    for service in ("identity", "notifications"):
        for command in ("keys", "migrate"):
            doors.run([f"services.{service}", command], made.env)
    gateway = made.folder / "keys" / "gateway"
    keys.make_key_pair(gateway / "token.key", gateway / "token.pub")
    rows = "".join(f"Martin;Camille{n};12/03/1980;p{n}@exemple.fr\n" for n in range(KNOWN))
    (tmp_path / "people.csv").write_text(f"nom;prénom;date de naissance;courriel\n{rows}")
    doors.run(["services.identity", "import", str(tmp_path / "people.csv")], made.env)
    try:
        for name in DOORS:
            made.start(name)
        yield made
    finally:
        for door in made.running.values():
            door.kill()


def code_of(text: str) -> str:
    (found,) = re.findall(r"\b\d{4} \d{4}\b", text)
    return str(found)


def wait_for(platform: Platform, addresses: set[str]) -> dict[str, list[str]]:
    until = time.monotonic() + 40
    while not addresses <= set(found := platform.mails()):
        assert time.monotonic() < until, f"{len(addresses - set(found))} mails did not come"
        time.sleep(0.1)
    time.sleep(1)  # time for a second one, if there is any
    return platform.mails()


def test_whatever_is_killed_each_code_is_sent_once_and_opens(platform: Platform) -> None:
    chance = random.Random(20261125)
    asked: dict[str, str] = {}
    for number in range(KNOWN):
        address = f"p{number}@exemple.fr"
        if (request := platform.ask(address)) is not None:
            asked[address] = request
        platform.ask(f"stranger{number}@exemple.fr")
        if number % 3 == 0:
            victim = chance.choice(DOORS)
            time.sleep(chance.uniform(0, 0.3))
            platform.kill(victim)
            platform.start(victim)
    mails = wait_for(platform, set(asked))
    assert len(asked) > KNOWN // 2
    assert all(len(texts) == 1 for texts in mails.values()), {a: len(t) for a, t in mails.items() if len(t) > 1}
    assert not any("stranger" in address for address in mails)
    for address, request in asked.items():
        used = {"request": request, "code": code_of(mails[address][0]), "source": address}
        assert platform.post("/sign-in/codes/uses", used).json()["method"] == "email", address


def test_an_erased_persons_mail_leaves_the_spool_although_the_listener_was_killed(platform: Platform) -> None:
    request, other = platform.ask("p0@exemple.fr"), platform.ask("p1@exemple.fr")
    assert request and other
    mails = wait_for(platform, {"p0@exemple.fr", "p1@exemple.fr"})
    used = {"request": request, "code": code_of(mails["p0@exemple.fr"][0]), "source": "here"}
    subject = platform.post("/sign-in/codes/uses", used).json()["subject"]
    platform.kill("notifications worker")
    for agent in ("agent-1", "agent-2"):
        assert platform.post("/erasures", {"subject": subject}, agent, "agent").status_code == 200
    platform.kill("identity relay")
    platform.start("identity relay")
    for _ in range(2):  # killed as it begins, then left to finish
        platform.start("notifications worker")
        time.sleep(0.7)
        platform.kill("notifications worker")
    platform.start("notifications worker")
    until = time.monotonic() + 20
    while "p0@exemple.fr" in platform.mails():
        assert time.monotonic() < until, "the mail is still there"
        time.sleep(0.1)
    assert set(platform.mails()) == {"p1@exemple.fr"}
    left = [p for p in platform.folder.rglob("*") if p.is_file() and b"p0@exemple.fr" in p.read_bytes()]
    assert left == []
