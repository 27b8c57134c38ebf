"""A resident votes on the real platform, through its pages; then every file that is left is searched for the vote.

Where a ballot belongs is known: the slot, the log, the event log's topic of leaves, an auditor's export. Nowhere else
may tracker, choice, credential, seed or voting code stand; sealed drafts are opened to look into them.
"""

from __future__ import annotations

import base64
import json
import random
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from deploy.demo_client import Client
from services.ballot.protocol.leaves import is_ballot
from services.gateway import voting
from services.gateway.clients.http import Service
from services.gateway.clients.identity import IdentityClient
from services.gateway.store.drafts import Drafts
from services.identity.application.demo import _rows
from services.shared.contracts.ballot import LOG_TOPIC
from services.shared.settings import Common
from services.shared.store import open_database
from services.shared.strict import canonical
from services.shared.tokens import TokenSigner
from tests import doors
from tests.drills import _platform
from tests.gateway.html import Page

PEOPLE: Final = 60
GIVE: Final = "/agent/roles/nouveau"
HOMES: Final = ("ballot-slot.db", "ballot-log.db")
EVENTS: Final = "eventlog.db"
URLS: Final = ("ballot_url", "cast_url", "identity_url", "notifications_url", "gateway_url")


class Resident:
    """Someone in the gateway's pages, without a screen."""

    def __init__(self, url: str, poll: str) -> None:
        self.browser = httpx.Client(base_url=url, timeout=30, trust_env=False)
        self.root = f"/scrutins/{poll}"

    def get(self, path: str) -> Page:
        return Page(self.browser.get(path, follow_redirects=True))

    def send(self, page: Page, action: str, **fields: str) -> Page:
        sent = self.browser.post(action, data=page.form(action) | fields, follow_redirects=True)
        assert sent.status_code == 200, f"{action}: {sent.status_code} {sent.text[:2000]}"
        return Page(sent)

    def signs_in(self, code: str) -> None:
        self.send(self.get("/connexion"), "/connexion", code=code)

    def votes(self) -> tuple[str, str]:
        """The tracker and the voting code; then looks the ballot up, and keeps the receipt as a file."""
        paper = self.get(f"{self.root}/voter")
        code = _key_of(self.get(f"{self.root}/voter/code"))
        check = self.send(paper, f"{self.root}/voter/verifier", **{"reponse-q1": "choix:oui"})
        receipt = self.send(check, f"{self.root}/voter/deposer")
        tracker = receipt.form(f"{self.root}/recu")["leaf_hash"]
        assert _key_of(receipt).replace(" ", "") == tracker
        for kind in ("json", "texte"):
            self.browser.post(f"{self.root}/recu", data=receipt.form(f"{self.root}/recu") | {"format": kind})
        found = self.send(self.get(f"{self.root}/suivi"), f"{self.root}/suivi", suivi=tracker)
        assert "inconnu" not in found.source
        return tracker, code

    def begins(self, family: str, given: str, born: str) -> Page:
        who = {"family_name": family, "given_name": given, "birth_date": born}
        return self.send(self.get(f"{GIVE}/personne"), f"{GIVE}/personne", **who)

    def gives_a_role(self, family: str, given: str, born: str) -> None:
        second = self.begins(family, given, born)
        check = self.send(second, f"{GIVE}/role", role="moderator", until="1/7/2031")
        self.send(check, f"{GIVE}/envoyer")


def _key_of(page: Page) -> str:
    return " ".join(page.source.split('class="sheet__key"')[1].split(">")[1].split("<")[0].split())


@dataclass
class Left:
    """What stays behind: contents by where they stand, and the forms in which each secret would be known again."""

    contents: dict[str, bytes]
    secrets: dict[str, list[bytes]]
    data: Path

    def found(self, contents: Mapping[str, bytes] | None = None) -> list[str]:
        """Where a secret stands that should not."""
        contents = self.contents if contents is None else contents
        return [
            f"{name} in {place}"
            for name, forms in self.secrets.items()
            for place, content in contents.items()
            if not place.startswith(HOMES) and any(form in content for form in forms)
        ]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[Left, list[str]]:
    """What a vote leaves, and what is found once its tracker is typed into another form, as a draft."""
    folder = tmp_path_factory.mktemp("planted")
    folder.chmod(0o755)
    with _platform.Platform(folder / "data", "embedded") as platform, Client(platform.settings()) as client:
        settings = platform.settings()
        words = ["services.identity", "demo", "--people", str(PEOPLE)]
        told = doors.run(words, _platform.as_environment(settings))
        officer = json.loads(told.strip().splitlines()[-1])["officers"][0]
        poll = _platform.publish(client, lasts=40)
        _platform.wait_for(client, poll, "open")
        person = list(_rows(PEOPLE, random.Random(1789)))[5]
        names = person["nom"], person["prénom"], person["date de naissance"]
        resident = Resident(_address(platform), poll)
        resident.signs_in(officer["code"])
        tracker, code = resident.votes()
        resident.gives_a_role(*names)
        resident.begins(*names)
        _platform.wait_for(client, poll, "closed")
        _platform.count(client, poll)
        bundle = _platform.export(settings, poll, folder / "export.ndjson")
        secrets = _secrets(tracker, code, poll, bundle)
        after = Left(contents(platform, settings, officer["subject"]), secrets, platform.data)
        resident.begins(tracker, code, names[2])
        typed = after.found(contents(platform, settings, officer["subject"]))
    return after, typed


def _address(platform: _platform.Platform) -> str:
    found = re.search(r"Parvis est prêt : (http://[\d.:]+)", platform.said())
    assert found, platform.said()
    return found[1]


def _secrets(tracker: str, code: str, poll: str, bundle: Path) -> dict[str, list[bytes]]:
    """By name, in the forms in which programs write them."""
    [leaf] = [json.loads(line) for line in bundle.read_bytes().splitlines() if is_ballot(line)]
    seed = voting.read_code(code)
    voter = voting.Voter(seed, poll)
    assert leaf["credential"] == voter.credential
    choice = canonical(leaf["body"]["answers"])
    plain = "".join(c for c in code if c.isalnum())
    return {
        "tracker": _binary(bytes.fromhex(tracker)),
        "credential": _binary(bytes.fromhex(voter.credential)),
        "salt": _binary(bytes.fromhex(voter.salt)),
        "seed": _binary(seed),
        "signature": _binary(bytes.fromhex(leaf["signature"])),
        "choice": [choice, json.dumps(choice.decode())[1:-1].encode(), choice[1:-1]],
        "voting code": [form.encode() for one in (code, plain) for form in (one, one.lower())],
    }


def _binary(value: bytes) -> list[bytes]:
    written = value.hex()
    grouped = " ".join(written[i : i + 4] for i in range(0, len(written), 4))
    coded = [base64.b64encode(value).rstrip(b"="), base64.urlsafe_b64encode(value).rstrip(b"=")]
    return [value, written.encode(), written.upper().encode(), grouped.encode(), *coded]


def contents(platform: _platform.Platform, settings: Common, subject: str) -> dict[str, bytes]:
    """Every file of the data folder, logs included, what was said on the terminal, metrics, and drafts opened. The
    event log is given by its topics, without the one that exists to hold ballots."""
    found = {str(p.relative_to(platform.data)): p.read_bytes() for p in platform.data.rglob("*") if p.is_file()}
    told = {name: content for name, content in found.items() if not name.startswith(EVENTS)}
    told |= events(platform.data / EVENTS)
    told["(terminal)"] = platform.said().encode()
    for url in URLS:
        told[f"(metrics) {url}"] = httpx.get(f"{getattr(settings, url)}/metrics", trust_env=False).content
    return told | _opened(settings, subject)


def events(file: Path) -> dict[str, bytes]:
    sql = """SELECT t.topic, s.name, m.key, m.type, m.id, m.value
             FROM message m JOIN stream t ON t.id = m.stream JOIN source s ON s.id = m.source"""
    found: dict[str, bytes] = {}
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        for topic, *words, value in connection.execute(sql):
            if topic != LOG_TOPIC:
                found[f"(event log) {topic}"] = found.get(f"(event log) {topic}", b"") + repr(words).encode() + value
    connection.close()
    return found


def _opened(settings: Common, subject: str) -> dict[str, bytes]:
    """Drafts and receipts of this person, as the gateway reads them."""
    token = TokenSigner(settings.keys / "gateway" / "token.key").token(subject, ["resident"], "identity")
    service = Service("identity", settings.identity_url, 10)
    identity = IdentityClient(service, service)
    drafts, key = Drafts(open_database(settings, "gateway")), identity.sealing_key(token)
    kept: dict[str, Any] = {f"(draft) {d.id}": d.content for d in drafts.of(key, subject)}
    kept |= {f"(receipt) {r.id}": r.content for r in drafts.receipts(key, subject)[0]}
    return {place: json.dumps(content, ensure_ascii=False).encode() for place, content in kept.items()}


def test_nothing_of_a_vote_stands_outside_the_places_of_ballots(left: tuple[Left, list[str]]) -> None:
    after, _ = left
    places = set(after.contents)
    for kind in ("gateway.db", "ballot.db", "identity.db", "(event log) parvis.ballot", "(draft) ", "(receipt) ", "("):
        assert any(place.startswith(kind) for place in places), (kind, sorted(places))
    assert any("log" in place and place.endswith((".log", ".out", ".txt", ".jsonl")) for place in places), places
    assert after.found() == []


def test_the_search_finds_the_vote_where_it_belongs(left: tuple[Left, list[str]]) -> None:
    after, _ = left
    log = b"".join(content for place, content in after.contents.items() if place.startswith("ballot-log.db"))
    copy = b"".join(file.read_bytes() for file in after.data.glob(f"{EVENTS}*"))
    for name in ("choice", "credential"):
        for place in (log, copy, (after.data.parent / "export.ndjson").read_bytes()):
            assert any(form in place for form in after.secrets[name]), name
    assert any(form in log for form in after.secrets["tracker"])


def test_what_is_typed_into_a_draft_is_found_there_alone(left: tuple[Left, list[str]]) -> None:
    """The gateway's store has it too, but sealed."""
    _, typed = left
    assert sorted({found.split(" in (draft)")[0] for found in typed}) == ["tracker", "voting code"], typed


def test_what_stands_in_a_log_a_store_a_metric_or_another_topic_is_found(left: tuple[Left, list[str]]) -> None:
    after, _ = left
    for name, forms in after.secrets.items():
        for place in ("logs/gateway.log", "gateway.db", "notifications.db-wal", "(metrics) cast_url", "(terminal)"):
            for form in forms:
                planted = after.contents | {place: after.contents.get(place, b"") + b'{"said":"' + form + b'"}'}
                assert f"{name} in {place}" in after.found(planted)
    with sqlite3.connect(after.data / EVENTS) as connection:
        [(stream,)] = connection.execute("SELECT id FROM stream WHERE topic = 'parvis.identity' LIMIT 1").fetchall()
        value = b"..." + after.secrets["tracker"][1]
        connection.execute("UPDATE message SET value = ? WHERE stream = ?", (value, stream))
    connection.close()
    assert after.found(events(after.data / EVENTS)) == ["tracker in (event log) parvis.identity"]
