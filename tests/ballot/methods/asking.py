"""Questions and answers for tests of methods: written short, checked as a manifest's would be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from services.ballot.methods import METHODS
from services.ballot.methods.method import WrongAnswer, WrongQuestion
from services.ballot.protocol.questions import Option, Question
from services.shared import strict

Json = dict[str, Any]


def ask(method: str, options: Iterable[str], tie: str = "order", *, blank: bool = True, **settings: Any) -> Question:
    """A question that its method admits; `options` are ids, each its own label."""
    found = draft(method, options, tie, blank=blank, **settings)
    found.rule.check_question(found)
    return found


def draft(method: str, options: Iterable[str], tie: str = "order", *, blank: bool = True, **settings: Any) -> Question:
    rule = METHODS[method]
    shown = tuple(Option(option, option) for option in options)
    return Question("question", "Que voulez-vous ?", method, shown, blank, tie, rule, settings)


def count(question: Question, profile: Iterable[tuple[Any, int]]) -> Json:
    """The result, after every answer was checked as at the door."""
    pairs = list(profile)
    for answer, _ in pairs:
        question.rule.check(question, answer)
    result = question.rule.count(question, pairs)
    strict.canonical(result)
    return result


def ranked(text: str) -> Json:
    """`A > B=C` as an answer."""
    return {"ranking": [[option.strip() for option in group.split("=")] for group in text.split(">")]}


def rankings(votes: Mapping[str, int]) -> list[tuple[Json, int]]:
    return [(ranked(text), times) for text, times in votes.items()]


def choices(votes: Mapping[str, int]) -> list[tuple[Json, int]]:
    """`A B` as the choice of two options."""
    return [({"choices": text.split()}, times) for text, times in votes.items()]


def steps(result: Json, kind: str) -> list[Json]:
    return [step for step in result["steps"] if step["step"] == kind]


def refused_answer(question: Question, answer: Any) -> str | None:
    """The field that the refusal names."""
    with pytest.raises(WrongAnswer) as refused:
        question.rule.check(question, answer)
    assert refused.value.reason
    return refused.value.field


def refused_question(question: Question) -> str | None:
    with pytest.raises(WrongQuestion) as refused:
        question.rule.check_question(question)
    assert refused.value.reason
    return refused.value.field


def key(answer: Any) -> str:
    return json.dumps(answer, sort_keys=True)
