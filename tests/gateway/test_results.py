"""Results pages of every method, made of real counts: sound HTML, all said in words, figures with their tables."""

from __future__ import annotations

import csv
import gzip
import io
import json
from fractions import Fraction
from typing import Any

import pytest

from services.gateway.pages.results import numbers, survey, views
from tests.gateway import results_cases
from tests.gateway.conftest import Site
from tests.gateway.html import Page
from tests.gateway.results_cases import CASES, SIZES, Case
from tests.gateway.stub_services import DONE, OPEN, Poll, World

KILOBYTE = 1024


@pytest.fixture
def world(reading: tuple[World, Site]) -> World:
    return reading[0]


@pytest.fixture
def site(reading: tuple[World, Site]) -> Site:
    return reading[1]


def shown(site: Site, world: World, case: Case) -> tuple[Page, dict[str, Any]]:
    result = results_cases.add(world, case)
    return site.get(case.path), result


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def words(page: Page) -> str:
    """The page's text as one line, without its typographic spaces."""
    return plain(" ".join(page.text.split()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_result_is_a_sound_page_that_names_those_chosen(site: Site, world: World, case: Case) -> None:
    page, result = shown(site, world, case)
    assert (page.status, page.faults()) == (200, [])
    assert len(page.data) <= 200 * KILOBYTE
    labels = {o["id"]: o["label"] for o in results_cases.question(case)["options"]}
    text = words(page)
    for option in result.get("winners", []):
        assert labels[option] in text
    pictures = [svg for svg in page.all("svg") if not svg.get("class", "").startswith("p ")]  # pieces of one are none
    for svg in pictures:
        assert svg.get("aria-hidden") == "true" or (svg["role"] == "img" and svg["aria-labelledby"])
    regions = [div for div in page.all("div") if div.get("role") == "region"]
    assert all(div["tabindex"] == "0" and div["aria-labelledby"] for div in regions)
    assert len(page.all("caption")) == len(page.all("table"))
    assert len([th for th in page.all("th") if th.get("scope") not in ("row", "col")]) == 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_csv_holds_every_figure_of_the_steps(site: Site, world: World, case: Case) -> None:
    result = results_cases.add(world, case)
    text = site.get(case.path + ".csv").data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert {len(row) for row in rows} == {5}
    told = {Fraction(row[4].replace(" ÷ ", "/") or row[3].replace(",", ".")) for row in rows[1:]}
    assert {Fraction(number) for number in _figures(result)} <= told
    assert json.loads(site.get(case.path + ".json").data)["tally"]["questions"][0]["result"] == result


def _figures(value: Any) -> list[Any]:
    """All numbers of a result, those in texts included."""
    if isinstance(value, dict):
        return [n for name, part in value.items() if name not in ("by", "round") for n in _figures(part)]
    if isinstance(value, list):
        return [n for part in value for n in _figures(part)]
    if isinstance(value, bool) or value is None:
        return []
    return [value] if isinstance(value, int) or value.replace("/", "").replace(".", "").isdigit() else []


@pytest.mark.parametrize("method", ["single_choice", "approval", "cumulative", "supports", "borda", "score"])
def test_a_sum_is_told_beside_its_bar(site: Site, world: World, method: str) -> None:
    page, result = shown(site, world, Case(method, 10))
    text = words(page)
    for value in result["counts"].values():
        assert plain(numbers.shown(value)) in text
    assert len([svg for svg in page.all("svg") if svg.get("class") == "bar"]) == 10


def test_the_threshold_is_drawn_on_every_bar_of_the_supports(site: Site, world: World) -> None:
    page, result = shown(site, world, Case("supports", 10))
    assert len([mark for mark in page.all("rect") if mark.get("class") == "bar__mark"]) == 10
    reached = [option for option, votes in result["counts"].items() if votes >= 300]
    assert words(page).count("seuil atteint") == len(reached) > 1
    assert f"{len(reached)} propositions retenues" in words(page)


def test_grades_stand_in_the_rankings_order_with_the_middle_drawn(site: Site, world: World) -> None:
    page, result = shown(site, world, Case("majority_judgment", 10))
    labels = {o["id"]: o["label"] for o in results_cases.question(Case("majority_judgment", 10))["options"]}
    order = [labels[option] for group in result["ranking"] for option in group]
    text = words(page)
    text = text[text.index("Mention majoritaire") :]
    assert [text.index(label) for label in order] == sorted(text.index(label) for label in order)
    assert {mark["x"] for mark in page.all("rect") if mark.get("class") == "bar__mark"} == {"50.0%"}


def test_a_duel_won_is_told_by_a_tick_and_the_winner_of_all_in_words(site: Site, world: World) -> None:
    page, result = shown(site, world, Case("schulze", 10))
    duels = result["steps"][0]["duels"]
    won = sum(votes > duels[b][a] for a, others in duels.items() for b, votes in others.items())
    paths = result["steps"][1]["paths"]
    stronger = sum(votes > paths[b][a] for a, others in paths.items() for b, votes in others.items())
    assert words(page).count("✓") == won + stronger + 2
    assert "vainqueur de Condorcet" in words(page)


def test_of_sixty_options_a_matrix_shows_twelve_and_says_where_the_rest_is(site: Site, world: World) -> None:
    page, _ = shown(site, world, Case("schulze", 60))
    assert "Les 12 premières options du classement sont ici ; les 60 sont dans le fichier CSV." in words(page)


def test_a_duel_set_aside_says_which_clearer_ones_it_contradicts(site: Site, world: World) -> None:
    page, result = shown(site, world, Case("ranked_pairs", 10, "tie"))
    assert any(step["step"] == "duel" and not step["locked"] for step in result["steps"])
    assert "Déjà acquis" in words(page) and words(page).count("écarté") >= 1


@pytest.mark.parametrize("method", ["irv", "stv_scottish", "stv_wigm"])
@pytest.mark.parametrize("size", SIZES)
def test_each_round_is_a_sentence_and_every_figure_a_table(site: Site, world: World, method: str, size: int) -> None:
    page, result = shown(site, world, Case(method, size))
    rounds = [step for step in result["steps"] if step["step"] == "round"]
    assert len(page.all("ol")) - len([o for o in page.all("ol") if o.get("class") != "govuk-list rounds-list"]) == 1
    text, many = words(page), len(rounds) > 16
    if many:
        pages = every_round(site, page)
        assert len(pages) == -(-len(rounds) // 8) and all(len(one.all("table")) == 1 for one in pages)
        text = " ".join(words(one) for one in pages)
        assert [f"Tour {step['round']}." in text for step in rounds] == [True] * len(rounds)
    for step in rounds:
        assert plain(numbers.shown(step["exhausted"])) in text
        for option in step["elected"]:
            assert f"est élu avec {plain(numbers.about(step['votes'][option]))} voix" in text
    folded = [b for b in page.all("details") if "folded" in b.get("class", "")]
    assert len(folded) == (not many and (size == 60 or len(rounds) > 8))


def every_round(site: Site, page: Page) -> list[Page]:
    """The pages that tell all rounds, from the link on the results to the last."""
    [address] = [a["href"] for a in page.all("a") if "/resultats/tours/" in a.get("href", "")]
    found = [site.get(address)]
    while onward := [a["href"] for a in found[-1].all("a") if a.get("rel") == "next"]:
        found.append(site.get(onward[0]))
    assert all((one.status, one.faults()) == (200, []) for one in found)
    return found


def test_rounds_that_are_not_there_are_not_found(site: Site, world: World) -> None:
    page, _ = shown(site, world, Case("irv", 60))
    [address] = [a["href"] for a in page.all("a") if "/resultats/tours/" in a.get("href", "")]
    assert site.get(f"{address}?page=99").status == 404
    assert site.get(address.replace("/q1", "/q9")).status == 404
    page, _ = shown(site, world, Case("approval", 10))
    assert site.get(f"{Case('approval', 10).path}/tours/q1").status == 404


def test_ribbons_keep_the_votes_from_round_to_round(site: Site, world: World) -> None:
    """Each bar is as wide as all ballots together, to one unit of rounding a piece."""
    page, _ = shown(site, world, Case("irv", 10))
    by_line: dict[str, int] = {}
    for rect in page.all("rect"):
        if "y" in rect:
            by_line[rect["y"]] = by_line.get(rect["y"], 0) + int(rect["width"])
    assert len(by_line) >= 5
    assert set(by_line.values()) == {10_000}


@pytest.mark.parametrize("case", [c for c in CASES if c.variant == "tie"], ids=lambda case: case.name)
def test_a_tie_says_between_whom_and_by_which_rule(site: Site, world: World, case: Case) -> None:
    page, result = shown(site, world, case)
    ties = [step for step in result["steps"] if step["step"] == "tie"]
    assert ties or case.method == "supports"
    rule = "tirage au sort annoncé dans le scrutin (graine « rennes-2026 »)" if case.size == 10 else "ordre des options"
    assert words(page).count(rule) == len(ties)


def test_more_than_five_equals_are_counted_not_listed(site: Site, world: World) -> None:
    page, result = shown(site, world, Case("irv", 60))
    text = " ".join(words(one) for one in every_round(site, page))
    many = [len(step["between"]) for step in result["steps"] if step["step"] == "tie" and len(step["between"]) > 5]
    assert many
    for equals in set(many):
        assert text.count(f"entre {equals} options") == many.count(equals)


@pytest.mark.parametrize("method", ["budget_greedy", "budget_equal_shares"])
def test_a_budget_says_what_is_funded_what_is_left_and_why_not(site: Site, world: World, method: str) -> None:
    page, result = shown(site, world, Case(method, 10))
    text, costs = words(page), results_cases.question(Case(method, 10))["settings"]["costs"]
    spent = sum(costs[option] for option in result["winners"])
    assert (
        f"projets financés pour {plain(numbers.euros(spent))} ; il reste {plain(numbers.euros(result['left']))}" in text
    )
    refused = [s for s in result["steps"] if s["step"] == "project" and not s["funded"]]
    assert text.count("il ne restait que") == len(refused) > 0


def test_equal_shares_tell_the_share_the_price_and_the_payers(site: Site, world: World) -> None:
    page, result = shown(site, world, Case("budget_equal_shares", 10))
    text = words(page)
    assert "chacun." in text and "complément" in text
    for step in result["steps"]:
        if step["step"] == "bought":
            assert f"{step['payers']} payeurs" in text
            assert plain(numbers.about(step["price"], 5)) in text


def test_mean_and_median_of_a_questionnaire_are_exact() -> None:
    assert survey.mean({1: 2, 4: 1}) == 2
    assert survey.median({1: 2, 4: 2}) == Fraction(5, 2)
    assert survey.median({-3: 1, 0: 1, 7: 1}) == 0
    assert survey.bins({0: 3, 2999: 1})[0] == ("de 0 à 499", 3)
    assert [times for _, times in survey.bins({-5: 1, 5: 2})] == [1, 0, 0, 0, 0, 2]
    assert survey.bins({4: 2}) == [("4", 2)]


def test_numbers_are_french_and_rounded_only_where_they_must_be() -> None:
    assert numbers.shown("7/2") == "3,5" and numbers.shown("7/3") == "2,33" and numbers.about("7/3") == "≈\u00a02,33"
    assert numbers.shown("12.34567") == "12,35" and numbers.shown(12345) == "12\u202f345"
    assert numbers.shown("-1/2") == "\N{MINUS SIGN}0,5" and numbers.shown("1/1000") == "0,00"
    assert numbers.precise("12.34567") == "12,34567" and numbers.precise("7/2") == ""


@pytest.mark.parametrize("method", sorted({case.method for case in CASES}))
def test_while_a_poll_is_open_sums_are_told_and_rankings_are_not(site: Site, world: World, method: str) -> None:
    case = Case(method, 2 if method == "yes_no" else 10)
    told = results_cases.sums(case)
    poll = world.polls[OPEN]
    poll.questions = [results_cases.question(case)]
    world.rewrite["ballot"] = lambda value: with_sums(value, told)
    page = site.get(f"/scrutins/{OPEN}/resultats")
    assert (page.status, page.faults()) == (200, [])
    if told is None:
        assert "on ne peut pas additionner des décomptes partiels" in words(page)
    else:
        assert "Décompte provisoire" in words(page) and len(page.all("table")) >= 2
    assert "l’emporte" not in words(page)


def with_sums(value: Any, told: Any) -> Any:
    if isinstance(value, dict) and "stations" in value:
        value["stations"] = [station | {"sums": [told]} for station in value["stations"]]
    return value


def test_sums_of_stations_are_added_whatever_their_shape() -> None:
    one = {"counts": {"a": [1, 2], "b": [0, 3]}, "blank": 1, "expressed": 3}
    assert views.added([one, one]) == {"counts": {"a": [2, 4], "b": [0, 6]}, "blank": 2, "expressed": 6}
    items = {"items": {"i": {"asked": 2, "answered": 1, "values": {"7": 1}}}, "blank": 0, "expressed": 2}
    other = {"items": {"i": {"asked": 1, "answered": 1, "values": {"9": 1}}}, "blank": 0, "expressed": 1}
    assert views.added([items, other])["items"]["i"] == {"asked": 3, "answered": 2, "values": {"7": 1, "9": 1}}


def test_a_method_that_the_pages_do_not_know_tells_its_winners(site: Site, world: World) -> None:
    case = Case("approval", 2)
    results_cases.add(world, case)
    poll: Poll = world.polls[case.poll]
    assert poll.tally is not None
    poll.questions[0]["method"] = "new"
    page = site.get(case.path)
    assert page.faults() == [] and "l’emporte" in words(page)


def test_results_are_compressed_for_who_asks_and_never_beside_a_form_s_token(site: Site) -> None:
    path, asks = f"/scrutins/{DONE}/resultats", {"Accept-Encoding": "gzip, br"}
    plain, light = site.client.get(path), site.client.get(path, headers=asks)
    assert light.headers["Content-Encoding"] == "gzip" and "Accept-Encoding" in light.headers["Vary"]
    assert gzip.decompress(light.data) == plain.data and len(light.data) * 2 < len(plain.data)
    assert "Content-Encoding" not in plain.headers
    site.sign_in()
    assert "Content-Encoding" not in site.client.get(path, headers=asks).headers
