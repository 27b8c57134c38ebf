"""Yes or no: what may be answered, what is counted, who wins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ballot.methods import METHODS
from services.ballot.methods.method import WrongAnswer, WrongQuestion
from tests.ballot.builder import make_manifest

RULE = METHODS["yes_no"]
WITH_BLANK, WITHOUT = make_manifest().questions
PLACES = ({"choice": "oui"}, {"choice": "non"}, {"blank": True})


def counted(oui: int, non: int, blank: int) -> dict[str, Any]:
    return RULE.count(WITH_BLANK, list(zip(PLACES, (oui, non, blank), strict=True)))


def test_every_method_is_registered_under_its_own_name() -> None:
    assert {name: method.name for name, method in METHODS.items()} == {name: name for name in METHODS}


@pytest.mark.parametrize("answer", PLACES)
def test_an_option_or_a_blank_vote_is_an_answer(answer: dict[str, Any]) -> None:
    RULE.check(WITH_BLANK, answer)


@pytest.mark.parametrize(
    "answer, field",
    [
        (None, None),
        ("oui", None),
        ([], None),
        ({}, None),
        ({"choice": "oui", "blank": True}, None),
        ({"choice": "peut-être"}, "choice"),
        ({"choice": None}, "choice"),
        ({"choice": ["oui"]}, "choice"),
        ({"blank": False}, "blank"),
        ({"blank": 1}, "blank"),
        ({"vote": "oui"}, "vote"),
    ],
)
def test_anything_else_is_refused_with_its_field(answer: Any, field: str | None) -> None:
    with pytest.raises(WrongAnswer) as refused:
        RULE.check(WITH_BLANK, answer)
    assert refused.value.field == field


def test_a_blank_vote_must_be_offered() -> None:
    with pytest.raises(WrongAnswer) as refused:
        RULE.check(WITHOUT, {"blank": True})
    assert refused.value.field == "blank"


@pytest.mark.parametrize("options", [(), WITH_BLANK.options[:1], WITH_BLANK.options * 2])
def test_the_question_has_two_options(options: tuple[Any, ...]) -> None:
    with pytest.raises(WrongQuestion) as refused:
        RULE.check_question(replace(WITH_BLANK, options=options))
    assert refused.value.field == "options"


def test_more_votes_win_whatever_the_blank_ones() -> None:
    result = counted(3, 5, 100)
    assert result["counts"] == {"oui": 3, "non": 5}
    assert (result["blank"], result["winner"]) == (100, "non")
    assert result["steps"] == [
        {"step": "counted", "counts": {"oui": 3, "non": 5}, "blank": 100, "expressed": 8},
        {"step": "won", "option": "non"},
    ]


@pytest.mark.parametrize("votes", [0, 7])
def test_a_tie_has_no_winner_and_says_so(votes: int) -> None:
    result = counted(votes, votes, 1)
    assert result["winner"] is None
    assert result["steps"][1] == {"step": "tied", "options": ["oui", "non"]}


@given(*[st.integers(0, 10**6)] * 6)
def test_sums_of_two_profiles_are_the_sum_of_both(a: int, b: int, c: int, d: int, e: int, f: int) -> None:
    one, other = (list(zip(PLACES, votes, strict=True)) for votes in ((a, b, c), (d, e, f)))
    added = RULE.add(RULE.sums(WITH_BLANK, one), RULE.sums(WITH_BLANK, other))
    assert added == RULE.sums(WITH_BLANK, one + other)
    result = RULE.count(WITH_BLANK, one + other)
    assert {name: result[name] for name in added} == added
