"""Pabulib files: their rules, their money, and the real ones where they are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ballot.count.runner import Count, Done, counter, refusal, run

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "pabulib"
PROJECTS = "project_id;cost;category;name\na;100;vert,jeux;Arbres\nb;60;jeux;Balançoire\nc;50.0;;\n"


def pb(votes: str, *meta: str, kind: str = "approval", budget: str = "150", projects: str = PROJECTS) -> str:
    voters = len(votes.splitlines()) - 1
    told = "".join(f"{line}\n" for line in meta)
    return (
        f"META\nkey;value\nnum_projects;3\nnum_votes;{voters}\nbudget;{budget}\nvote_type;{kind}\n{told}"
        f"PROJECTS\n{projects}VOTES\n{votes}"
    )


VOTES = "voter_id;vote\n1;a,b\n2;b\n3;b,c\n4;c\n5;a\n"
POINTS = "voter_id;vote;points\n1;a,b;3,1\n2;b;2\n3;c,a;1,1\n"


@pytest.fixture
def count(tmp_path: Path) -> Count:
    return counter(tmp_path, "vote.pb")


def test_projects_are_funded_while_the_money_lasts(count: Count) -> None:
    result = count("greedy", pb(VOTES)).result
    assert result["candidates"] == ["Arbres", "Balançoire", "c"], "the id where there is no name"
    assert (result["winners"], result["left"], result["unit"]) == ([2, 3], 40, "1")
    assert count("greedy", pb(VOTES), "--budget", "1000").winners == [2, 1, 3]
    assert count("mes", pb(VOTES)).result["settings"]["completion"] == "none"
    assert count("mes", pb(VOTES), "--completion", "utilitarian", "--utility", "count").code == 0


def test_money_is_exact_to_the_cent(count: Count) -> None:
    cents = PROJECTS.replace("100;", "89.99;").replace("60;", "60.01;")
    result = count("greedy", pb(VOTES, "currency;EUR", projects=cents, budget="150.00")).result
    assert (result["unit"], result["budget"], result["winners"], result["left"]) == ("0.01 EUR", 15000, [2, 1], 0)


def test_points_scores_and_choices_are_counted_by_the_methods_that_read_them(count: Count) -> None:
    cumulative = pb(POINTS, "max_points;3", "max_sum_points;4", kind="cumulative")
    assert count("cumulative", cumulative, "--seats", "2").winners == [1, 2]
    assert count("greedy", cumulative).result["counts"] == {"1": 4, "2": 3, "3": 1}
    scoring = pb(POINTS.replace(";2\n", ";-2\n"), "default_score;1", kind="scoring")
    scores = count("score", scoring).result
    assert scores["settings"]["least"] == -2
    assert scores["counts"] == {"1": 3 + 1 + 1 + 6, "2": 1 - 2 + 1 + 6, "3": 1 + 1 + 1 + 6}, "others get 1; above −2"
    assert count("fptp", pb("voter_id;vote\n1;a\n2;b\n3;b\n", kind="choose-1")).winners == [2]


def test_ordinal_votes_are_rankings_and_points_only_where_the_file_says_so(count: Count) -> None:
    ordinal = pb("voter_id;vote\n1;b,a\n2;a,c\n3;b\n", "max_length;2", kind="ordinal")
    assert count("irv", ordinal).winners == [2]
    refused = count("greedy", ordinal)
    assert refused.code == 2
    assert "scoring_fn" in refused.err
    result = count("greedy", ordinal.replace("max_length;2", "max_length;2\nscoring_fn;Borda")).result
    assert result["counts"] == {"1": 3, "2": 4, "3": 1}


@pytest.mark.parametrize(
    "rule, broken",
    [
        ("min_length;2", 3),
        ("max_length;1", 2),
        ("min_sum_cost;60", 1),
        ("max_sum_cost;100", 2),
        ("categories;vert,jeux\nmin_length_per_category;0,1", 1),
        ("categories;vert,jeux\nmax_length_per_category;1", 1),
        ("categories;vert,jeux\nmax_sum_cost_per_category;100,110", 1),
        ("categories;jeux,vert\nmin_sum_cost_per_category;60,0", 1),
    ],
)
def test_a_ballot_that_breaks_the_files_rule_is_invalid_by_its_name(count: Count, rule: str, broken: int) -> None:
    result = count("greedy", pb(VOTES, rule)).result
    name = rule.rpartition("\n")[2].partition(";")[0]
    assert result["invalid_reasons"] == {name: broken}
    assert result["expressed"] == 5 - broken


@pytest.mark.parametrize("rule", ["min_points;2", "max_points;2", "min_sum_points;4", "max_sum_points;3"])
def test_points_have_their_rules_too(count: Count, rule: str) -> None:
    result = count("greedy", pb(POINTS, rule, kind="cumulative")).result
    assert list(result["invalid_reasons"]) == [rule.partition(";")[0]]


def test_unknown_projects_and_projects_named_twice_are_invalid(count: Count) -> None:
    result = count("greedy", pb("voter_id;vote\n1;a,zz\n2;b,b\n3;c\n4;\n")).result
    assert result["invalid_reasons"] == {"a project stands twice": 1, "unknown project": 1}
    assert (result["winners"], result["blank"]) == ([3], 1)
    assert count("greedy", pb("voter_id;vote\n1;\n2;a\n", "min_length;1")).result["invalid_reasons"] == {
        "min_length": 1
    }


def test_projects_below_the_threshold_are_not_eligible_and_the_result_says_so(count: Count) -> None:
    result = count("greedy", pb(VOTES, "min_project_score_threshold;3")).result
    assert result["winners"] == [2]
    assert result["notes"] == ["min_project_score_threshold 3: not eligible are 1, 3"]
    assert result["expressed"] == 5, "their voters stay voters"


def test_a_budget_divided_among_categories_is_not_silently_ignored(count: Count) -> None:
    divided = pb(VOTES, "categories;vert,jeux", "budget_per_category;100,50")
    refused = count("greedy", divided)
    assert refused.code == 2
    assert "budget_per_category" in refused.err
    assert count("greedy", divided, "--ignore-category-budgets").winners == [2, 3]


@pytest.mark.parametrize(
    "content, line, reason",
    [
        ("", 1, "META"),
        ("META\nkey;value\nbudget;3\n", 3, "PROJECTS is missing"),
        (pb(VOTES).partition("VOTES")[0], 11, "VOTES is missing"),
        (pb(VOTES).replace("num_votes;5", "num_votes;6"), 18, "num_votes says 6, the file holds 5"),
        (pb(VOTES).replace("num_projects;3", "num_projects;4"), 12, "num_projects says 4"),
        (pb(VOTES, kind="lottery"), 7, "vote_type"),
        (pb(VOTES).replace("b;60", "a;60"), 10, "stands twice"),
        (pb(VOTES).replace("b;60", "b;sixty"), 10, "cost must be a number"),
        (pb(VOTES).replace("b;60", "b;-60"), 10, "must not be negative"),
        (pb(VOTES, budget="x"), 12, "budget must be a number"),
        (pb(VOTES).replace("project_id;cost", "project_id;price"), 8, "has no cost"),
        (pb("voter_id;vote\n1;a\n2\n"), 15, "has 1 fields"),
        (pb("voter_id;vote\n1;a;b\n"), 14, "has 3 fields"),
        (pb('voter_id;vote\n1;a\n2;"a\n'), 15, "quote is not closed"),
        (pb("voter_id;vote;points\n1;a,b;1\n", kind="cumulative"), 14, "gives 1 points to 2 projects"),
        (pb("voter_id;vote;points\n1;a;1.5\n", kind="cumulative"), 14, "whole number"),
        (pb("voter_id;vote\n1;a\n", kind="cumulative"), 13, "has no points"),
    ],
)
def test_a_broken_file_is_refused_with_its_line_and_the_reason(
    count: Count, content: str, line: int, reason: str
) -> None:
    at, why = refusal(count("greedy", content))
    assert reason in why
    assert at == line, why


@pytest.mark.skipif(not DATA.is_dir(), reason="the files of Pabulib are not at hand")
@pytest.mark.parametrize("path", sorted(DATA.glob("*.pb")), ids=lambda path: path.stem)
def test_every_file_of_toulouse_is_counted(path: Path) -> None:
    done: Done = run("greedy", path)
    result = done.result
    assert result["winners"]
    assert result["invalid"] == 0
    assert result["left"] >= 0


@pytest.mark.skipif(not DATA.is_dir(), reason="the files of Pabulib are not at hand")
def test_the_totals_are_those_that_toulouse_published() -> None:
    path = DATA / "France_Toulouse_2019.pb"
    lines = path.read_text().split("PROJECTS\n")[1].split("VOTES\n")[0].splitlines()[1:]
    published = {str(number): int(line.split(";")[3]) for number, line in enumerate(lines, 1)}
    assert run("greedy", path).result["counts"] == published
