"""PrefLib files: orders and categories."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ballot.count.runner import Done, counter, refusal


def header(kind: str, voters: int, lines: int, *, names: str = "ABC") -> str:
    alternatives = "".join(f"# ALTERNATIVE NAME {place}: {name}\n" for place, name in enumerate(names, 1))
    return (
        f"# FILE NAME: 00001.{kind}\n# TITLE: Un vote\n# DATA TYPE: {kind}\n# NUMBER ALTERNATIVES: {len(names)}\n"
        f"# NUMBER VOTERS: {voters}\n# NUMBER UNIQUE ORDERS: {lines}\n{alternatives}"
    )


def categories(voters: int, *names: str) -> str:
    told = "".join(f"# CATEGORY NAME {place}: {name}\n" for place, name in enumerate(names, 1))
    return header("cat", voters, 2).replace("# NUMBER UNIQUE ORDERS: 2\n", f"# NUMBER CATEGORIES: {len(names)}\n{told}")


def count(folder: Path, method: str, kind: str, content: str, *options: str) -> Done:
    return counter(folder, f"vote.{kind}")(method, content, *options)


def test_strict_orders_complete_or_not_are_counted(tmp_path: Path) -> None:
    soc = header("soc", 5, 2) + "3: 1,2,3\n2: 3,2,1\n"
    soi = header("soi", 6, 3) + "3: 1\n2: 3,2\n1: \n"
    assert count(tmp_path, "irv", "soc", soc).winners == [1]
    result = count(tmp_path, "stv", "soi", soi, "--seats", "2").result
    assert (result["winners"], result["blank"]) == ([1, 3], 1)


def test_orders_with_ties_are_counted_by_condorcet_and_refused_by_irv(tmp_path: Path) -> None:
    toc = header("toc", 5, 2) + "3: 1,{2,3}\n2: {2,3},1\n"
    assert count(tmp_path, "schulze", "toc", toc).result["ranking"] == [["1"], ["2", "3"]]
    line, reason = refusal(count(tmp_path, "irv", "toc", toc))
    assert line == 10
    assert "equal ranks" in reason
    assert count(tmp_path, "borda", "toi", header("toi", 2, 1) + "2: {2,3}\n").winners == [2]


def test_two_categories_are_approvals_and_the_result_says_so(tmp_path: Path) -> None:
    cat = categories(5, "Oui", "Non") + "3: {1,2},3\n2: {},{1,2,3}\n"
    result = count(tmp_path, "approval", "cat", cat, "--seats", "2").result
    assert (result["winners"], result["expressed"]) == ([1, 2], 5)
    assert result["notes"] == ["approved is who is in the first category, “Oui”"]


def test_categories_are_grades_best_first_scores_and_a_weak_order(tmp_path: Path) -> None:
    cat = categories(3, "Bien", "Passable", "Rejeté") + "2: 1,2,3\n1: 2,{1,3},{}\n"
    result = count(tmp_path, "mj", "cat", cat).result
    assert (result["winners"], result["majority_grades"]) == ([1], {"1": "1", "2": "2", "3": "3"})
    assert count(tmp_path, "score", "cat", cat).result["counts"] == {"1": 5, "2": 4, "3": 1}
    assert count(tmp_path, "ranked_pairs", "cat", cat).winners == [1]
    refused = count(tmp_path, "approval", "cat", cat)
    assert refused.code == 2
    assert "needs two categories" in refused.err


@pytest.mark.parametrize(
    "kind, content, line, reason",
    [
        ("soc", "", 1, "has no header"),
        ("soc", "3: 1,2,3\n", 1, "has no header"),
        ("soc", header("soc", 3, 1).replace("# ALTERNATIVE NAME 2: B\n", "") + "3: 1,2,3\n", 9, "NAME 2"),
        ("soc", header("soc", 3, 1).replace("# NUMBER ALTERNATIVES: 3\n", "") + "3: 1,2,3\n", 9, "NUMBER ALTERNATIVES"),
        ("soi", header("soc", 3, 1) + "3: 1,2,3\n", 10, "DATA TYPE says"),
        ("soc", header("soc", 3, 1) + "3: 1,2\n", 10, "must name all 3"),
        ("toc", header("toc", 3, 1) + "3: 1,{2}\n", 10, "must name all 3"),
        ("soi", header("soi", 3, 1) + "3: 1,2,1\n", 10, "alternative 1 stands twice"),
        ("soi", header("soi", 3, 1) + "3: 1,4\n", 10, "from 1 to 3"),
        ("soi", header("soi", 3, 1) + "3: 1,{2,3}\n", 10, "strict"),
        ("toi", header("toi", 3, 1) + "3: 1,{}\n", 10, "a rank is empty"),
        ("toi", header("toi", 3, 1) + "3: 1,{2\n", 10, "cannot be read from"),
        ("soi", header("soi", 3, 1) + "3: 1,,2\n", 10, "cannot be read from"),
        ("soi", header("soi", 3, 1) + "3: 1,\n", 10, "cannot be read from"),
        ("soi", header("soi", 3, 1) + "1,2,3\n", 10, "count: order"),
        ("soi", header("soi", 3, 1) + "-3: 1\n", 10, "count must be a whole number"),
        ("soi", header("soi", 4, 1) + "3: 1\n", 10, "NUMBER VOTERS: 4, the file holds 3"),
        ("soi", header("soi", 3, 2) + "3: 1\n", 10, "NUMBER UNIQUE ORDERS: 2, the file holds 1"),
        ("cat", categories(3, "Oui", "Non") + "3: {1,2}\n", 12, "has 1 categories"),
        ("cat", categories(3, "Oui", "Non") + "3: {1,2},2\n", 12, "stands twice"),
    ],
)
def test_a_broken_file_is_refused_with_its_line_and_the_reason(
    tmp_path: Path, kind: str, content: str, line: int, reason: str
) -> None:
    at, why = refusal(count(tmp_path, "schulze", kind, content))
    assert at == line, why
    assert reason in why
