"""Majority judgment: lower medians, the majority value among equals, then the tie-break."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ballot.methods.majority_judgment import compare
from tests.ballot.methods.asking import Json, ask, count, draft, refused_answer, refused_question, steps

CITIES = ("memphis", "nashville", "chattanooga", "knoxville")
GRADES = [{"id": grade, "label": grade.title()} for grade in ("excellent", "good", "fair", "poor")]


def judged(**given: str) -> Json:
    return {"grades": given}


def question(options: Any, tie: str = "order", seats: int = 1) -> Any:
    return ask("majority_judgment", options, tie, grades=GRADES, seats=seats)


def test_tennessee_in_words() -> None:
    """The usual example: Nashville, Chattanooga and Knoxville are all fair; Nashville has the best majority value."""
    given = {
        42: ("excellent", "fair", "poor", "poor"),
        26: ("poor", "excellent", "fair", "fair"),
        15: ("poor", "fair", "excellent", "good"),
        17: ("poor", "fair", "good", "excellent"),
    }
    profile = [({"grades": dict(zip(CITIES, grades, strict=True))}, times) for times, grades in given.items()]
    result = count(question(CITIES, seats=2), profile)
    assert result["counts"]["chattanooga"] == [15, 17, 26, 42]
    assert result["majority_grades"] == dict(zip(CITIES, ("poor", "fair", "fair", "fair"), strict=True))
    assert result["ranking"] == [["nashville"], ["knoxville"], ["chattanooga"], ["memphis"]]
    assert result["winners"] == ["nashville", "knoxville"] and not steps(result, "tie")


def test_the_lower_of_two_medians_counts() -> None:
    result = count(question("ab"), [(judged(a="excellent", b="fair"), 1), (judged(a="poor", b="fair"), 1)])
    assert result["majority_grades"] == {"a": "poor", "b": "fair"} and result["winners"] == ["b"]


def test_no_grade_is_the_worst_one() -> None:
    result = count(question("ab"), [(judged(a="fair"), 3), (judged(b="excellent"), 2)])
    assert result["counts"] == {"a": [0, 0, 3, 2], "b": [2, 0, 0, 3]} and result["winners"] == ["a"]


def test_equals_in_every_grade_go_by_the_tie_break() -> None:
    profile = [(judged(a="good", b="fair", c="good"), 1), (judged(a="fair", b="good", c="good"), 1)]
    result = count(question("abc", seats=2), profile)
    assert result["ranking"] == [["c"], ["a", "b"]] and result["winners"] == ["c", "a"]
    assert steps(result, "tie") == [
        {"step": "tie", "for": "seat", "between": ["a", "b"], "chosen": ["a"], "by": "order"}
    ]
    [drawn] = steps(count(question("abc", "lot:x", seats=2), profile), "tie")
    assert sorted(drawn["between"]) == ["a", "b"] and drawn["by"] == "lot:x"


def value(counts: list[int]) -> list[int]:
    """The majority value by its definition: the lower median, then that of the others, and so on."""
    grades = [place for place, number in enumerate(counts) for _ in range(number)]
    found = []
    while grades:
        found.append(grades.pop(len(grades) // 2))  # of an even number, best first, the worse of the middle two
    return found


SAME = st.integers(2, 5).flatmap(
    lambda size: st.lists(st.integers(0, size - 1), min_size=1, max_size=12).flatmap(
        lambda one: st.tuples(st.just(size), st.just(one), st.permutations(one) | st.lists(
            st.integers(0, size - 1), min_size=len(one), max_size=len(one)))
    )
)  # fmt: skip


@given(SAME)
def test_many_grades_taken_away_at_once_compare_as_one_by_one(both: tuple[int, list[int], list[int]]) -> None:
    size, one, other = both
    a, b = ([grades.count(place) for place in range(size)] for grades in (one, other))
    found, wanted = compare(a, b), (value(a) > value(b)) - (value(a) < value(b))
    assert (found > 0) - (found < 0) == wanted


@pytest.mark.parametrize(
    "answer, field",
    [(judged(), "grades"), (judged(a="superb"), "grades.a"), (judged(z="good"), "grades.z"),
     ({"grades": {"a": ["good"]}}, "grades.a"), ({"grades": ["good"]}, "grades"), ({"scores": {}}, "scores")],
)  # fmt: skip
def test_another_answer_is_refused(answer: Any, field: str) -> None:
    assert refused_answer(question("abc"), answer) == field


@pytest.mark.parametrize(
    "grades, field",
    [(GRADES[:1], "settings.grades"), (GRADES * 3, "settings.grades"), ("good", "settings.grades"),
     ([*GRADES, GRADES[0]], "settings.grades[4].id"), ([GRADES[0], {"id": "x"}], "settings.grades[1].label"),
     ([GRADES[0], {"id": "X", "label": "x"}], "settings.grades[1].id"),
     ([{"id": "x", "label": ""}, GRADES[0]], "settings.grades[0].label"), ([GRADES[0], 3], "settings.grades[1]")],
)  # fmt: skip
def test_wrong_grades_are_refused(grades: Any, field: str) -> None:
    assert refused_question(draft("majority_judgment", "abc", grades=grades, seats=1)) == field
    assert refused_question(draft("majority_judgment", "abc", grades=GRADES, seats=3)) == "settings.seats"
