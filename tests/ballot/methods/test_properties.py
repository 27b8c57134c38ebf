"""What holds in every method, on random questions and profiles of each."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ballot.methods import METHODS
from services.ballot.methods.method import WrongAnswer
from services.ballot.protocol.questions import Question
from services.shared import strict
from tests.ballot.methods.asking import count, draft, key
from tests.ballot.methods.made import Draw, Profile

SUMS = [name for name, method in METHODS.items() if method.is_sum]
BUDGETS = ["budget_greedy", "budget_equal_shares"]
METHOD = st.sampled_from(sorted(METHODS))
# A seed, how many options, how many ballots: what shrinks.
MADE = st.tuples(st.integers(0, 2**32), st.integers(2, 8), st.integers(0, 12))
FEW = settings(max_examples=400, deadline=None)


def made(method: str, size: tuple[int, int, int]) -> tuple[Draw, Question, Profile]:
    seed, options, ballots = size
    draw = Draw(random.Random(seed))
    question = draw.question(method, options)
    return draw, question, draw.profile(question, ballots)


def values(value: Any) -> Iterator[Any]:
    """Everything in a JSON value that holds nothing else."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from values(inner)
    else:
        yield value


@FEW
@given(METHOD, MADE)
def test_no_accepted_ballot_can_stop_a_tally_and_every_result_has_one_form(
    method: str, size: tuple[int, int, int]
) -> None:
    _, question, profile = made(method, size)
    result = count(question, profile)
    assert strict.parse(strict.canonical(result), limit=1 << 24) == result
    assert {type(value) for value in values(result)} <= {int, str, bool, type(None)}
    blank = sum(times for answer, times in profile if "blank" in answer)
    assert result["blank"] == blank
    if method != "yes_no":
        assert result["expressed"] == sum(times for _, times in profile) - blank


@FEW
@given(METHOD, MADE)
def test_the_order_of_ballots_changes_nothing(method: str, size: tuple[int, int, int]) -> None:
    draw, question, profile = made(method, size)
    shuffled = draw.chance.sample(profile, len(profile))
    assert strict.canonical(count(question, shuffled)) == strict.canonical(count(question, profile))


@FEW
@given(st.sampled_from(SUMS), MADE, st.integers(0, 12))
def test_sums_of_stations_add_up_to_the_sums_of_the_whole(method: str, size: tuple[int, int, int], at: int) -> None:
    _, question, profile = made(method, size)
    rule = question.rule
    one, other = rule.sums(question, profile[:at]), rule.sums(question, profile[at:])
    whole = rule.sums(question, profile)
    assert rule.add(one, other) == rule.add(other, one) == whole
    assert {name: rule.count(question, profile)[name] for name in whole} == whole


@FEW
@given(METHOD, MADE)
def test_nobody_is_elected_twice_nor_more_than_there_are_seats(method: str, size: tuple[int, int, int]) -> None:
    _, question, profile = made(method, size)
    result = count(question, profile)
    winners = result["winners"] if method != "yes_no" else [result["winner"]] if result["winner"] else []
    assert len(set(winners)) == len(winners)
    assert set(winners) <= {option.id for option in question.options}
    most = 1 if method in ("irv", "yes_no") else question.settings.get("seats", len(winners))
    assert len(winners) <= most
    if method.startswith("stv") and result["expressed"]:
        assert len(winners) == most


@FEW
@given(st.sampled_from(("schulze", "ranked_pairs")), MADE)
def test_who_beats_everybody_wins(method: str, size: tuple[int, int, int]) -> None:
    _, question, profile = made(method, size)
    result = count(question, profile)
    best = result["steps"][0]["condorcet_winner"]
    names = [option.id for option in question.options]
    duels = {(a, b): _above(profile, a, b) for a in names for b in names if a != b}
    beating = [a for a in names if all(duels[a, b] > duels[b, a] for b in names if b != a)]
    assert beating == [best] * (best is not None)
    if best is not None:
        assert result["winners"][0] == best and result["ranking"][0] == [best]


def _above(profile: Profile, one: str, other: str) -> int:
    found = 0
    for answer, times in profile:
        places = {name: at for at, group in enumerate(answer.get("ranking", ())) for name in group}
        found += times * (places.get(one, 99) < places.get(other, 99))
    return found


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(BUDGETS), MADE)
def test_a_budget_never_spends_more_than_there_is(method: str, size: tuple[int, int, int]) -> None:
    _, question, profile = made(method, size)
    result = count(question, profile)
    costs, budget = question.settings["costs"], question.settings["budget"]
    assert result["left"] == budget - sum(costs[option] for option in result["winners"]) >= 0
    lefts = [step["left"] for step in result["steps"] if "left" in step]
    assert lefts == sorted(lefts, reverse=True)
    assert all(result["counts"][option] > 0 for option in result["winners"])


@FEW
@given(METHOD, MADE, st.integers(0, 2**32))
def test_a_check_accepts_or_refuses_and_never_fails(method: str, size: tuple[int, int, int], seed: int) -> None:
    """A refused answer is never counted, an accepted one always can be."""
    draw, question, _ = made(method, size)
    answer = draw.answer(question)
    question.rule.check(question, answer)
    for changed in _mutations(answer, random.Random(seed)):
        if admitted(question, changed):
            count(question, [(changed, 3)])


def admitted(question: Question, answer: Any) -> bool:
    try:
        question.rule.check(question, answer)
    except WrongAnswer:
        return False
    return True


STRANGE: list[Any] = [
    *(None, True, -1, 0, 1, 2**53 - 1, 1.5, "", "a", "blank", [], [[]], {}, {"a": 1}, [None], ["a", "a"], [["a"]] * 2),
    *({"choices": [["a"]]}, {"ranking": {"a": 1}}, {"points": ["a"]}, {"grades": {"a": []}}, {"items": {"one": {}}}),
]  # fmt: skip


def _mutations(answer: Any, chance: random.Random) -> Iterator[Any]:
    """The answer with each of its places put to something strange."""
    yield chance.choice(STRANGE)
    places: list[tuple[Any, ...]] = list(_places(answer, ()))
    for path in places:
        changed = copy.deepcopy(answer)
        holder = changed
        for step in path[:-1]:
            holder = holder[step]
        how = chance.randrange(4)
        if how == 0 and isinstance(holder, dict):
            holder["étrange"] = holder.pop(path[-1])
        elif how == 1:
            del holder[path[-1]]
        elif how == 2 and isinstance(holder, list):
            holder.append(holder[0])
        else:
            holder[path[-1]] = chance.choice(STRANGE)
        yield changed


def _places(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield (*path, name)
        yield from _places(one, (*path, name))


@pytest.mark.parametrize("method", sorted(METHODS))
def test_the_generator_makes_many_different_answers(method: str) -> None:
    """Else the properties above would say nothing."""
    draw = Draw(random.Random(1))
    question = draw.question(method, 6)
    distinct = {key(draw.answer(question)) for _ in range(60)}
    assert len(distinct) >= (3 if method == "yes_no" else 6)


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("profile", [[], [({"blank": True}, 5)]])
def test_no_expressed_ballot_elects_nobody(method: str, profile: Profile) -> None:
    question = Draw(random.Random(2)).question(method, 5)
    result = count(question, profile)
    assert result["blank"] == sum(times for _, times in profile)
    assert not (result["winner"] if method == "yes_no" else result["winners"])


@pytest.mark.parametrize("method", sorted(METHODS))
def test_settings_are_exactly_those_of_the_method(method: str) -> None:
    question = Draw(random.Random(3)).question(method, 5)
    names = [option.id for option in question.options]
    for changed in ({**question.settings, "étrange": 1}, dict(list(question.settings.items())[1:])):
        if changed != question.settings:
            wrong = draft(method, names, question.tie_break, **changed)
            with pytest.raises(Exception, match=r"known field|missing") as refused:
                wrong.rule.check_question(wrong)
            assert refused.value.field.startswith("settings.")
