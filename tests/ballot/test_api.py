from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from services.ballot.api import create_api
from services.shared import keys
from services.shared.tokens import TokenSigner, TokenVerifier
from tests.ballot.kit import NOON, Town, draft


class Officer:
    """Calls the API as a returning officer."""

    def __init__(self, town: Town, folder: Path, subject: str) -> None:
        if not (folder / "token.key").exists():
            keys.make_key_pair(folder / "token.key", folder / "token.pub")
        tokens = TokenVerifier(folder / "token.pub", "ballot")
        self._client = create_api(town.application, town.views, town.box, town.log, tokens, lambda: None).test_client()
        self._signer, self._subject = TokenSigner(folder / "token.key"), subject

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        token = self._signer.token(self._subject, ["returning_officer"], "ballot")
        answer = self._client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.get_json()


def test_confirmations_name_what_was_confirmed(town: Town, tmp_path: Path) -> None:
    manifest = town.open()
    town.close(manifest)
    says = draft(opens=NOON + timedelta(days=60), closes=NOON + timedelta(days=61))
    other = town.application.draft(says, "officer-a")
    seen = town.application.publish(other, town.roll(says), "officer-a")
    officer = Officer(town, tmp_path, "officer-a")
    opening, count = f"/polls/{other}/opening-confirmations", f"/polls/{manifest.poll}/count-confirmations"
    for path, field in ((opening, "manifest_hash"), (count, "checkpoints_hash")):
        status, told = officer.post(path, {})
        assert (status, told["field"]) == (400, field)
        status, told = officer.post(path, {field: "00" * 32})
        assert (status, told["field"]) == (409, field)
    assert officer.post(opening, {"manifest_hash": seen})[1]["opening_confirmed_by"] == 1
    checked = town.application.poll(manifest.poll).checkpoints_hash
    assert officer.post(count, {"checkpoints_hash": checked})[1]["count_confirmed_by"] == 1


def test_exports_are_two_at_once_and_none_is_lost_to_unknown_polls_or_clients_that_leave(town: Town) -> None:
    manifest = town.open()
    api = create_api(town.application, town.views, town.box, town.log, None, lambda: None)
    client = api.test_client()
    unknown = "/polls/00000000-0000-4000-8000-000000000000/export"
    assert [client.get(unknown).status_code for _ in range(4)] == [404] * 4
    path = f"/polls/{manifest.poll}/export"
    for _ in range(4):
        client.get(path, buffered=False).close()  # left before the first line
    reading = [client.get(path, buffered=False) for _ in range(2)]
    assert [answer.status_code for answer in reading] == [200, 200]
    assert client.get(path).status_code == 503
    for answer in reading:
        answer.close()
    whole = client.get(path)
    assert whole.status_code == 200
    assert whole.data.splitlines()[-1].startswith(b'{"line":"end"')


def test_the_list_is_filtered_by_a_state_and_no_other_word(town: Town) -> None:
    manifest = town.open()
    town.application.draft(draft(), "officer-a")
    client = create_api(town.application, town.views, town.box, town.log, None, lambda: None).test_client()
    assert [p["poll"] for p in client.get("/polls?state=open").get_json()["polls"]] == [manifest.poll]
    assert client.get("/polls?state=tallied").get_json()["polls"] == []
    for wrong in ("draft", "ouvert"):
        answer = client.get(f"/polls?state={wrong}")
        assert (answer.status_code, answer.get_json()["field"]) == (400, "state")


def test_a_draft_is_made_once_under_its_key_and_rewritten_by_officers(town: Town, tmp_path: Path) -> None:
    officer, says = Officer(town, tmp_path, "officer-a"), draft()
    made = [officer.post("/polls", says | {"key": "ab12"}) for _ in range(2)]
    assert made[0] == made[1] and made[0][0] == 201
    poll = made[0][1]["poll"]
    status, told = officer.post(f"/polls/{poll}/draft", says | {"title": "Autrement dit"})
    assert (status, told) == (200, {"poll": poll})
    assert town.application.poll(poll).draft["title"] == "Autrement dit"
    assert officer.post("/polls", says | {"key": "AB 12"})[0] == 400


def test_a_paper_is_the_poll_and_the_last_ballot_of_a_credential_and_none_of_a_draft(town: Town) -> None:
    manifest = town.open()
    client = create_api(town.application, town.views, town.box, town.log, None, lambda: None).test_client()
    voter = town.voter(manifest)
    asked, path = {"credential": voter.credential.hex()}, f"/polls/{manifest.poll}"
    assert client.post(f"{path}/credentials/paper", json=asked).get_json()["last"] == {"seq": None, "leaf_hash": None}
    tracker = town.cast(manifest, voter.ballot())
    told = client.post(f"{path}/credentials/paper", json=asked).get_json()
    assert told == {"poll": client.get(path).get_json(), "last": {"seq": 0, "leaf_hash": tracker.hex()}}
    assert client.post(f"{path}/credentials", json=asked).get_json() == told["last"]
    for poll in (town.application.draft(draft(), "officer-a"), "00000000-0000-4000-8000-000000000000"):
        assert client.post(f"/polls/{poll}/credentials/paper", json=asked).status_code == 404
