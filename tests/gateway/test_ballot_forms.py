"""The ballot paper of each method: what a form means, what is wrong with it and what to do, what comes back."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest

from services.ballot.methods import METHODS
from services.gateway.clients.ballot import Question
from services.gateway.pages import marked, marking, method_words
from tests.gateway import ballot_cases as cases
from tests.gateway.conftest import Site
from tests.gateway.stub_services import OPEN, World

ROOT = f"/scrutins/{OPEN}"
CHECK, CAST = f"{ROOT}/voter/verifier", f"{ROOT}/voter/deposer"
Json = dict[str, Any]


def asked(method: str, options: int = 5, **other: Any) -> Question:
    return msgspec.convert(cases.question(method, options, **other), Question)


def form(answer: Json, prefix: str = "reponse-q1") -> dict[str, str]:
    """The fields that a person marks for this answer."""
    [(kind, given)] = answer.items()
    if kind == "blank":
        return {prefix: "blanc"}
    if kind == "choice":
        return {prefix: f"choix:{given}"}
    if kind == "choices":
        return {f"{prefix}.{option}": "1" for option in given}
    if kind == "ranking":
        return {f"{prefix}.{option}": str(rank) for rank, group in enumerate(given, start=1) for option in group}
    if kind == "grades":
        return {f"{prefix}.{option}": f"choix:{grade}" for option, grade in given.items()}
    if kind != "items":
        return {f"{prefix}.{option}": str(value) for option, value in given.items()}
    fields = {}
    for item, value in given.items():
        if isinstance(value, list):
            fields |= {f"{prefix}.{item}.{option}": "1" for option in value}
        else:
            fields[f"{prefix}.{item}"] = f"choix:{value}" if isinstance(value, str) else str(value)
    return fields


def plain(text: str) -> str:
    """With ordinary spaces."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def faults(question: Question, **fields: str) -> list[str]:
    with pytest.raises(marking.Wrong) as wrong:
        marking.answer(question, {f"reponse-q1.{name}" if name else "reponse-q1": v for name, v in fields.items()})
    return [plain(fault.text) for fault in wrong.value.faults]


@pytest.mark.parametrize("method", METHODS)
def test_what_is_marked_is_the_answer_that_the_ballot_service_takes(method: str) -> None:
    chance = random.Random(7)
    question, rule = asked(method), cases.read(cases.question(method))
    for _ in range(60):
        given = cases.answer(cases.question(method), chance)
        read = marking.answer(question, form(given))
        assert read == given
        rule.rule.check(rule, read)


@pytest.mark.parametrize("method", METHODS)
def test_an_empty_ballot_is_told_at_its_first_field_and_a_blank_vote_is_offered(method: str) -> None:
    question = asked(method)
    with pytest.raises(marking.Wrong) as wrong:
        marking.answer(question, {})
    assert wrong.value.faults[0].field.startswith("reponse-q1")
    assert marking.answer(question, {"reponse-q1": "blanc"}) == {"blank": True}


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"yes_no", "single_choice", "survey"}))
def test_a_blank_vote_with_marks_asks_which_is_meant(method: str) -> None:
    marks = form(cases.answer(cases.question(method), random.Random(3)))
    with pytest.raises(marking.Wrong) as wrong:
        marking.answer(asked(method), marks | {"reponse-q1": "blanc"})
    assert [plain(f.text) for f in wrong.value.faults] == [
        "Vous avez coché « Vote blanc » et répondu aussi : gardez l’un ou l’autre."
    ]


def test_an_approval_of_nothing_is_an_answer_only_where_no_blank_vote_is_offered() -> None:
    assert marking.answer(asked("approval", blank=False), {}) == {"choices": []}
    assert faults(asked("approval")) == ["Cochez 1 case au moins, ou votez blanc."]


def test_faults_say_what_to_do() -> None:
    assert faults(asked("multiple_choice"), o0="1", o1="1", o2="1", o3="1") == [
        "Vous avez coché 4 cases : il en faut 3 au plus. Décochez-en 1."
    ]
    assert faults(asked("cumulative"), o0="5", o1="5", o2="2") == [
        "Vous avez réparti 12 points : il y en a 10. Retirez-en 2."
    ]
    assert faults(asked("cumulative"), o0="beaucoup", o1="6") == [
        "Pour « Jardin partagé des Maraîchers », écrivez un nombre de points de 0 à 5, au lieu de « beaucoup ».",
        "Pour « Pistes cyclables vers la gare », écrivez un nombre de points de 0 à 5, au lieu de « 6 ».",
    ]
    assert faults(asked("irv"), o0="2", o1="2", o2="1") == [
        "Le rang 2 est donné à « Jardin partagé des Maraîchers » et à « Pistes cyclables vers la gare » : "
        "donnez à chacune un rang différent."
    ]
    assert faults(asked("schulze"), o0="9") == [
        "Pour « Jardin partagé des Maraîchers », écrivez un rang de 1 à 5, ou rien, au lieu de « 9 »."
    ]
    assert faults(asked("survey"), venir="choix:auto", foyer="40") == [
        "Répondez à la question « Où vous garez-vous ? ».",
        "« Combien de personnes vivent chez vous ? » : écrivez un nombre entier de 1 à 20, au lieu de « 40 ».",
    ]


def test_gaps_in_ranks_are_closed_and_equals_stand_together_where_they_may() -> None:
    fields = {"reponse-q1.o2": "1", "reponse-q1.o0": "4", "reponse-q1.o4": "4"}
    assert marking.answer(asked("schulze"), fields) == {"ranking": [["o2"], ["o0", "o4"]]}


def test_what_a_questionnaire_does_not_ask_is_left_out_of_the_ballot() -> None:
    fields = {"reponse-q1.venir": "choix:pied", "reponse-q1.parking.gare": "1"}
    assert marking.answer(asked("survey"), fields) == {"items": {"venir": "pied"}}


@pytest.mark.parametrize("method", METHODS)
def test_the_check_page_says_the_answer_in_words(method: str) -> None:
    chance = random.Random(11)
    labels = {option["id"]: option["label"] for option in cases.question(method)["options"]}
    for _ in range(20):
        given = cases.answer(cases.question(method), chance)
        said = marked.words(asked(method), given)
        text = " ".join([*said.lines, *said.notes])
        named = [label for option, label in labels.items() if f"'{option}'" in repr(given)]
        assert all(label in text for label in named)
        assert said.ordered is ("ranking" in given)
    assert marked.words(asked(method), {"blank": True}).lines == ["Vote blanc"]


def test_what_is_left_out_is_said_with_its_meaning() -> None:
    assert [plain(n) for n in marked.words(asked("irv"), {"ranking": [["o1"], ["o0"], ["o2"], ["o3"]]}).notes] == [
        "1 réponse n’est pas classée : votre bulletin ne lui ira jamais."
    ]
    grades = {"grades": {"o0": "g0", "o1": "g2"}}
    assert [plain(n) for n in marked.words(asked("majority_judgment"), grades).notes] == [
        "3 réponses sans mention reçoivent « À rejeter »."
    ]
    budget = marked.words(asked("budget_greedy"), {"choices": ["o0", "o1"]})
    assert "En tout 31" in budget.notes[0] and "sur un budget de 400" in budget.notes[0]


@pytest.mark.parametrize("method", METHODS)
def test_a_vote_goes_from_the_paper_to_the_receipt_without_a_script(site: Site, world: World, method: str) -> None:
    world.polls[OPEN].questions = [cases.question(method)]
    given = cases.answer(cases.question(method), random.Random(5))
    site.sign_in()
    paper = site.get(f"{ROOT}/voter")
    assert (paper.status, paper.faults()) == (200, [])
    check = site.submit(paper, CHECK, **form(given))
    assert (check.status, check.faults()) == (200, [])
    assert {k: v for k, v in check.form(CAST).items() if k.startswith("reponse-")} == form(given)
    again = site.post(CHECK, **check.form(CAST), modifier="1")
    assert again.faults() == []
    receipt = site.submit(check, CAST)
    assert receipt.status == 200
    [leaf] = [json.loads(ballot) for ballot in world.ballots.values()]
    assert leaf["body"]["answers"] == [given]


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"yes_no"}))
def test_a_wrong_form_comes_back_with_all_that_was_typed_and_links_to_each_fault(
    site: Site, world: World, method: str
) -> None:
    world.polls[OPEN].questions = [cases.question(method)]
    site.sign_in()
    typed = {"reponse-q1.o1": "beaucoup", "reponse-q1.foyer": "beaucoup"}
    page = site.submit(site.get(f"{ROOT}/voter"), CHECK, **typed)
    assert (page.status, page.faults()) == (400, [])
    assert page.title.startswith("Erreur")
    linked = {a["href"].removeprefix("#") for a in page.all("a") if a["href"].startswith("#reponse-")}
    assert linked
    assert linked <= {tag["id"] for name in ("input", "select", "fieldset") for tag in page.all(name) if "id" in tag}
    if marking.shape(asked(method)) in ("points", "survey"):
        assert "beaucoup" in {tag.get("value") for tag in page.all("input")}


@pytest.mark.parametrize("options", [2, 16, 60, 200])
def test_long_ballots_stay_light(site: Site, world: World, options: int) -> None:
    world.polls[OPEN].questions = [cases.question("schulze", options)]
    site.sign_in()
    page = site.get(f"{ROOT}/voter")
    assert (page.status, page.faults()) == (200, [])
    assert len(page.source) < 110_000


@pytest.mark.parametrize("method", METHODS)
def test_a_polls_page_says_how_it_is_voted_counted_and_decided(site: Site, world: World, method: str) -> None:
    world.polls[OPEN].questions = [cases.question(method)]
    page = site.get(ROOT)
    assert (page.status, page.faults()) == (200, [])
    assert method_words.METHODS[method].counting in page.text
    assert method == "survey" or "égalité" in page.text


def test_every_method_has_its_words() -> None:
    assert set(method_words.METHODS) == set(METHODS)
