"""BLT files, as STV programs write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ballot.count.runner import Count, counter, refusal

GOOD = """\
4 2  # four candidates, two seats
-2

3 1 3 4 0
(b-17 x) 4 2 3 1 0
2 1
 - 3 0
5 0
2 4 0
0
"Alice A"
"Bob "the" B"
Céline
"Dan"   # the last one
"Conseil 2026"
"""


@pytest.fixture
def count(tmp_path: Path) -> Count:
    return counter(tmp_path, "vote.blt")


def test_names_withdrawn_candidates_blank_lines_ids_and_comments_are_read(count: Count) -> None:
    result = count("stv", GOOD).result
    assert result["candidates"] == ["Alice A", 'Bob "the" B', "Céline", "Dan"]
    assert (result["winners"], result["blank"], result["invalid"]) == ([1, 3], 5, 0)
    assert result["steps"][0]["votes"] == {"1": 5, "3": 4, "4": 2}, "Bob withdrew: his ballots go on to the next"
    assert result["withdrawn"] == [2]


def test_seats_of_the_command_win_over_those_of_the_file(count: Count) -> None:
    assert count("stv", GOOD, "--seats", "1").winners == [1]
    assert count("stv", GOOD, "--seats", "9").winners == [1, 3, 4], "all who can be are elected"


def test_a_title_may_be_missing_and_everything_may_stand_on_one_line(count: Count) -> None:
    assert count("irv", '2 1 3 1 0 4 2 1 0 0 "A" "B"').winners == [2]


def test_bytes_of_windows_do_not_matter(count: Count) -> None:
    assert count("stv", b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()).winners == [1, 3]


def test_an_election_without_votes_has_no_winner_and_that_is_no_error(count: Count) -> None:
    for method in ("stv", "wigm", "irv", "schulze", "borda", "ranked-pairs", "fptp"):
        assert count(method, "2 1\n0\nA\nB\n").winners == []
    assert count("stv", "1 1\n-1\n3 1 0\n0\nA\n").result["blank"] == 3, "all withdrew"


def test_the_methods_own_rule_decides_before_the_tie_break(count: Count) -> None:
    """C and D are equal at stage 2, D had fewer at stage 1: D goes out, whatever the tie-break says."""
    ballots = "4 1\n10 1 0\n9 2 0\n3 4 1 0\n4 3 2 0\n1 1 0\n0\nA\nB\nC\nD\n"
    assert not [step for step in count("stv", ballots).result["steps"] if step["step"] == "tie"]


def test_a_tie_that_the_tie_break_decides_stands_in_the_steps(count: Count) -> None:
    tied = "2 1\n1 1 0\n1 2 0\n0\nA\nB\n"
    by_order = count("fptp", tied).result
    assert by_order["winners"] == [1]
    assert {"step": "tie", "for": "seat", "between": ["1", "2"], "chosen": ["1"], "by": "order"} in by_order["steps"]
    drawn = {count("fptp", tied, "--tie-break", f"lot:s{seed}").winners[0] for seed in range(12)}
    assert drawn == {1, 2}, "another seed, another lot"


@pytest.mark.parametrize("method", ["irv", "stv", "wigm"])
def test_equal_ranks_are_refused_where_the_method_admits_none(count: Count, method: str) -> None:
    line, reason = refusal(count(method, "3 1\n2 1 0\n1 2=3 1 0\n0\nA\nB\nC\n"))
    assert line == 3
    assert "equal ranks" in reason


def test_equal_ranks_are_counted_by_condorcet_and_invalid_for_one_choice(count: Count) -> None:
    ballots = "3 1\n2 1 0\n3 2=3 1 0\n1 3 1=2 0\n0\nA\nB\nC\n"
    assert count("schulze", ballots).winners == [3]
    one = count("plurality", ballots).result
    assert (one["winners"], one["invalid"]) == ([1], 3)
    assert one["invalid_reasons"] == {"two candidates are first": 3}


@pytest.mark.parametrize(
    "content, line, reason",
    [
        ("", 1, "is empty"),
        ("\n\n", 2, "is empty"),
        ("3\n", 1, "two numbers"),
        ("0 1\n0\n", 1, "candidates must be from 1"),
        ("2 0\n0\nA\nB\n", 1, "seats must be from 1"),
        ("999999999999999999999 1\n", 1, "must be a whole number"),
        ("2 1\n1 1 2 0\n1 3 0\n0\nA\nB\n", 3, "a candidate must be from 1 to 2"),
        ("2 1\n1.5 1 0\n0\nA\nB\n", 2, "weight must be a whole number"),
        ("2 1\n-1 2 0\n0\nA\nB\n", 2, "must not be negative"),
        ("2 1\n1 2 0\n-1 2 0\n0\nA\nB\n", 3, "weight must be a whole number"),
        ("2 1\n1 1 1 0\n0\nA\nB\n", 2, "stands twice"),
        ("2 1\n1 1==2 0\n0\nA\nB\n", 2, "must be a whole number"),
        ("2 1\n1 1 0\n", 2, "do not end"),
        ("2 1\n1 1 0\nA\nB\n", 4, "do not end"),
        ("2 1\n1 1 0\n0\n", 3, "names 0 candidates"),
        ("2 1\n1 1 0\n0\nA\n", 4, "names 1 candidates"),
        ("2 1\n1 1 0\n0\nA\nB\nTitle\nMore\n", 7, "stands after"),
        ('2 1\n1 1 0\n0\n"A\nB\n', 4, "quote is not closed"),
        ("2 1\n(a) 0\n0\nA\nB\n", 2, "has no weight"),
        ("2 1\n900000000000 1 0\n900000000000 1 0\n0\nA\nB\n", 3, "more than"),
        ("2 1\n1 1 0\n0\nA\0\nB\n", 4, "NUL"),
    ],
)
def test_a_broken_file_is_refused_with_its_line_and_the_reason(
    count: Count, content: str, line: int, reason: str
) -> None:
    at, why = refusal(count("schulze", content))
    assert at == line, why
    assert reason in why


def test_what_is_no_text_is_refused(count: Count) -> None:
    assert refusal(count("irv", b"2 1\n1 1 0\n\xff\xfe\n")) == (3, "not UTF-8 at byte 0 of the line")
    assert "longer than" in refusal(count("irv", b"2 1\n" + b"1 " * 600_000))[1]
