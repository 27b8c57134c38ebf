"""The vote, from the ballot paper to the receipt, and each way it can go wrong."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from services.gateway.pages.seed_box import SeedCookie
from services.shared.web import App
from tests.gateway.conftest import Site
from tests.gateway.stub_services import CLOSED, OPEN, World

ROOT = f"/scrutins/{OPEN}"
CHECK, CAST = f"{ROOT}/voter/verifier", f"{ROOT}/voter/deposer"


def _tracker(world: World, last: int = -1) -> str:
    return sha256(b"\0" + list(world.ballots.values())[last]).hexdigest()


def test_a_vote_goes_from_the_choice_to_the_receipt(site: Site, world: World) -> None:
    site.sign_in()
    check = site.choose("choix:oui")
    assert (check.status, check.faults()) == (200, [])
    assert "Vérifiez votre bulletin" in check.text and "Oui" in check.text
    assert not world.marks and not world.ballots
    receipt = site.submit(check, CAST)
    assert (receipt.status, receipt.faults()) == (200, [])
    assert _tracker(world) in receipt.text.replace(" ", "")
    assert json.loads(next(iter(world.ballots.values())))["body"]["answers"] == [{"choice": "oui"}]


def test_a_blank_vote_is_an_answer_of_its_own(site: Site, world: World) -> None:
    site.sign_in()
    assert "Vote blanc" in site.choose("blanc").text
    site.vote("blanc")
    assert json.loads(next(iter(world.ballots.values())))["body"]["answers"] == [{"blank": True}]


def test_the_seed_is_in_the_cookie_one_answer_before_the_signature_is_asked(site: Site, world: World) -> None:
    site.sign_in()
    page = site.get(f"{ROOT}/voter")
    assert "droit-de-vote=" in page.headers["Set-Cookie"]
    check = site.submit(page, CHECK, **{"reponse-q1": "choix:non"})
    assert world.marks == {}
    site.submit(check, CAST)
    assert len(world.marks) == 1


def test_the_same_form_sent_again_gets_the_same_promise(site: Site, world: World) -> None:
    site.sign_in()
    check = site.choose()
    first, again = site.submit(check, CAST), site.submit(check, CAST)
    assert first.form(f"{ROOT}/recu") == again.form(f"{ROOT}/recu")
    assert len(world.ballots) == 1


def test_the_same_form_gets_its_promise_after_the_close_too(site: Site, world: World) -> None:
    site.sign_in()
    check = site.choose()
    first = site.submit(check, CAST)
    world.polls[OPEN].state = "closing"
    assert site.submit(check, CAST).form(f"{ROOT}/recu") == first.form(f"{ROOT}/recu")


def test_a_new_vote_in_the_same_browser_replaces_the_one_before(site: Site, world: World) -> None:
    site.sign_in()
    site.vote("choix:oui")
    assert "remplacera le précédent" in site.get(f"{ROOT}/voter").text
    site.vote("choix:non")
    stored = [json.loads(leaf) for leaf in world.ballots.values()]
    assert [b["seq"] for b in stored] == [0, 1]
    assert stored[1]["prev"] == _tracker(world, 0)


def test_a_code_de_vote_votes_again_from_elsewhere(site: Site, other_browser: Site, world: World) -> None:
    site.sign_in()
    site.vote()
    shown = site.get(f"{ROOT}/voter/code")
    assert shown.faults() == []
    code = shown.source.split('class="sheet__key"')[1].split(">")[1].split("<")[0]
    other_browser.sign_in()
    refused = other_browser.vote("choix:non")
    assert refused.status == 409 and "code de vote" in refused.text
    paper = other_browser.get(f"{ROOT}/voter")
    given = other_browser.submit(paper, f"{ROOT}/voter/code", code=code.lower())
    assert given.status == 303
    assert other_browser.vote("choix:non").status == 200
    assert len(world.ballots) == 2 and len(world.marks) == 1


def test_a_wrong_code_de_vote_is_told_and_not_repeated(site: Site) -> None:
    site.sign_in()
    page = site.submit(site.get(f"{ROOT}/voter"), f"{ROOT}/voter/code", code="ABCD-EFGH")
    assert (page.status, page.faults()) == (400, [])
    assert "ABCD" not in page.source


def test_another_person_on_the_same_browser_gets_a_fresh_seed_and_the_first_finds_theirs_again(
    site: Site, world: World
) -> None:
    site.sign_in("LILAS-1")
    site.vote("choix:oui")
    site.sign_in("NOE-2")
    assert "remplacera le précédent" not in site.get(f"{ROOT}/voter").text
    assert site.vote("choix:non").status == 200
    site.sign_in("LILAS-1")
    assert site.vote("choix:non").status == 200
    assert [json.loads(b)["seq"] for b in world.ballots.values()] == [0, 0, 1]


def test_no_answer_is_an_error_that_leads_to_the_question(site: Site) -> None:
    site.sign_in()
    page = site.submit(site.get(f"{ROOT}/voter"), CHECK)
    assert (page.status, page.faults()) == (400, [])
    assert page.title.startswith("Erreur")
    assert "#reponse-q1" in {a["href"] for a in page.all("a")}


def test_the_choice_can_be_changed_from_the_check_page(site: Site) -> None:
    site.sign_in()
    check = site.choose("choix:non")
    back = site.post(CHECK, **check.form(CAST), modifier="1")
    assert back.checked() == ["choix:non"]
    assert back.faults() == []


@pytest.mark.parametrize("service, status", [("cast", 503), ("identity", 503), ("identity", 500), ("ballot", 503)])
def test_a_busy_door_keeps_the_choice_and_says_to_try_again(
    site: Site, world: World, service: str, status: int
) -> None:
    site.sign_in()
    check = site.choose("choix:non")
    world.fail[service] = status
    page = site.submit(check, CAST)
    assert (page.status, page.faults()) == (503, [])
    assert "éessayez" in page.text and "otre choix est conservé" in page.text
    assert page.form(CAST)["reponse-q1"] == "choix:non"
    world.fail.clear()
    assert site.submit(page, CAST).status == 200


def test_a_busy_ballot_service_at_the_check_keeps_the_choice(site: Site, world: World) -> None:
    site.sign_in()
    paper = site.get(f"{ROOT}/voter")
    world.fail["ballot"] = 503
    page = site.submit(paper, CHECK, **{"reponse-q1": "choix:non"})
    assert (page.status, page.faults()) == (503, [])
    world.fail.clear()
    assert site.submit(page, CHECK).status == 200


def test_a_session_that_ended_keeps_the_choice(site: Site, world: World) -> None:
    site.sign_in()
    check = site.choose("choix:non")
    site.client.delete_cookie("session")
    page = site.submit(check, CAST)
    assert (page.status, page.faults()) == (401, [])
    assert page.form(CAST)["reponse-q1"] == "choix:non" and not world.ballots
    site.sign_in()
    assert site.submit(page, CAST).status == 200


def test_a_browser_that_refuses_cookies_is_told_so_with_the_choice_kept(site: Site, app: App) -> None:
    site.sign_in()
    paper = site.get(f"{ROOT}/voter")
    site.client.delete_cookie("droit-de-vote", path=ROOT)
    page = site.submit(paper, CHECK, **{"reponse-q1": "choix:non"})
    assert (page.status, page.faults()) == (400, [])
    assert "cookie" in page.text and page.checked() == ["choix:non"]
    bare = Site(app.test_client(), site.data).submit(paper, CHECK, **{"reponse-q1": "choix:non"})
    assert (bare.status, bare.faults()) == (403, [])
    assert bare.checked() == ["choix:non"]


def test_a_closed_poll_says_so_with_the_choice_kept(site: Site, world: World) -> None:
    site.sign_in()
    paper, check = site.get(f"{ROOT}/voter"), site.choose("choix:non")
    world.polls[OPEN].state = "closing"
    for page in (site.submit(paper, CHECK, **{"reponse-q1": "choix:non"}), site.submit(check, CAST)):
        assert (page.status, page.faults()) == (409, [])
        assert "Le vote n’est pas ouvert" in page.text
    assert "Le vote n’est pas ouvert" in site.get(f"/scrutins/{CLOSED}/voter").text


def test_someone_who_is_not_on_the_roll_learns_it_before_and_at_the_end(site: Site, world: World) -> None:
    site.sign_in("ZOE-5")
    paper = site.get(f"{ROOT}/voter")
    assert "pas sur la liste électorale" in paper.text and not world.ballots
    assert "Set-Cookie" not in paper.headers


def test_two_tabs_that_vote_differently_end_with_a_choice_that_is_shown_again(site: Site, world: World) -> None:
    site.sign_in()
    one, two = site.choose("choix:oui"), site.choose("choix:non")
    assert site.submit(one, CAST).status == 200
    page = site.submit(two, CAST)
    assert (page.status, page.faults()) == (409, [])
    assert page.form(CAST)["rang"] == "1" and page.form(CAST)["precedent"] == _tracker(world)
    assert site.submit(page, CAST).status == 200
    assert len(world.ballots) == 2


@pytest.mark.parametrize(
    "forged", [{"signature": "00" * 64}, {"leaf_hash": "ab" * 32}, {"log_by": "2030-01-01T00:00:00Z"}]
)
def test_a_promise_that_does_not_hold_is_never_shown_as_a_receipt(
    site: Site, world: World, forged: dict[str, str]
) -> None:
    site.sign_in()
    check = site.choose()
    world.rewrite["cast"] = lambda promise: promise | forged
    page = site.submit(check, CAST)
    assert (page.status, page.faults()) == (502, [])
    assert "Par prudence" in page.text and "déposé" not in page.title


def test_an_issuer_signature_by_another_key_stops_the_vote_before_the_urn(site: Site, world: World) -> None:
    site.sign_in()
    check = site.choose()
    world.rewrite["identity"] = lambda mark: mark | {"signature": "00" * 64}
    assert site.submit(check, CAST).status == 502
    assert world.casts == 0


def test_a_manifest_that_does_not_have_its_hash_stops_the_vote(site: Site, world: World) -> None:
    site.sign_in()
    check = site.choose()
    world.rewrite["ballot"] = lambda poll: poll | {"manifest_hash": "ab" * 32}
    page = site.submit(check, CAST)
    assert page.status == 502 and "Par prudence" in page.text
    assert not world.marks and world.casts == 0


def test_the_receipt_is_given_back_as_a_file_from_the_form_alone(site: Site, world: World) -> None:
    site.sign_in()
    receipt = site.vote()
    fields = receipt.form(f"{ROOT}/recu")
    file = site.post(f"{ROOT}/recu", **fields, format="json")
    assert json.loads(file.data)["leaf_hash"] == _tracker(world)
    assert "attachment" in file.headers["Content-Disposition"]
    text = site.post(f"{ROOT}/recu", **fields, format="texte")
    assert _tracker(world) in text.source and "Oui" not in text.source
    assert site.post(f"{ROOT}/recu", **(fields | {"signature": "<b>"})).status == 400


def test_the_tracker_is_answered_without_a_session(site: Site, other_browser: Site, world: World) -> None:
    site.sign_in()
    site.vote()
    form = other_browser.get(f"{ROOT}/suivi")
    known = other_browser.submit(form, f"{ROOT}/suivi", suivi=" " + _tracker(world).upper())
    assert (known.status, known.faults()) == (200, [])
    assert "Votre bulletin est reçu" in known.text
    unknown = other_browser.submit(form, f"{ROOT}/suivi", suivi="ab" * 32)
    assert "inconnu de l’urne" in unknown.text
    wrong = other_browser.submit(form, f"{ROOT}/suivi", suivi="<b>x")
    assert (wrong.status, wrong.faults()) == (400, [])


def test_leaving_ends_the_session(site: Site) -> None:
    site.sign_in()
    page = site.get("/messages")
    assert page.status == 200
    assert site.submit(page, "/deconnexion").status == 303
    assert site.get("/messages").status == 401


def test_an_address_typed_for_a_later_step_leads_back_to_the_choice(site: Site) -> None:
    for path in (CHECK, CAST):
        response = site.client.get(path)
        assert (response.status_code, response.headers["Location"]) == (303, f"{ROOT}/voter")


def test_no_more_than_the_four_last_people_of_a_browser_are_remembered() -> None:
    box, value = SeedCookie(b"k" * 32, OPEN), ""
    seeds = {f"person-{n}": bytes([n]) * 32 for n in range(6)}
    lengths = set()
    for person, seed in seeds.items():
        value = box.put(value, person, seed)
        lengths.add(len(value))
    assert len(lengths) == 1
    assert [box.find(value, person) for person in seeds] == [None, None, *list(seeds.values())[2:]]
    assert SeedCookie(b"k" * 32, CLOSED).find(value, "person-5") is None
    other = "B" if value[40] == "A" else "A"
    assert box.find(value[:40] + other + value[41:], "person-5") is None
