"""A poll from the back office: made, changed, shown, published, replaced; with the real ballot service behind it."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.ballot.methods import METHODS
from services.ballot.protocol.questions import read_questions
from services.gateway.clients.http import ServiceRefused
from services.gateway.pages import shared_reads
from services.gateway.pages.app import create_app
from services.gateway.pages.kit.form import Form
from services.gateway.pages.kit.steps import Answers
from services.gateway.pages.office import forms
from services.gateway.pages.office.drafting import as_draft, as_typed, ids
from services.gateway.settings import GatewaySettings
from services.shared.store import open_database
from tests.gateway.conftest import Site
from tests.gateway.html import Page
from tests.gateway.office_cases import ANSWERED, DATES, NEW, STEPS, add_open_issuance
from tests.gateway.stub_services import OPEN, World


def fill(site: Site, root: str = NEW, **changes: dict[str, str]) -> Page:
    """Every step, up to the page that shows all answers."""
    steps = STEPS | changes
    asked = sorted((slug for slug in steps if "-" in slug), key=lambda slug: slug.split("-")[::-1])
    for slug in ("sujet", *asked, "dates", "listes"):
        took = site.submit(site.get(f"{root}/{slug}"), f"{root}/{slug}", **steps[slug])
        assert took.status == 303, (slug, took.text)
    return site.get(f"{root}/verifier")


def made(site: Site) -> str:
    site.sign_in("AUDE-3")
    sent = site.submit(fill(site), f"{NEW}/envoyer")
    assert sent.status == 303, sent.text
    receipt = site.get(sent.headers["Location"])
    found = re.search(r"/agent/scrutins/([0-9a-f-]{36})", receipt.source)
    assert found is not None
    return found[1]


def published(site: Site, world: World) -> str:
    poll = made(site)
    world.identity.populate(60)
    path = "/agent/scrutins/publication"
    asked = site.submit(site.get(f"/agent/scrutins/{poll}"), path)
    assert (asked.status, asked.faults()) == (200, [])
    done = site.submit(asked, f"{path}/confirmer")
    assert done.status == 303, done.text
    return poll


def test_a_poll_is_made_from_the_first_page_to_a_draft_that_only_officers_see(site: Site, world: World) -> None:
    poll = made(site)
    says = world.ballot.town.application.poll(poll).draft
    assert says["title"] == "La couleur des bancs" and says["description"] == "Ligne une.\n\nLigne deux."
    question = says["questions"][0]
    assert [o["id"] for o in question["options"]] == ["vert", "bleu-nuit", "bleu-nuit-2"]
    assert question["settings"] == {"seats": 1} and question["blank"] is True
    assert says["strata"] == [{"id": "habitants", "label": "Habitants", "station": "habitants"}]
    page = site.get(f"/agent/scrutins/{poll}")
    assert (page.status, page.faults()) == (200, []) and page.has_form("/agent/scrutins/publication")
    site.sign_in("LILAS-1")
    assert site.get(f"/scrutins/{poll}").status == 404


def test_a_poll_sent_twice_is_one_poll(site: Site, world: World) -> None:
    site.sign_in("AUDE-3")
    check = fill(site)
    answers: list[Any] = []
    world.rewrite["ballot"] = lambda value: answers.append(value) or [1]  # made, and its answer lost
    assert site.submit(check, f"{NEW}/envoyer").status == 503
    del world.rewrite["ballot"]
    assert site.submit(site.get(f"{NEW}/verifier"), f"{NEW}/envoyer").status == 303
    drafts, _ = world.ballot.town.views.page(1, drafts=True)
    assert [line.poll for line in drafts] == [answers[0]["poll"]]


def test_a_second_question_comes_where_it_was_asked_for_and_goes_where_it_is_not(site: Site, world: World) -> None:
    site.sign_in("AUDE-3")
    assert site.get(f"{NEW}/question-2").status == 303, "nobody asked for it yet"
    second = {"text": "Et la matière ?", "method": "majority_judgment"}
    both = {"reponses-1": ANSWERED | {"another": "oui"}, "question-2": second}
    check = fill(site, **both, **{"reponses-2": {"options": "Bois\nFer", "seats": "1", "tie": "lot", "seed": "t-1"}})
    assert "Quelle est la question ? (2)" in check.text and "étape" not in check.text
    assert site.submit(check, f"{NEW}/envoyer").status == 303
    drafts, _ = world.ballot.town.views.page(1, drafts=True)
    questions = world.ballot.town.application.poll(drafts[0].poll).draft["questions"]
    assert [q["id"] for q in questions] == ["q1", "q2"]
    assert questions[1]["tie_break"] == "lot:t-1" and len(questions[1]["settings"]["grades"]) == 7


@pytest.mark.parametrize(
    ("slug", "fields", "said"),
    [
        ("reponses-1", ANSWERED | {"options": "Seule"}, "au moins 2 réponses"),
        ("reponses-1", ANSWERED | {"options": "Oui\noui"}, "figure deux fois"),
        ("reponses-1", ANSWERED | {"seats": "3"}, "retenir moins de réponses"),
        ("reponses-1", ANSWERED | {"seats": "beaucoup"}, "nombre entier"),
        ("reponses-1", ANSWERED | {"tie": "lot"}, "Saisissez plus bas la graine"),
        ("reponses-1", ANSWERED | {"options": ""}, "Saisissez les réponses"),
        ("dates", DATES | {"closes_day": DATES["opens_day"], "closes_hour": "8 h"}, "après l’ouverture"),
        ("listes", {"strata": "martiens"}, "parmi les réponses proposées"),
    ],
)
def test_what_cannot_stand_is_said_beside_the_field(site: Site, slug: str, fields: dict[str, str], said: str) -> None:
    site.sign_in("AUDE-3")
    fill(site)
    page = site.submit(site.get(f"{NEW}/{slug}"), f"{NEW}/{slug}", **fields)
    assert (page.status, page.faults()) == (400, []) and said in page.text


SETTINGS: dict[str, dict[str, str]] = {
    "yes_no": {"options": "Oui\nNon"},
    "multiple_choice": {"least": "1", "most": "2"},
    "score": {"lowest": "0", "highest": "5"},
    "cumulative": {"points": "10", "each": "4"},
    "majority_judgment": {"grades": "Bien\nPassable"},
    "supports": {"threshold": "120"},
    "budget_greedy": {"options": "Un préau ; 40 000 €\nUn banc ; 700", "budget": "40 500", "least": "1", "most": "2"},
}
SETTINGS["budget_equal_shares"] = SETTINGS["budget_greedy"] | {"utility": "cost", "completion": "add1"}


@pytest.mark.parametrize("method", [method for method, _ in forms.METHODS])
def test_every_method_of_the_pages_makes_a_question_that_the_ballot_service_takes_and_comes_back_alike(
    method: str, app: Any, world: World
) -> None:
    typed = {"options": "Vert\nBleu\nGris", "seats": "1", "blank": "oui", "tie": "order"} | SETTINGS.get(method, {})
    form = forms.ANSWERS[method].of({name: [value] for name, value in typed.items()})
    assert form.validate(), form.errors
    asked = forms.QuestionForm.of({"text": ["Quoi ?"], "method": [method]})
    dates = forms.DatesForm.of({name: [value] for name, value in DATES.items()})
    made: dict[str, Form] = {"sujet": forms.SubjectForm.of({"name": ["T"]}), "dates": dates}
    made |= {"question-1": asked, "reponses-1": form, "listes": _Lists()}  # type: ignore[dict-item]
    draft = as_draft(Answers("k", made, {}))
    read_questions(draft["questions"], METHODS)
    kept = as_typed(draft)
    again = made | {slug: type(made[slug]).of(kept[slug]) for slug in ("sujet", "dates", "question-1", "reponses-1")}
    assert all(again[slug].validate() for slug in ("dates", "question-1", "reponses-1"))
    assert as_draft(Answers("k", again, {})) == draft


class _Lists:
    class strata:  # noqa: N801
        data = ("habitants",)


def test_the_pages_offer_every_method_but_surveys() -> None:
    assert {method for method, _ in forms.METHODS} == set(METHODS) - {"survey"}


def test_ids_are_short_and_all_different() -> None:
    labels = ["École", "ecole", "—", "…", "x" * 300, "x" * 299, *["Même nom"] * 3]
    made = ids(labels)
    assert made[:4] == ["ecole", "ecole-2", "o", "o-2"] and len(set(made)) == len(labels)
    assert all(re.fullmatch(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?", id) for id in made)


def test_the_paper_is_shown_as_voters_will_see_it_and_cannot_be_cast(site: Site) -> None:
    poll = made(site)
    page = site.get(f"/agent/scrutins/{poll}/apercu")
    assert (page.status, page.faults()) == (200, [])
    assert "Bleu nuit" in page.text and "Vote blanc" in page.text and "Aucun vote n’est possible ici" in page.text
    assert "/voter" not in page.source


def test_a_draft_is_changed_with_the_same_steps(site: Site, world: World) -> None:
    poll = made(site)
    root = f"/agent/scrutins/{poll}/modifier"
    check = site.get(site.get(root).headers["Location"])
    assert "La couleur des bancs" in check.text and check.faults() == []
    changed = {"name": "La couleur de tous les bancs", "description": ""}
    assert site.submit(site.get(f"{root}/sujet"), f"{root}/sujet", **changed, retour="verifier").status == 303
    assert site.submit(site.get(f"{root}/verifier"), f"{root}/envoyer").status == 303
    assert world.ballot.town.application.poll(poll).draft["title"] == "La couleur de tous les bancs"


def test_a_publication_freezes_roll_and_manifest_and_tells_the_hash(site: Site, world: World) -> None:
    poll = published(site, world)
    page = site.get(f"/agent/scrutins/{poll}?fait=publie")
    manifest = world.ballot.town.application.manifest(poll)
    assert manifest.hash.hex() in page.text and "dans la presse" in page.text and page.faults() == []
    assert manifest.roll >= 60
    site.sign_in("RENE-8")
    assert "Scrutin publié" in site.get("/agent/journal").text


def test_a_long_roll_is_waited_for_beyond_the_deadline_of_a_page(
    environment: World, world: World, static: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARVIS_DEADLINE_SECONDS", "3")
    settings = GatewaySettings.from_env()
    site = Site(create_app(settings, open_database(settings.common, "gateway"), static=static).test_client(), Path())

    def long(value: Any) -> Any:
        time.sleep(3.5 if "issuer_key" in value else 0)
        return value

    world.rewrite["identity"] = long
    assert site.get(f"/agent/scrutins/{published(site, world)}?fait=publie").faults() == []


def test_a_publication_cut_off_after_the_roll_is_done_again(site: Site, world: World) -> None:
    poll = made(site)
    world.identity.populate(60)
    path = "/agent/scrutins/publication"
    asked = site.submit(site.get(f"/agent/scrutins/{poll}"), path)
    ballot = world.ballot.answer

    def cut(method: str, where: str, *rest: Any) -> Any:
        return (500, {}) if "/publication" in where else ballot(method, where, *rest)

    world.ballot.answer = cut  # type: ignore[method-assign]
    assert site.submit(asked, f"{path}/confirmer").status == 503
    world.ballot.answer = ballot  # type: ignore[method-assign]
    world.identity.populate(0)
    again = site.submit(site.get(f"/agent/scrutins/{poll}"), path)
    assert site.submit(again, f"{path}/confirmer").status == 303
    assert world.ballot.town.application.manifest(poll).roll >= 60


def test_a_roll_that_is_too_small_is_refused_with_the_reason(site: Site) -> None:
    poll = made(site)
    path = "/agent/scrutins/publication"
    refused = site.submit(site.submit(site.get(f"/agent/scrutins/{poll}"), path), f"{path}/confirmer")
    assert (refused.status, refused.faults()) == (409, []) and "moins de 50 personnes" in refused.text


def test_a_manifest_is_replaced_with_a_reason_before_the_opening(site: Site, world: World) -> None:
    poll = published(site, world)
    before = world.ballot.town.application.manifest(poll)
    root = f"/agent/scrutins/{poll}/remplacer"
    to_reason = site.get(root).headers["Location"]
    assert to_reason.endswith("/motif")
    short = site.submit(site.get(to_reason), f"{root}/motif", reason="Erreur")
    assert (short.status, short.faults()) == (400, [])
    site.submit(short, f"{root}/motif", reason="La date de clôture était fausse.")
    later = DATES | {"closes_hour": "19 h"}
    site.submit(site.get(f"{root}/dates"), f"{root}/dates", **later, retour="verifier")
    sent = site.submit(site.get(f"{root}/verifier"), f"{root}/envoyer")
    assert sent.status == 303, sent.text
    now = world.ballot.town.application.manifest(poll)
    assert now.replaces == before.hash and now.reason == "La date de clôture était fausse."
    assert now.hash.hex() in site.get(sent.headers["Location"]).text


def test_pages_of_making_are_the_officers_alone(site: Site) -> None:
    site.sign_in("INES-7")
    assert site.get(f"{NEW}/sujet").status == 403


def test_the_list_is_filtered_by_state(site: Site) -> None:
    made(site)
    everything = site.get("/agent/scrutins").text
    assert "La couleur des bancs" in everything and "La place Hoche" in everything
    drafts = site.get("/agent/scrutins?state=draft")
    assert drafts.faults() == [] and "La couleur des bancs" in drafts.text and "La place Hoche" not in drafts.text
    assert "La couleur des bancs" not in site.get("/agent/scrutins?state=open").text
    assert site.get("/agent/scrutins?state=ouvert").status == 400


def test_officers_share_what_a_service_tells_them_alike_until_one_of_them_changes_it(
    environment: World, static: Path
) -> None:
    """And nobody else gets it."""
    settings = replace(GatewaySettings.from_env(), public_seconds=60)
    app = create_app(settings, open_database(settings.common, "gateway"), static=static)
    site, other, resident = (Site(app.test_client(), Path()) for _ in range(3))
    made(site)
    other.sign_in("AUDE-3")
    environment.seen.clear()
    for browser in (site, other, site):
        assert "La couleur des bancs" in browser.get("/agent/scrutins").text
        assert "La couleur des bancs" in browser.get("/agent/scrutins?state=draft").text
    assert [path for name, path, _ in environment.seen if name == "ballot" and path.startswith("/drafts")] == [
        "/drafts"  # for the figures and the list
    ]
    made(site)
    assert other.get("/agent/scrutins").text.count("La couleur des bancs") == 2
    resident.sign_in("LILAS-1")
    cookie = resident.client.get_cookie("session")
    assert cookie is not None
    with app.test_request_context(headers={"Cookie": f"session={cookie.value}"}), pytest.raises(ServiceRefused):
        shared_reads.drafts_and_polls()


LIFT = f"/agent/scrutins/{OPEN}/reedition"
LILAS = {"family_name": "Moreau", "given_name": "Lilas", "birth_date": "12/03/1980"}


def ask_to_lift(site: Site, who: dict[str, str] = LILAS) -> Page:
    site.submit(site.get(f"{LIFT}/personne"), f"{LIFT}/personne", **who)
    site.submit(site.get(f"{LIFT}/accord"), f"{LIFT}/accord", aware="oui")
    return site.submit(site.get(f"{LIFT}/verifier"), f"{LIFT}/envoyer")


def test_a_right_to_vote_is_reissued_by_two_officers_and_its_person_named_nowhere(
    site: Site, other_browser: Site, world: World
) -> None:
    add_open_issuance(world, OPEN)
    issuance = world.identity.parts.issuance()
    site.sign_in("AUDE-3")
    none = ask_to_lift(site, LILAS | {"family_name": "Le Goff", "given_name": "Noé"})
    assert none.status == 409 and "elle peut voter" in none.text
    asked = ask_to_lift(site)
    assert asked.status == 303, asked.text
    receipt = site.get(asked.headers["Location"])
    assert "Un second responsable" in receipt.text and "Moreau" not in receipt.text
    again = ask_to_lift(site)
    assert again.status == 409 and "un autre responsable doit confirmer" in again.text
    other_browser.sign_in("PAUL-4")
    done = ask_to_lift(other_browser)
    assert "La réédition est faite" in other_browser.get(done.headers["Location"]).text
    issuance.mark(OPEN, "subject-lilas", b"d" * 32, b"s" * 32)
    site.sign_in("RENE-8")
    journal = site.get("/agent/journal")
    assert "Droit de vote réédité" in journal.text and "Lilas" not in journal.text


def test_a_reissue_is_not_asked_for_without_having_read_what_it_does(site: Site) -> None:
    site.sign_in("AUDE-3")
    page = site.get(f"{LIFT}/accord")
    assert "reste dans l’urne et compte" in page.text
    assert site.submit(page, f"{LIFT}/accord").status == 400
