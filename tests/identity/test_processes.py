"""The service as its processes: from the first command to the totals that others hear."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.shared import keys
from services.shared.contracts import ballot, identity
from services.shared.eventlog import Message, open_feed, open_producer, partition_of
from services.shared.settings import Common
from services.shared.tokens import TokenSigner
from tests import doors
from tests.identity.conftest import POLL

SERVICE = "services.identity"


def at(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def common(folder: Path) -> Common:
    return Common(folder, folder / "keys", "embedded", "", "", "", "", "", "", "", "parvis.localhost", "127.0.0.1")


def tell(folder: Path, event: ballot.Event) -> None:
    """What the ballot service's relay would send."""
    place = (1, 0, 0, type(event).__name__, 1, "told-1", partition_of(POLL))
    producer = open_producer(common(folder))
    producer.send([Message(ballot.TOPIC, POLL, ballot.encode(event), "ballot/polls/0", *place)])
    producer.close()


def heard(folder: Path, count: int) -> list[identity.Event | None]:
    """The first `count` events that the relay tells."""
    feed = open_feed(common(folder), "test", [identity.TOPIC])
    feed.start({})
    until, found = time.monotonic() + 20, list[Message]()
    while time.monotonic() < until:
        found += [d.message for deliveries in feed.read().values() for d in deliveries]
        if len(found) >= count:
            feed.close()
            return [identity.decode(m.type, m.version, m.value) for m in found]
    raise AssertionError("nothing was told")


class Caller:
    def __init__(self, url: str, signer: TokenSigner) -> None:
        self.url = url
        self.signer = signer

    def __call__(self, path: str, body: Mapping[str, Any], by: str, role: str) -> httpx.Response:
        token = self.signer.token(by, [role], "identity")
        return httpx.post(
            f"{self.url}{path}", json=dict(body), headers={"Authorization": f"Bearer {token}"}, timeout=20
        )


def test_from_the_first_command_to_the_totals(tmp_path: Path) -> None:
    env = {"PARVIS_DATA": str(tmp_path)}
    for command in ("keys", "keys", "migrate", "migrate"):
        doors.run([SERVICE, command], env)
    keys.make_key_pair(tmp_path / "keys" / "gateway" / "token.key", tmp_path / "keys" / "gateway" / "token.pub")
    town = json.loads(doors.run([SERVICE, "demo", "--people", "50"], env))
    officer, voter = town["officers"][0]["subject"], town["residents"][0]
    with (
        doors.running([SERVICE, "api"], env, tmp_path) as api,
        doors.running([SERVICE, "worker"], env, tmp_path, port=False),
        doors.running([SERVICE, "relay"], env, tmp_path, port=False),
    ):
        call = Caller(api.url, TokenSigner(tmp_path / "keys" / "gateway" / "token.key"))
        now = datetime.now(UTC)
        dates = {"opens_at": at(now - timedelta(minutes=1)), "closes_at": at(now + timedelta(seconds=12))}
        signed_in = httpx.post(f"{api.url}/sign-in", json={"code": voter["code"]}).json()
        how = {"method": "sign_in_code", "level": "low", "shared": False}
        assert signed_in == {"subject": voter["subject"], "roles": ["resident"], "name": voter["name"], **how}
        prepared = call(
            f"/polls/{POLL}/issuance", {"strata": ["habitants"], **dates}, officer, "returning_officer"
        ).json()
        strata = [{**s, "issuer_keys": [prepared["issuer_key"]]} for s in prepared["strata"]]
        tell(tmp_path, ballot.PollPublished(POLL, "00", {"strata": strata, **dates}))
        mark = {"credential": "11" * 32, "salt": "22" * 32}
        until = time.monotonic() + 15
        while (answer := call(f"/polls/{POLL}/marks", mark, voter["subject"], "resident")).status_code == 409:
            assert time.monotonic() < until, answer.text
            time.sleep(0.1)
        assert answer.json()["stratum"] == "habitants"
        assert heard(tmp_path, 2) == [
            identity.IssuanceReady(POLL, "00"),
            identity.IssuanceClosed(POLL, "habitants", 1, 0),
        ]
        assert api.stop() == 0
        said = api.said.read_text()
        assert "11111111" not in said and voter["subject"] not in said and "/marks" not in said


def test_a_store_of_another_release_is_not_ready_and_says_what_to_do(tmp_path: Path) -> None:
    env = {"PARVIS_DATA": str(tmp_path)}
    doors.run([SERVICE, "keys"], env)
    keys.make_key_pair(tmp_path / "keys" / "gateway" / "token.key", tmp_path / "keys" / "gateway" / "token.pub")
    port = doors.free_port()
    (tmp_path / "said").mkdir()
    door = doors.launch([SERVICE, "api", "--port", str(port)], env, tmp_path / "said" / "api.log")
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/readyz")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        assert answer.status_code == 503 and "migrate" in answer.json()["reason"]
        assert httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200
    finally:
        door.kill()


@pytest.mark.parametrize(
    "given, said",
    [
        (("", "Anne", "1980-02-03"), "Le champ « nom » est refusé : il est vide."),
        (("Le Goff", " ", "1980-02-03"), "Le champ « prénom » est refusé : il est vide."),
        (("Le Goff", "Anne", "1980-02-30"), "Le champ « date de naissance » est refusé : ce n’est pas une date"),
    ],
)
def test_a_first_administrator_who_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, given: tuple[str, ...], said: str
) -> None:
    env = {"PARVIS_DATA": str(tmp_path)}
    for command in ("keys", "migrate"):
        doors.run([SERVICE, command], env)
    words = [sys.executable, "-m", SERVICE, "first-administrator", *given]
    done = subprocess.run(words, env=os.environ | env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(said) and "Traceback" not in done.stderr
