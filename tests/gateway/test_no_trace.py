"""Plants trackers, choices and codes in a real gateway, then looks for them in all that it leaves behind."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from services.gateway import voting
from services.shared import keys
from tests.gateway.html import Page
from tests.gateway.processes import gateway
from tests.gateway.stub_services import OPEN, World, question, region, services

PLANTED = "choix-seme-ici"
ROOT = f"/scrutins/{OPEN}"


def _submit(browser: httpx.Client, page: Page, action: str, **fields: str) -> Page:
    return Page(browser.post(action, data=page.form(action) | fields))


def _vote(browser: httpx.Client, world: World) -> list[bytes]:
    """A whole vote, with failures, a second vote, a receipt and a tracker; gives what must be found nowhere."""
    _submit(browser, Page(browser.get("/connexion")), "/connexion", code="LILAS-1")
    paper = Page(browser.get(f"{ROOT}/voter"))
    code = Page(browser.get(f"{ROOT}/voter/code")).source.split('class="sheet__key"')[1].split(">")[1].split("<")[0]
    check = _submit(browser, paper, f"{ROOT}/voter/verifier", **{"reponse-q1": f"choix:{PLANTED}"})
    for service, status in (("cast", 503), ("identity", 500), ("ballot", 500)):
        world.fail = {service: status}
        assert _submit(browser, check, f"{ROOT}/voter/deposer").status == 503
    world.fail = {}
    receipt = _submit(browser, check, f"{ROOT}/voter/deposer")
    assert receipt.status == 200
    promise = receipt.form(f"{ROOT}/recu")
    for kind in ("json", "texte"):
        _submit(browser, receipt, f"{ROOT}/recu", format=kind)
    for tracker in (promise["leaf_hash"], "tracker-malforme-seme"):
        _submit(browser, Page(browser.get(f"{ROOT}/suivi")), f"{ROOT}/suivi", suivi=tracker)
    _submit(browser, Page(browser.get(f"{ROOT}/voter")), f"{ROOT}/voter/code", code="CODE-SEME")
    browser.post(f"{ROOT}/voter/deposer?choix={PLANTED}", data={"reponse-q1": PLANTED, "x": "y" * 20_000})
    browser.get(f"{ROOT}/suivi/{promise['leaf_hash']}")
    seed = voting.read_code(code)
    voter = voting.Voter(seed, OPEN)
    leaf = json.loads(next(iter(world.ballots.values())))
    secrets = [promise["leaf_hash"], promise["signature"], voter.credential, voter.salt, leaf["signature"]]
    secrets += [leaf["issuer_signatures"][0], PLANTED, "tracker-malforme-seme", "CODE-SEME"]
    groups = code.split()
    return [*(s.encode() for s in secrets), seed, seed.hex().encode(), groups[3].encode() + b" " + groups[4].encode()]


@pytest.fixture
def planted(tmp_path: Path) -> World:
    keys.make_key_pair(tmp_path / "data/keys/gateway/token.key", tmp_path / "data/keys/gateway/token.pub")
    world = World(tmp_path / "data/keys/gateway/token.pub")
    region(world)
    poll = world.polls[OPEN]
    poll.questions = [question()]
    poll.questions[0]["options"].append({"id": PLANTED, "label": "Un choix semé"})
    return world


def test_no_choice_tracker_credential_or_code_is_left_in_the_store_or_the_log(
    tmp_path: Path, planted: World, static: Path
) -> None:
    with services(planted) as addresses, gateway(tmp_path / "data", addresses) as served:
        with httpx.Client(base_url=served.url) as browser:
            secrets = _vote(browser, planted)
        left = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    left[served.output] = served.output.read_bytes()
    assert sum(b"subject-lilas" in content for content in left.values()) >= 1  # the search does find what is there
    for secret in secrets:
        assert not [str(path) for path, content in left.items() if secret in content], secret


def test_a_quiet_route_passes_no_request_id_on_and_logs_no_line(tmp_path: Path, planted: World, static: Path) -> None:
    with services(planted) as addresses, gateway(tmp_path / "data", addresses) as served:
        with httpx.Client(base_url=served.url, headers={"X-Request-Id": "semis-1"}) as browser:
            _vote(browser, planted)
            browser.get("/")
    told = [(path, headers) for _, path, headers in planted.seen if "/credentials" in path or "/ballots" in path]
    told += [(path, headers) for _, path, headers in planted.seen if "/marks" in path or "/trackers" in path]
    assert len(told) >= 4
    assert all("x-request-id" not in headers for _, headers in told)
    lines = [json.loads(line) for line in served.output.read_text().splitlines()]
    routes = {line["route"] for line in lines if line["message"] == "request"}
    assert "/" in routes
    assert not [route for route in routes if "voter" in route or "suivi" in route or "recu" in route]
    assert all(
        set(line) <= {"at", "level", "service", "door", "request", "message", "code"}
        for line in lines
        if line["message"] == "failed"
    )


def test_the_store_holds_no_token_and_no_more_than_the_session(tmp_path: Path, planted: World, static: Path) -> None:
    with services(planted) as addresses, gateway(tmp_path / "data", addresses) as served:
        with httpx.Client(base_url=served.url) as browser:
            _submit(browser, Page(browser.get("/connexion")), "/connexion", code="LILAS-1")
            token = browser.cookies["session"]
            assert Page(browser.get("/messages")).status == 200
        store = b"".join(p.read_bytes() for p in (tmp_path / "data").glob("gateway.db*"))
    assert token.encode() not in store
    assert sha256(token.encode()).digest() in store
