"""The routes of rolls, people, appeals and organisations, as the gateway calls them."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from tests.identity.conftest import POLL, World
from tests.identity.test_api import Api, refusal
from tests.identity.test_api import api as api
from tests.identity.test_imports import FIRST

AGENT = {"by": "agent-1", "roles": "agent"}
OTHER = {"by": "agent-2", "roles": "agent"}


def get(api: Api, path: str, **who: str) -> Any:
    answer = api("GET", path, **who)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def post(api: Api, path: str, body: Any, status: int = 200, **who: str) -> Any:
    answer = api("POST", path, body, **who)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def upload(api: Api, data: bytes) -> dict[str, Any]:
    made = post(api, "/rolls/imports", {"hash": hashlib.sha256(data).hexdigest()}, **AGENT)
    path = f"/rolls/imports/{made['id']}"
    post(api, f"{path}/parts", {"nth": 0, "data": base64.b64encode(data).decode()}, **AGENT)
    post(api, f"{path}/check", {}, **AGENT)
    return made  # type: ignore[no-any-return]


def test_a_roll_is_sent_checked_imported_and_reported(api: Api, world: World) -> None:
    made = upload(api, FIRST + b"Huet;Zoe;someday;;;;\n")
    path = f"/rolls/imports/{made['id']}"
    assert get(api, path, **AGENT)["state"] == "checking"
    world.work()
    told = get(api, path, **AGENT)
    assert (told["state"], told["fresh"], told["faulty"], told["done"], told["total"]) == ("checked", 2, 1, 4, 4)
    (line,) = get(api, f"{path}/lines?kind=fault&size=10", **AGENT)["lines"]
    assert line == {"line": 4, "kind": "fault", "field": "date de naissance", "reason": "not a date like 24/05/1987"}
    start = {"hash": made["hash"], "keep_good": False}
    assert refusal(api("POST", f"{path}/start", start, **AGENT)) == (409, "FaultsRemain", "keep_good")
    assert refusal(api("POST", f"{path}/start", {"hash": "0" * 64}, **AGENT)) == (409, "FileDiffers", "hash")
    assert post(api, f"{path}/start", {**start, "keep_good": True}, **AGENT)["state"] == "importing"
    world.work()
    assert get(api, path, **AGENT)["added"] == 2
    assert [one["id"] for one in get(api, "/rolls/imports", **AGENT)["imports"]] == [made["id"]]
    assert get(api, "/rolls", **AGENT)["strata"] == [
        {"stratum": "associations", "people": 1}, {"stratum": "habitants", "people": 1},
    ]  # fmt: skip
    assert refusal(api("POST", f"{path}/drop", {}, **AGENT))[:2] == (409, "ImportNotReady")


def test_a_file_that_is_no_list_of_people_is_refused_in_the_same_request(api: Api) -> None:
    data = b"nom;taille\n"
    made = post(api, "/rolls/imports", {"hash": hashlib.sha256(data).hexdigest()}, **AGENT)
    path = f"/rolls/imports/{made['id']}"
    post(api, f"{path}/parts", {"nth": 0, "data": base64.b64encode(data).decode()}, **AGENT)
    assert refusal(api("POST", f"{path}/check", {}, **AGENT)) == (400, "FileRefused", "file")
    assert get(api, path, **AGENT)["state"] == "refused"
    for body, field in (({"nth": 0, "data": "%"}, "data"), ({"nth": -1, "data": "eA=="}, "nth"), ({"nth": 0}, "data")):
        assert refusal(api("POST", f"{path}/parts", body, **AGENT)) == (400, "BadInput", field)
    for query, field in (("kind=x", "kind"), ("size=0", "size"), ("size=1001", "size"), ("page=0", "page")):
        assert refusal(api("GET", f"{path}/lines?{query}", **AGENT)) == (400, "BadInput", field)


def test_what_is_in_a_file_stands_in_no_answer_and_no_log(
    api: Api, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    made = upload(api, FIRST.replace(b"31/01/1990", "Secrètement".encode()))
    world.work()
    said = api("GET", f"/rolls/imports/{made['id']}/lines", **AGENT).text + caplog.text
    for word in ("Lefèvre", "Maëlle", "Costa", "Secrètement", "Lavoir", "K7QP"):
        assert word not in said


def test_agents_correct_what_is_known_and_the_person_reads_it(api: Api, world: World) -> None:
    (subject,) = world.settle(1)
    body = {"subject": subject, "field": "address", "value": "4 quai de la Source", "reason": "moved"}
    assert post(api, "/people/corrections", body, **AGENT)["state"] == "applied"
    body = {"subject": subject, "field": "given_name", "value": "Camila", "reason": "certificate"}
    asked = post(api, "/people/corrections", body, **AGENT)
    assert asked["state"] == "asked"
    (waiting,) = get(api, "/people/corrections", **OTHER)["entries"]
    assert (waiting["id"], waiting["subject"], waiting["words"]["after"]) == (asked["id"], subject, "Camila")
    decision = {"id": asked["id"], "confirm": True}
    assert refusal(api("POST", "/people/corrections/decisions", decision, **AGENT))[:2] == (409, "SecondPersonNeeded")
    assert post(api, "/people/corrections/decisions", decision, **OTHER)["state"] == "applied"
    sheet = post(api, "/people/sheet", {"subject": subject}, **AGENT)
    assert (sheet["person"]["given_name"], sheet["person"]["address"]) == ("Camila", "4 quai de la Source")
    assert sheet.pop("names") == {} and get(api, "/me", by=subject) == sheet and len(sheet["entries"]) == 2
    assert refusal(api("POST", "/people/sheet", {"subject": "nobody"}, **AGENT))[:2] == (404, "PersonUnknown")


def test_what_waits_for_a_second_pair_of_eyes_stands_in_one_list(api: Api, world: World) -> None:
    (one, other), (agent, second) = world.settle(2), world.settle(2)
    by = {"by": agent, "roles": "agent"}
    assert get(api, "/inbox", **by) == {"waiting": [], "page": 1, "pages": 1}
    body = {"subject": one, "field": "email", "value": "Zoe@Exemple.FR", "reason": "asked at the desk"}
    assert post(api, "/people/corrections", body, **by)["state"] == "asked", "one agent could take the account over"
    asked = post(api, "/me/organisations", {"name": "Les Lilas", "kind": "rna", "number": "W123456789"}, 201, by=other)
    world.clock.go(hours=1)
    post(api, "/erasures", {"subject": other}, **by)
    world.desk.ask_change(other, "", "06 39 98 00 12", "passport", second)
    kinds = [(one["kind"], one["by"]) for one in get(api, "/inbox", **by)["waiting"]]
    told = [("erasure", agent), ("correction", agent), ("organisation", other), ("contacts", second)]
    assert kinds == told, "the oldest first; erasures keep no moment"
    shown = {one["kind"]: one for one in get(api, "/inbox", **by)["waiting"]}
    assert shown["organisation"]["name"] == "Les Lilas" and shown["organisation"]["id"] == asked["subject"]
    assert shown["correction"]["name"] and shown["correction"]["by_name"]
    assert get(api, "/inbox/counts", **by) == {"waiting": 4, "own": 2, "duplicates": 0, "appeals": 0}
    alone = get(api, "/inbox", by=agent, roles="administrator")["waiting"]
    assert "contacts" not in {one["kind"] for one in alone}, "an administrator who is no agent cannot decide on these"
    case = post(api, "/people/cases", {"id": shown["correction"]["id"]}, **by)
    assert case["entry"]["words"]["after"] == "Zoe@exemple.fr" and case["person"]["subject"] == one
    assert refusal(api("POST", "/people/cases", {"id": "nobody"}, **by))[:2] == (404, "EntryUnknown")


def test_an_appeal_is_read_with_the_standing_that_it_is_about(api: Api, world: World) -> None:
    (voter,) = world.settle(1)
    world.publish()
    (late,) = world.settle(1)
    for poll in (POLL, "00000000-0000-4000-8000-000000000009", ""):
        made = post(api, "/me/appeals", {"poll": poll, "text": "J’habite ici."}, 201, by=late)
        case = post(api, "/people/cases", {"id": made["id"]}, **AGENT)
        assert (case["standing"] or {}).get("reason") == ("not_on_roll" if poll == POLL else None)
    assert get(api, "/inbox/counts", **AGENT)["appeals"] == 3
    made = post(api, "/me/appeals", {"poll": POLL, "text": "Mon code est perdu."}, 201, by=voter)
    before = post(api, "/people/cases", {"id": made["id"]}, **AGENT)["standing"]
    world.issuance.mark(POLL, voter, b"c" * 32, b"s" * 32)
    assert post(api, "/people/cases", {"id": made["id"]}, **AGENT)["standing"] == before
    assert before["reason"] == "on_roll", "who took their right to vote is not for agents to know"


def test_a_stratum_is_told_with_its_frozen_rolls_and_its_files(api: Api, world: World) -> None:
    world.settle(2)
    world.publish()
    world.settle(1)
    upload(api, FIRST)
    told = get(api, "/rolls/strata/habitants", **AGENT)
    assert (told["people"], [(one["poll"], one["roll_size"]) for one in told["frozen"]]) == (3, [(POLL, 2)])
    assert told["frozen"][0]["roll_root"] == get(api, f"/polls/{POLL}/roll")["strata"][0]["roll_root"]
    assert [one["state"] for one in told["imports"]] == ["checking"]
    assert refusal(api("GET", "/rolls/strata/personne", **AGENT))[:2] == (404, "NotFound")


def test_agents_see_likely_duplicates_and_decide(api: Api, world: World) -> None:
    one, other = world.importing.run(
        "nom;prénom;date de naissance\nLefèvre;Maëlle;24/05/1987\nLefebvre;Maelle;24/05/1987\n".encode(), by="x"
    ).subjects
    while world.duplicates.look():
        continue
    (pair,) = get(api, "/people/duplicates", **AGENT)["pairs"]
    assert {pair["first"]["subject"], pair["second"]["subject"]} == {one, other} and pair["why"] == "near_names"
    body = {"first": one, "second": other, "kept": one, "decision": "one_person", "reason": "same papers"}
    assert post(api, "/people/duplicates/decisions", body, **AGENT) == {"state": "asked"}
    (pair,) = get(api, "/people/duplicates", **OTHER)["pairs"]
    assert (pair["state"], pair["kept"], pair["reason"]) == ("asked", one, "same papers")
    assert post(api, "/people/duplicates/pairs", {"first": other, "second": one}, **OTHER) == pair
    assert [w["kind"] for w in get(api, "/inbox", **OTHER)["waiting"]] == ["merge"]
    assert post(api, "/people/duplicates/decisions", body, **OTHER) == {"state": "merged"}
    assert get(api, "/people/duplicates", **OTHER) == {"pairs": []}


def test_who_cannot_vote_learns_why_and_appeals(api: Api, world: World) -> None:
    world.settle(1)
    world.publish()
    (late,) = world.settle(1)
    told = get(api, f"/polls/{POLL}/standing", by=late)
    assert (told["reason"], told["own_stratum"], told["strata"]) == ("not_on_roll", "habitants", ["habitants"])
    made = post(api, "/me/appeals", {"poll": POLL, "text": "J’habite ici."}, 201, by=late)
    assert made["state"] == "open" and made["subject"] == ""
    assert refusal(api("POST", "/me/appeals", {"poll": "x", "text": "y"}, by=late)) == (400, "BadInput", "poll")
    (waiting,) = get(api, "/appeals", **AGENT)["entries"]
    assert (waiting["id"], waiting["subject"], waiting["name"][:7]) == (made["id"], late, "Camille")
    body = {"id": made["id"], "granted": False, "answer": "La liste était arrêtée."}
    assert post(api, "/appeals/answers", body, **AGENT)["state"] == "dismissed"
    (own,) = get(api, "/me/appeals", by=late)["entries"]
    assert own["words"] == {"text": "J’habite ici.", "answer": "La liste était arrêtée."}
    assert get(api, "/appeals?state=open", **AGENT)["entries"] == []
    assert refusal(api("GET", "/appeals?state=x", **AGENT)) == (400, "BadInput", "state")
    assert get(api, f"/polls/{POLL}/roll")["strata"][0]["roll_size"] == 1


def test_somebody_signs_up_asks_for_an_organisation_and_agents_decide(api: Api, world: World) -> None:
    body = {"family_name": "Lefèvre", "given_name": "Maëlle", "birth_date": "24/05/1987", "source": "visitor"}
    made = post(api, "/sign-up", body, 201)
    subject = post(api, "/sign-in", {"code": made["code"]})["subject"]
    assert refusal(api("POST", "/sign-up", {**body, "birth_date": "x"})) == (400, "BadInput", "birth_date")
    (request,) = get(api, "/people/requests", **AGENT)["entries"]
    decision = {"id": request["id"], "attach": True, "stratum": "habitants", "reason": "proof seen"}
    assert post(api, "/people/requests/decisions", decision, **AGENT)["state"] == "attached"
    organisation = {"name": "Les Amis du lavoir", "kind": "rna", "number": "W751000001"}
    asked = post(api, "/me/organisations", organisation, 201, by=subject)
    wrong = api("POST", "/me/organisations", {**organisation, "number": "W1"}, by=subject)
    assert refusal(wrong) == (400, "BadInput", "number")
    (listed,) = get(api, "/organisations", **AGENT)["organisations"]
    assert listed["subject"] == asked["subject"]
    one = {"organisation": asked["subject"]}
    until = {"until": "2026-12-24T00:00:00Z"}
    confirmed = post(api, "/organisations/decisions", {**one, **until, "confirm": True, "reason": "seen"}, **AGENT)
    assert confirmed["state"] == "active"
    (own,) = get(api, "/me/organisations", by=subject)["organisations"]
    assert own["until"] == "2026-12-24T00:00:00Z"
    (resident,) = world.settle(1)
    post(api, "/organisations/delegates/grants", {**one, "subject": resident}, **AGENT)
    told = post(api, "/organisations/delegates", one, **AGENT)["delegates"]
    assert {delegate["subject"] for delegate in told} == {subject, resident}
    assert post(api, "/organisations/delegates/ends", {**one, "subject": resident}, **AGENT) == {"state": "ended"}
    assert get(api, "/organisations?state=active", **AGENT)["organisations"][0]["name"] == "Les Amis du lavoir"
    assert refusal(api("GET", "/organisations?state=x", **AGENT)) == (400, "BadInput", "state")


def test_whoever_speaks_for_an_organisation_names_others_and_nobody_else_does(api: Api, world: World) -> None:
    chief, other, stranger = world.settle(3)
    asked = {"name": "Les Amis du lavoir", "kind": "rna", "number": "W751000001", "key": "ab" * 16}
    made = post(api, "/me/organisations", asked, 201, by=chief)
    assert post(api, "/me/organisations", asked, 201, by=chief) == made, "a repeat is the same request"
    one, until = {"organisation": made["subject"]}, "2026-12-24T00:00:00Z"
    grants, ends = "/me/organisations/delegates/grants", "/me/organisations/delegates/ends"
    assert refusal(api("POST", grants, {**one, "subject": other}, by=chief))[1] == "DelegateUnknown"
    post(api, "/organisations/decisions", {**one, "until": until, "confirm": True, "reason": "seen"}, **AGENT)
    assert refusal(api("POST", grants, {**one, "subject": other}, by=stranger))[1] == "DelegateUnknown"
    assert refusal(api("POST", grants, {**one, "subject": "nobody"}, by=chief))[1] == "PersonUnknown"
    late = {**one, "subject": other, "until": "2027-01-01T00:00:00Z"}
    assert refusal(api("POST", grants, late, by=chief))[1:] == ("RoleDates", "until")
    assert post(api, grants, {**one, "subject": other}, by=chief)["until"] == until
    assert refusal(api("POST", grants, {**one, "subject": other}, by=chief))[1] == "DelegateKnown"
    told = get(api, "/me/organisations/delegates", by=other)["delegates"]
    assert {delegate["subject"] for delegate in told} == {chief, other}
    assert get(api, "/me/organisations/delegates", by=stranger)["delegates"] == []
    assert refusal(api("POST", ends, {**one, "subject": chief}, by=stranger))[1] == "DelegateUnknown"
    assert post(api, ends, {**one, "subject": chief}, by=other) == {"state": "ended"}
    assert [d["subject"] for d in get(api, "/me/organisations/delegates", by=other)["delegates"]] == [other]


def test_an_appeal_sent_twice_is_one(api: Api, world: World) -> None:
    mine, other = world.settle(2)
    body = {"text": "J’habite ici.", "key": "cd" * 16}
    made = post(api, "/me/appeals", body, 201, by=mine)
    assert post(api, "/me/appeals", body, 201, by=mine) == made and made["id"] == "cd" * 16
    assert post(api, "/me/appeals", body, 201, by=other)["id"] != made["id"], "a key is its owner's alone"
    assert refusal(api("POST", "/me/appeals", {**body, "key": "x"}, by=mine)) == (400, "BadInput", "key")


def test_a_person_asks_to_be_erased_and_an_agent_confirms(api: Api, world: World) -> None:
    (subject,) = world.settle(1)
    assert get(api, "/me", by=subject)["erasure"] == ""
    assert refusal(api("POST", "/me/erasures/withdrawals", {}, by=subject))[1] == "ErasureUnknown"
    for _ in range(2):
        assert post(api, "/me/erasures", {}, by=subject) == {"state": "asked"}
    assert get(api, "/me", by=subject)["erasure"] == "asked"
    assert post(api, "/me/erasures/withdrawals", {}, by=subject) == {"state": "withdrawn"}
    post(api, "/erasures", {"subject": subject}, **AGENT)
    assert get(api, "/me", by=subject)["erasure"] == "asked_by_agent"
    post(api, "/me/organisations", {"name": "Les Amis", "kind": "rna", "number": "W751000001"}, 201, by=subject)
    assert refusal(api("POST", "/me/erasures/withdrawals", {}, by=subject))[1] == "ErasureUnknown"
    assert post(api, "/me/erasures", {}, by=subject) == {"state": "erased"}
    assert refusal(api("GET", "/me", by=subject))[0] == 404
    assert get(api, "/organisations", **AGENT)["organisations"] == [], "what nobody else asked for goes too"
