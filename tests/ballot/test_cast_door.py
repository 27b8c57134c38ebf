"""The cast door as the process it is: real HTTP, real disk."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.ballot.protocol import merkle, promises
from services.ballot.protocol.manifest import Manifest
from services.shared import strict
from tests import doors
from tests.ballot.kit import BLANK, NO, YES, Town, draft, town_in
from tests.doors import Door
from tests.http_client import Answer, Connection


class House:
    """A ballot service with one open poll and its cast door."""

    def __init__(self, folder: Path, door: Door, town: Town, manifest: Manifest) -> None:
        self.folder = folder
        self.door = door
        self.town = town
        self.manifest = manifest

    @property
    def path(self) -> str:
        return f"/polls/{self.manifest.poll}/ballots"

    def post(self, data: bytes, path: str = "") -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(self.door.url + (path or self.path), data=data, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as e:
            return e.code, json.load(e)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("cast")
    env = {"PARVIS_DATA": str(folder)}
    doors.run(["services.ballot", "migrate"], env)
    doors.run(["services.ballot", "keys"], env)
    town = town_in(folder)
    now = datetime.now(UTC)
    manifest = town.open(draft(opens=now - timedelta(minutes=1), closes=now + timedelta(hours=1)), size=1000)
    with doors.running(["services.ballot", "cast"], env, folder) as door:
        yield House(folder, door, town, manifest)


def test_a_promise_is_signed_and_the_same_for_every_repeat(house: House) -> None:
    data = house.town.voter(house.manifest).ballot(YES)
    status, promise = house.post(data)
    assert status == 201
    assert promises.verify(json.dumps(promise).encode(), house.manifest).leaf_hash == merkle.leaf_hash(data)
    assert house.post(data) == (201, promise)


def test_the_same_ballot_from_16_clients_at_once_gets_16_equal_promises_and_one_leaf(house: House) -> None:
    data = house.town.voter(house.manifest).ballot(NO)

    async def at_once() -> list[Answer]:
        return await asyncio.gather(*(Connection(house.door.port).post(house.path, data) for _ in range(16)))

    answers = asyncio.run(at_once())
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    house.town.seal_now(house.manifest)
    at = house.town.log.station(house.manifest.poll, "bureau-1")
    assert at is not None
    leaves = house.town.log.read(house.manifest.poll, "bureau-1", 0, at.size)
    assert leaves.count(data) == 1


def test_two_ballots_at_one_seq_give_one_promise_and_one_seq_taken(house: House) -> None:
    voter = house.town.voter(house.manifest)
    bodies = [voter.ballot(YES), voter.ballot(NO)]

    async def at_once() -> list[Answer]:
        return await asyncio.gather(*(Connection(house.door.port).post(house.path, b) for b in bodies))

    answers = sorted(asyncio.run(at_once()), key=lambda answer: answer.status)
    assert [answer.status for answer in answers] == [201, 409]
    assert json.loads(answers[1].body)["refusal"] == "SeqTaken"


def test_a_vote_cast_again_supersedes_the_first_one(house: House) -> None:
    voter = house.town.voter(house.manifest)
    first = voter.ballot(YES)
    assert house.post(first)[0] == 201
    assert house.post(voter.ballot(BLANK, seq=1, prev=merkle.leaf_hash(first)))[0] == 201
    newest = house.town.box.last_of(house.manifest.poll, voter.credential)
    assert newest is not None and newest[0] == 1


def bad_ballots(house: House) -> list[tuple[str, bytes, str, str]]:
    voter = house.town.voter(house.manifest)
    good = voter.ballot(YES)
    value = json.loads(good)

    def with_(**changes: Any) -> bytes:
        return strict.canonical({**value, **changes})

    flipped = value["signature"][:-1] + ("0" if value["signature"][-1] != "0" else "1")
    return [
        ("empty", b"", "MalformedJson", "body"),
        ("not JSON", b"oui", "MalformedJson", "body"),
        ("NaN", good.replace(b'"seq":0', b'"seq":NaN'), "MalformedJson", "body"),
        ("duplicate key", good[:-1] + b',"version":1}', "MalformedJson", "version"),
        ("depth 100,000", b"[" * 8000 + b"]" * 8000, "MalformedJson", "body"),
        ("not UTF-8", good.replace(b"oui", b"\xff\xfe\xfd"), "MalformedJson", "body"),
        ("a list", b"[]", "WrongShape", "body"),
        ("wrong type of seq", with_(seq="0"), "WrongShape", "seq"),
        ("seq true", with_(seq=True), "WrongShape", "seq"),
        ("seq with a fraction", good.replace(b'"seq":0', b'"seq":0.5'), "WrongShape", "seq"),
        ("negative seq", with_(seq=-1), "WrongShape", "seq"),
        ("prev with seq 0", with_(prev="00" * 32), "WrongPrevious", "prev"),
        ("no prev with seq 1", with_(seq=1), "WrongPrevious", "prev"),
        ("an answer too many", voter.ballot(YES, YES), "WrongShape", "body.answers"),
        ("an answer too few", with_(body={"answers": []}), "WrongShape", "body.answers"),
        ("an unknown option", voter.ballot({"choice": "peut-être"}), "WrongAnswer", "body.answers[0].choice"),
        ("an unknown field", with_(extra=1), "WrongShape", "extra"),
        ("a missing field", strict.canonical({k: v for k, v in value.items() if k != "prev"}), "WrongShape", "prev"),
        ("an unknown stratum", with_(stratum="ailleurs"), "UnknownStratum", "stratum"),
        ("another poll", with_(poll="00000000-0000-4000-8000-000000000000"), "WrongPoll", "poll"),
        ("a wrong signature", with_(signature=flipped), "WrongSignature", "signature"),
        ("a foreign issuer", with_(issuer_signatures=["ab" * 64]), "", "issuer_signatures[0]"),
        ("spaces between", json.dumps(value).encode(), "NotCanonical", "body"),
    ]


def test_bad_input_is_refused_by_field_and_reason_and_never_a_500(house: House) -> None:
    for what, data, code, field in bad_ballots(house):
        status, refusal = house.post(data)
        assert status == 400, (what, refusal)
        assert refusal["field"] == field, (what, refusal)
        assert code in ("", refusal["refusal"]), (what, refusal)
        assert refusal["reason"], what


def test_a_body_of_20_mb_is_refused_without_being_read_to_its_end(house: House) -> None:
    async def send() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.door.port)
        writer.write(f"POST {house.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n".encode())
        await writer.drain()
        head = await asyncio.wait_for(reader.read(200), 5)
        writer.close()
        return head

    assert asyncio.run(send()).startswith(b"HTTP/1.1 413")
    assert house.post(b"[" * 17_000)[0] == 413


def test_an_unknown_poll_a_poll_not_open_and_a_wrong_path_are_told_apart(house: House) -> None:
    data = house.town.voter(house.manifest).ballot()
    status, refusal = house.post(data, "/polls/00000000-0000-4000-8000-000000000000/ballots")
    assert (status, refusal["refusal"]) == (404, "PollUnknown")
    later = house.town.publish(
        draft(opens=datetime.now(UTC) + timedelta(hours=1), closes=datetime.now(UTC) + timedelta(hours=2))
    )
    house.town.sealer.look()
    status, refusal = house.post(house.town.voter(later).ballot(), f"/polls/{later.poll}/ballots")
    assert (status, refusal["refusal"]) == (409, "PollNotOpen")
    assert house.post(data, "/polls")[0] == 404
    with pytest.raises(urllib.error.HTTPError) as wrong:
        urllib.request.urlopen(house.door.url + house.path, timeout=5)
    assert (wrong.value.code, wrong.value.headers["Allow"]) == (405, "POST")


def test_nothing_of_a_ballot_or_a_request_is_logged(house: House) -> None:
    voter = house.town.voter(house.manifest)
    data = voter.ballot(YES)
    house.post(data)
    house.post(data[:-3])
    said = house.door.said.read_text()
    assert "listening" in said
    for secret in (voter.credential.hex(), merkle.leaf_hash(data).hex(), house.manifest.poll, "oui", "POST", "/polls"):
        assert secret not in said


def test_a_promised_ballot_survives_kill_9_and_its_repeat_gets_the_same_promise(house: House, tmp_path: Path) -> None:
    env = {"PARVIS_DATA": str(house.folder)}
    data = house.town.voter(house.manifest).ballot(YES)
    port = doors.free_port()
    door = doors.launch(["services.ballot", "cast"], env, tmp_path / "cast.log", port)
    second = House(house.folder, door, house.town, house.manifest)
    promise = second.post(data)
    door.kill()
    assert promise[0] == 201
    assert house.town.slot.holds(house.manifest.poll, merkle.leaf_hash(data))
    assert house.post(data) == promise


def test_the_door_stops_cleanly_within_five_seconds(house: House, tmp_path: Path) -> None:
    door = doors.launch(
        ["services.ballot", "cast"], {"PARVIS_DATA": str(house.folder)}, tmp_path / "c.log", doors.free_port()
    )
    assert door.stop(5) == 0
