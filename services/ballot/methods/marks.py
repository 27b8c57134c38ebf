"""The shapes that answers have: options chosen, numbers given to options, grades, rankings. Each is checked exactly.

{"choice": id} · {"choices": [ids]} · {"scores" | "points": {id: number}} · {"grades": {id: grade}} ·
{"ranking": [[ids], …]}, best first, equals together. Ids in `choices` stand in the question's order, so that the same
choice has one form and is counted as one ballot; so do equals within a ranking.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from services.ballot.methods.method import Question, WrongAnswer, ids


def only(answer: Any, name: str) -> Any:
    """The value of the answer's one field."""
    if not isinstance(answer, dict) or len(answer) != 1:
        raise WrongAnswer(f"must be an object with one field: {name}, or blank where that is offered")
    if name not in answer:
        raise WrongAnswer("is not a known field", field=str(next(iter(answer)))[:80])
    return answer[name]


def one(question: Question, answer: Any) -> str:
    """{"choice": id}"""
    choice = only(answer, "choice")
    if not isinstance(choice, str) or choice not in ids(question):
        raise WrongAnswer("is not an option of the question", field="choice")
    return choice


def several(question: Question, answer: Any, least: int, most: int) -> list[str]:
    """{"choices": [ids]}, in the question's order, each once."""
    choices = only(answer, "choices")
    if not isinstance(choices, list) or not least <= len(choices) <= most:
        exactly = f"exactly {least}" if least == most else f"{least} to {most}"
        raise WrongAnswer(f"must hold {exactly} options", field="choices")
    _in_order(question, choices, "choices")
    return choices


def numbers(question: Question, answer: Any, name: str, least: int, most: int) -> dict[str, int]:
    """{name: {id: integer}}, at least one option named."""
    given = _by_option(question, answer, name)
    for option, value in given.items():
        if type(value) is not int or not least <= value <= most:
            raise WrongAnswer(f"must be an integer from {least} to {most}", field=f"{name}.{option}")
    return given


def grades(question: Question, answer: Any, known: Collection[str]) -> dict[str, str]:
    """{"grades": {id: grade}}, at least one option named."""
    given = _by_option(question, answer, "grades")
    for option, grade in given.items():
        if not isinstance(grade, str) or grade not in known:
            raise WrongAnswer("is not a grade of the question", field=f"grades.{option}")
    return given


def ranking(question: Question, answer: Any, *, equals: bool) -> list[list[str]]:
    """{"ranking": [[ids], …]}: at least one option, none twice; equal ranks only where the method admits them."""
    groups = only(answer, "ranking")
    if not isinstance(groups, list) or not 1 <= len(groups) <= len(question.options):
        raise WrongAnswer(f"must hold 1 to {len(question.options)} ranks", field="ranking")
    seen: set[str] = set()
    for place, group in enumerate(groups):
        field = f"ranking[{place}]"
        if not isinstance(group, list) or not group:
            raise WrongAnswer("must be a list of options", field=field)
        if len(group) > 1 and not equals:
            raise WrongAnswer("equal ranks are not admitted here: one option at each rank", field=field)
        _in_order(question, group, field)
        if seen.intersection(group):
            raise WrongAnswer("an option stands at two ranks", field=field)
        seen.update(group)
    return groups


def _by_option(question: Question, answer: Any, name: str) -> dict[str, Any]:
    given = only(answer, name)
    if not isinstance(given, Mapping) or not given:
        raise WrongAnswer("must name at least one option", field=name)
    known = set(ids(question))
    for option in given:
        if option not in known:
            raise WrongAnswer("is not an option of the question", field=f"{name}.{str(option)[:80]}")
    return dict(given)


def _in_order(question: Question, options: list[Any], field: str) -> None:
    places = {option: place for place, option in enumerate(ids(question))}
    before = -1
    for option in options:
        if not isinstance(option, str) or option not in places:
            raise WrongAnswer("names what is not an option of the question", field=field)
        if places[option] == before:
            raise WrongAnswer("names an option twice", field=field)
        if places[option] < before:
            raise WrongAnswer("must name options in the question's order, each once", field=field)
        before = places[option]
