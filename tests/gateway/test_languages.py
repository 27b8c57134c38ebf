"""Languages: every text of a translated page is marked and translated, numbers and dates follow, the choice is kept."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages import pofile
from markupsafe import escape

from services.ballot.methods import METHODS
from services.gateway.clients.own import Standing
from services.gateway.pages import language, words
from services.gateway.pages.citizen import standing
from tests.gateway import ballot_cases as cases
from tests.gateway import messages, results_cases
from tests.gateway.conftest import Site
from tests.gateway.french import FRENCH, Passages, french_in
from tests.gateway.html import Page
from tests.gateway.results_cases import CASES, Case
from tests.gateway.stub_services import CANCELLED, CLOSED, DONE, OPEN, SOON, Poll, World
from tests.gateway.test_ballot_forms import form
from tests.gateway.test_public_pages import shared  # noqa: F401  a gateway that shares pages
from tests.gateway.test_results import with_sums

OTHERS = sorted(set(language.NAMES) - {language.SOURCE})
PAGES = {name for names in language.TRANSLATED.values() for name in names}
ALL = sorted({*messages.FRAME, *PAGES, *(part for page in PAGES for part in messages.PARTS.get(page, ()))})
STAYS_FRENCH = {
    "base.html": {"session jusqu’à", "Votre session se termine à", "Prolonger la session"},  # marked lang="fr"
    "kit/macros.html": {"voir"},
}
MAY_LACK = {
    "br": {"Fil d’Ariane", "Cette adresse ne vient pas de votre déconnexion"}
    | {text for text in messages.wanted("pages/failure.html") if text.endswith(".")}
}
"""Texts that Breton does not have yet: on its translated pages each is shown in French and says so."""
PLACE = re.compile(r"%\((\w+)\)s")


def catalogue(name: str) -> dict[str, tuple[str, ...]]:
    with (language.FOLDER / name / "LC_MESSAGES" / "messages.po").open("rb") as source:
        found = pofile.read_po(source)
    ids = {m.id[0] if isinstance(m.id, tuple) else m.id: m.string for m in found if m.id}
    return {key: said if isinstance(said, tuple) else (said,) for key, said in ids.items()}


@pytest.mark.parametrize("template", ALL)
def test_every_text_of_a_translated_template_is_marked(template: str) -> None:
    assert set(messages.unmarked(template)) - STAYS_FRENCH.get(template, set()) == set()


def test_a_text_that_nobody_marked_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.html").write_text('<p>Bonjour {{ said("tout le monde") }}</p><a title="au revoir">{{ x }}</a>')
    monkeypatch.setattr(messages, "TEMPLATES", tmp_path)
    assert messages.unmarked("bad.html") == ["Bonjour", "au revoir"]


@pytest.mark.parametrize("name", OTHERS)
def test_every_text_of_a_translated_page_has_its_translation(name: str) -> None:
    have = catalogue(name)
    for template in (*messages.FRAME, *sorted(language.TRANSLATED[name])):
        lacking = {text for text in messages.wanted(template) if not all(have.get(text, ("",)))}
        assert lacking - MAY_LACK.get(name, set()) == set(), template


@pytest.mark.parametrize("name", OTHERS)
def test_no_translation_is_left_over_or_has_other_places_than_its_source(name: str) -> None:
    used = {text for template in ALL for text in messages.wanted(template)} | {"Erreur"}
    have = catalogue(name)
    assert set(have) - used == set()
    for source, said in have.items():
        assert all(set(PLACE.findall(one)) == set(PLACE.findall(source)) for one in said), source


@pytest.mark.parametrize(("header", "wanted"), [
    ("en-GB,en;q=0.9", "en"), ("br", "br"), ("fr-FR,en;q=0.5", "fr"), ("de,en;q=0.3", "en"), ("de", "fr"), ("", "fr"),
])  # fmt: skip
def test_the_browser_asks_for_a_language(site: Site, header: str, wanted: str) -> None:
    response = site.client.get("/", headers={"Accept-Language": header})
    assert f'<html lang="{wanted}"' in response.text


def test_english_says_everything_in_english_but_what_officers_wrote(site: Site) -> None:
    text = site.client.get("/", headers={"Accept-Language": "en"}).text
    assert "On the public square, your vote is counted" in text and "Open now" in text and "Turnout: 19.0% (" in text
    assert f'<a class="govuk-link" href="/scrutins/{OPEN}" lang="fr">' in text
    assert re.search(r"Until <time [^>]*>\d+ [A-Z][a-z]+ at \d\d:\d\d</time>", text)
    assert 'lang="fr">' not in re.sub(r'<a [^>]*lang="fr"[^>]*>', "", text)
    assert "4,817 voters" in text


@pytest.fixture
def english(site: Site) -> Site:
    site.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return site


def test_signing_in_speaks_english(english: Site, world: World) -> None:
    ask, typed, letter = "/connexion/code", "/connexion/code/saisie", "/connexion/courrier"
    wanted = f"{letter}/demande"
    pages = [english.get(path) for path in ("/connexion", "/messages", ask, letter, wanted, "/connexion/fin")]
    pages += [english.submit(english.get(path), path) for path in ("/connexion", ask, letter, wanted)]
    pages += [english.submit(english.get(path), path, code="FAUX") for path in ("/connexion", letter)]
    pages.append(english.submit(english.get(wanted), wanted, family_name="x" * 300, given_name="A", birth_date="then"))
    english.submit(english.get(ask), ask, contact="subject-lilas@exemple.fr")
    pages += [english.get(typed), *(english.submit(english.get(typed), typed, code="00000000") for _ in range(6))]
    pages += [english.submit(english.get(ask), ask, contact="subject-noe@exemple.fr") for _ in range(4)][3:]
    pages.append(english.get(f"{wanted}/faite"))
    english.sign_in()
    pages.append(english.get("/connexion"))
    assert [french_in(page) for page in pages] == [[]] * len(pages)
    assert "Too many codes have been asked for: try again in" in pages[-3].source
    assert pages[6].title.startswith("Error: Sign in")


def test_help_and_reasons_speak_english(english: Site, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [english.get("/aide"), *(english.get(f"/scrutins/{poll}/resultats") for poll in (SOON, CANCELLED))]
    assert "python -m services.ballot.audit scrutin.ndjson --manifest-hash FINGERPRINT" in pages[0].text
    assert [page.title for page in pages[1:]] == [f"No results – {world.polls[p].manifest['title']} – Parvis"
                                                  for p in (SOON, CANCELLED)]  # fmt: skip
    english.sign_in()
    for reason in (*standing._WHY, None):
        told = None if reason is None else Standing(reason, "", "", "", "")
        monkeypatch.setattr(standing, "_standing", lambda *_, told=told: (told,))
        pages += [english.get(f"/scrutins/{poll}/pourquoi") for poll in (OPEN, CANCELLED)]
    world.fail = {"identity": 503}
    monkeypatch.undo()
    pages.append(english.get(f"/scrutins/{OPEN}/pourquoi"))
    assert [page.status for page in pages] == [200] * len(pages)
    assert [french_in(page) for page in pages] == [[]] * len(pages)
    assert "You came onto the list after this poll was prepared" in "".join(page.text for page in pages)


def polls(world: World) -> list[str]:
    """One open poll for each method, with and without a blank vote, then one of two long questions."""
    asked = [[cases.question(method, blank=blank)] for method in METHODS for blank in (True, False)]
    asked.append([cases.question("irv", 20, blank=False), cases.question("score", 14) | {"id": "q2"}])
    ids = [f"00000000-0000-4000-8000-{n:012d}" for n in range(len(asked))]
    for poll, questions in zip(ids, asked, strict=True):
        world.add(Poll(poll, "Une question", "open", questions=questions))
    return ids


def test_a_poll_speaks_english(english: Site, world: World) -> None:
    pages = [english.get(f"/scrutins/{poll}") for poll in (*world.polls, *polls(world))]
    assert [found for page in pages if (found := french_in(page))] == []
    page = english.get(f"/scrutins/{OPEN}")
    assert "Voting is open" in page.text and "Possible answers: “" in page.text
    assert '<span lang="fr">Oui</span>' in page.source
    assert any("The budget is €400,000." in page.text for page in pages)


def test_a_ballot_of_every_method_speaks_english(english: Site, world: World) -> None:
    chance, ids = random.Random(4), polls(world)
    english.sign_in()
    pages: list[Page] = []
    for poll in ids:
        check, questions = f"/scrutins/{poll}/voter/verifier", world.polls[poll].manifest["questions"]
        paper = english.get(f"/scrutins/{poll}/voter")
        named = [f"reponse-{q['id']}.{o['id']}" for q in questions for o in q["options"]]
        named += [f"reponse-{q['id']}.{i['id']}" for q in questions for i in q.get("settings", {}).get("items", [])]
        wrong = [
            {},
            dict.fromkeys(named, "1"),
            dict.fromkeys(named, "99"),
            dict.fromkeys([*named, "reponse-q1"], "blanc"),
        ]
        given: dict[str, str] = {}
        for asked in questions:
            given |= form(cases.answer(asked, chance), f"reponse-{asked['id']}")
        pages += [paper, *(english.submit(paper, check, **fields) for fields in (*wrong, given))]
    assert [found for page in pages if (found := french_in(page))] == []
    source = "".join(page.source for page in pages)
    assert "Rank 1 is given to “<span" in source and "Check your ballot" in source


def test_voting_speaks_english_to_the_receipt_and_after(english: Site, world: World, other_browser: Site) -> None:
    root = f"/scrutins/{OPEN}"
    english.sign_in()
    done = english.vote()
    code = english.get(f"{root}/voter/code")
    track = english.get(f"{root}/suivi")
    tracker = done.form(f"{root}/recu")["leaf_hash"]
    pages = [done, code, track, english.choose(), english.get(f"{root}/voter")]
    pages += [english.submit(track, f"{root}/suivi", suivi=typed) for typed in (tracker, "ab" * 32, "ab", "")]
    pages.append(english.submit(english.get(f"{root}/voter"), f"{root}/voter/code", code="FAUX"))
    check = english.choose()
    pages.append(english.submit(check, f"{root}/voter/deposer", rang="7", precedent="ab" * 32))
    english.submit(english.get("/"), "/deconnexion")
    pages.append(english.submit(check, f"{root}/voter/deposer"))
    other_browser.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    other_browser.sign_in("ZOE-5")
    pages += [other_browser.get(f"{root}/voter"), other_browser.get(f"/scrutins/{CLOSED}/voter")]
    assert [found for page in pages if (found := french_in(page))] == []
    file = english.submit(done, f"{root}/recu", format="texte").source
    assert file.startswith("VOTING RECEIPT") and "Paris time" in file


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_result_of_every_method_speaks_english(reading: tuple[World, Site], case: Case) -> None:
    world, english = reading
    english.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    result = results_cases.add(world, case)
    pages = [english.get(case.path)]
    pages += [english.get(f"{a['href']}") for a in pages[0].all("a") if "/resultats/tours/" in a.get("href", "")]
    assert [(page.status, page.faults(), french_in(page)) for page in pages] == [(200, [], [])] * len(pages)
    labels = {o["id"]: o["label"] for o in results_cases.question(case).get("options", [])}
    for option in result.get("winners", []):
        assert f'<span lang="fr">{escape(labels[option])}</span>' in pages[0].source
    assert "&lt;span" not in pages[0].source and "lang=&" not in pages[0].source


def test_euros_stand_as_english_has_them(english: Site, world: World) -> None:
    [case] = [case for case in CASES if case.name == "budget_equal_shares-10"]
    results_cases.add(world, case)
    text = english.get(case.path).text
    assert "€600,000 shared among 900 voters: ≈\u00a0€666.67 each." in text and "per euro of the project" in text


def test_a_provisional_count_and_a_turnout_speak_english(english: Site, world: World) -> None:
    pages = [english.get(f"/scrutins/{OPEN}/resultats")]
    for case in (case for case in CASES if case.size == 10 and not case.variant):
        told = results_cases.sums(case)
        world.polls[OPEN].questions = [results_cases.question(case)]
        world.rewrite["ballot"] = lambda value, told=told: with_sums(value, told)
        pages.append(english.get(f"/scrutins/{OPEN}/resultats"))
    assert len(pages) > 5 and [found for page in pages if (found := french_in(page))] == []
    assert "Voters so far, batch by batch" in pages[0].text and "Provisional count" in pages[1].text


def test_results_are_kept_apart_by_language(site: Site, world: World) -> None:
    texts = [
        site.client.get(f"/scrutins/{DONE}/resultats", headers={"Accept-Language": tag}).text
        for tag in ("fr", "en", "fr")
    ]
    assert texts[0] == texts[2] and "l’emporte" in texts[0] and " wins</h2>" in texts[1]


def test_french_on_an_english_page_is_seen() -> None:
    said = Passages('<html lang="en"><p title="Aide">Le vote <b lang="fr">est ouvert</b></p><a>vos choix</a></html>')
    assert said.found == ["Aide", "Le vote", "vos choix"]
    assert all(FRENCH.search(text) for text in ("Le vote", "bulletin déposé", "« Oui »")) and not FRENCH.search("Vote")


def test_a_page_without_translation_stays_french_within_an_english_frame(site: Site) -> None:
    text = site.client.get("/accessibilite", headers={"Accept-Language": "en"}).text
    assert '<html lang="en"' in text and 'id="contenu" tabindex="-1" lang="fr">' in text and '<title lang="fr">' in text
    assert "Skip to content" in text and "Déclaration d’accessibilité" in text


def test_a_failure_in_breton_says_which_sentence_is_french(site: Site) -> None:
    text = site.client.get("/nulle-part", headers={"Accept-Language": "br"}).text
    assert '<h1 class="govuk-heading-l">N’eo ket bet kavet ar bajenn</h1>' in text
    assert '<p class="govuk-body" lang="fr">Vérifiez l’adresse' in text


def test_a_language_is_chosen_by_a_link_and_kept_by_a_cookie(site: Site) -> None:
    link = next(a for a in site.get("/aide").all("a") if a.get("hreflang") == "en")
    assert link["href"] == "/langue/en?suite=/aide"
    answer = site.client.get(link["href"])
    assert (answer.status_code, answer.headers["Location"]) == (303, "/aide")
    [cookie] = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("langue=en;") and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert '<html lang="en"' in site.client.get("/", headers={"Accept-Language": "br"}).text
    assert site.client.get("/langue/de").status_code == 404
    assert site.client.get("/langue/fr?suite=//mal.example").headers["Location"] == "/"


def test_shared_pages_are_kept_apart_by_language(shared: Any, world: World) -> None:  # noqa: F811
    def lang(**headers: str) -> str:
        text: str = (
            shared.test_client(use_cookies=False)
            .get("/", headers={k.replace("_", "-"): v for k, v in headers.items()})
            .text
        )
        return text.split('<html lang="')[1][:2]

    for _ in range(2):
        assert lang(Accept_Language="fr") == "fr"
        assert lang(Accept_Language="en") == "en"
        assert lang(Accept_Language="fr", Cookie="langue=br") == "br"
        assert lang(Accept_Language="en", Cookie="langue=klingon") == "en"
    assert len(world.seen) == 3


def test_a_request_leaves_no_language_behind(site: Site) -> None:
    site.client.get("/", headers={"Accept-Language": "en"})
    assert language.main() == "fr"
    csv = site.client.get(f"/scrutins/{DONE}/resultats.csv", headers={"Accept-Language": "en"})
    assert "rubrique" in csv.data.decode("utf-8-sig")


def test_dates_in_each_language() -> None:
    moment = "2026-11-23T10:00:00Z"
    try:
        language.begin("en", "pages/home.html")
        assert words.date_time(moment) == "Monday 23 November 2026 at 11:00"
        language.begin("br", "pages/home.html")
        assert words.short_date(moment) == "23 Du, 11:00"
    finally:
        language.end()
    assert words.short_date(moment) == "23\u00a0novembre à 11\u00a0h\u00a000"
