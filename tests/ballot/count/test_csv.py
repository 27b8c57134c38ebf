"""CSV files: ranked and wide."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ballot.count.runner import Count, counter, refusal

RANKED = 'choix 1;choix 2;nombre\nAnne;Zoé;3\n"Zoé";;2\nskipped;Anne;1\novervote;Anne;4\nZoé;Zoé;1\n;undervote;2\n'
WIDE = "id,Anne,Bob,Zoé\nx,1,0,1\ny,0,0,0\nz,1,,\nt,,,\n"


@pytest.fixture
def count(tmp_path: Path) -> Count:
    return counter(tmp_path, "vote.csv")


def test_ranked_cells_hold_names_in_order_of_appearance(count: Count) -> None:
    result = count("irv", RANKED).result
    assert result["candidates"] == ["Anne", "Zoé"]
    assert (result["winners"], result["expressed"], result["blank"], result["invalid"]) == ([1], 6, 2, 5)
    assert result["invalid_reasons"] == {
        "a candidate stands at two ranks": 1,
        "overvote: two candidates at one rank": 4,
    }


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_each_separator_is_found(count: Count, separator: str) -> None:
    content = RANKED.replace(";", separator)
    assert count("borda", content).winners == [1]


def test_wide_cells_are_approvals_where_the_method_reads_approvals(count: Count) -> None:
    result = count("approval", WIDE).result
    assert result["candidates"] == ["Anne", "Bob", "Zoé"]
    assert (result["counts"], result["blank"]) == ({"1": 2, "2": 0, "3": 1}, 1)
    one = count("fptp", WIDE).result
    assert (one["winners"], one["invalid_reasons"]) == ([1], {"more than one choice": 1})


def test_wide_cells_are_scores_points_grades_or_ranks(count: Count) -> None:
    numbers = "A,B,C\n1,0,5\n3,,2\n"
    assert count("score", numbers).result["counts"] == {"1": 4, "2": 0, "3": 7}
    assert count("cumulative", numbers).winners == [3]
    assert count("mj", numbers).winners == [3]
    assert count("schulze", numbers, "--cells", "ranks", "--tie-break", "order").winners == [1]
    wrong = count("schulze", numbers)
    assert wrong.code == 2
    assert "--cells ranks" in wrong.err


def test_a_ballot_beyond_the_bounds_of_the_command_is_invalid(count: Count) -> None:
    numbers = "A,B\n1,2\n9,0\n"
    result = count("score", numbers, "--most", "5").result
    assert (result["winners"], result["invalid_reasons"]) == ([2], {"must be an integer from 0 to 5": 1})
    result = count("cumulative", numbers, "--points", "3", "--most", "3").result
    assert (result["winners"], result["invalid"]) == ([2], 1)
    result = count("multiple-choice", "A,B,C\n1,1,0\n1,1,1\n0,0,1\n", "--most", "2").result
    assert (result["counts"], result["invalid"]) == ({"1": 1, "2": 1, "3": 1}, 1)


def test_scores_may_be_negative(count: Count) -> None:
    result = count("range", "A,B\n-2,1\n-1,0\n").result
    assert (result["winners"], result["settings"]["least"]) == ([2], -2)


def test_yes_or_no_is_between_two(count: Count) -> None:
    assert count("yes_no", "Oui,Non,nombre\n1,0,4\n0,1,2\n0,0,3\n").result["counts"] == {"1": 4, "2": 2}
    assert count("yes_no", "Oui,Non\n1,0\n0,1\n").winners == []
    assert count("yes_no", WIDE).code == 2


@pytest.mark.parametrize(
    "content, line, reason",
    [
        ("", 1, "is empty"),
        (",,\nA,B,C\n", 1, "names no column"),
        ('""\n', 1, "names no column"),
        ("rank1,rank2,age\nA,B,3\n", 1, "neither a rank nor a count"),
        ("rank1,count\nA,1\nB\n", 3, "has 1 fields, the first line has 2"),
        ("rank1,count\nA,1\nB,-1\n", 3, "count must be a whole number"),
        ("rank1,count\nA,1\nB,0.5\n", 3, "count must be a whole number"),
        ("rank1,count,weight\nA,1,1\n", 1, "two columns"),
        ('rank1,count\nA,1\n"B,1\n', 3, "cannot be read as fields"),
        ("count\n3\n", 1, "columns of candidates"),
    ],
)
def test_a_broken_file_is_refused_with_its_line_and_the_reason(
    count: Count, content: str, line: int, reason: str
) -> None:
    at, why = refusal(count("schulze", content))
    assert at == line, why
    assert reason in why


def test_a_cell_that_is_no_number_is_refused_with_its_line(count: Count) -> None:
    assert refusal(count("score", "A,B\n1,2\n1,x\n"))[0] == 3
    assert refusal(count("approval", "A,B\n1,1\n1,2\n")) == (3, "an approval must be 0 or 1, not 2")
    assert refusal(count("borda", "A,B\n1,-2\n", "--cells", "ranks"))[0] == 2
