"""From a source to a result: marks to answers, equal ballots counted together, the method run on the profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from services.ballot.count.answers import BLANK, Invalid, Unfit, converter
from services.ballot.count.asked import Asked, Question, Settings, options, tie_break
from services.ballot.count.files import MAX_BALLOTS, FileRefused
from services.ballot.count.source import Mark, Source
from services.ballot.methods import METHODS
from services.ballot.methods.budget import given
from services.ballot.methods.method import Question as Asks
from services.ballot.methods.method import WrongAnswer, is_blank
from services.ballot.protocol.profile import Answers
from services.ballot.protocol.questions import Question as PollQuestion
from services.shared import strict

Json = dict[str, Any]
_BLANK: Final = strict.canonical(BLANK)
_CHECKED: Final = (
    "multiple_choice",
    "score",
    "cumulative",
    "majority_judgment",
    "budget_greedy",
    "budget_equal_shares",
)
"""Whose bounds a ballot of a well-formed file can still break. Rankings and single choices come whole."""
_SEEN: Final = 4096


@dataclass
class Profile:
    """Distinct answers, as canonical bytes, and how many gave each."""

    counts: Counter[bytes] = field(default_factory=Counter)
    invalid: Counter[str] = field(default_factory=Counter)
    total: int = 0

    @property
    def answers(self) -> Answers:
        return Answers(self.counts)


def count(method: str, source: Source, asked: Asked) -> Json:
    """The result of a file. Raises FileRefused, or Unfit where method, options and file do not go together."""
    tie = tie_break(method, asked.tie_break)
    profile = _profile(source, converter(method, source))
    if method == "yes_no" and len(source.names) - len(source.withdrawn) != 2:
        raise Unfit(f"yes_no is between two options: the file has {len(source.names)}")
    settings = Settings(method, source, asked, profile.answers)
    question = Question(options(source), settings.all(), tie)
    if method in _CHECKED:
        _set_aside(method, question, profile)
    notes = source.notes + settings.notes
    if source.score_threshold is not None and "costs" in question.settings:
        question = _above_threshold(question, profile, source.score_threshold, notes)
    result = METHODS[method].count(question, profile.answers) if question.options else _nobody(profile)
    return _written(method, source.names, question, result, profile.invalid) | _extras(settings, notes, source)


def recount(method: str, question: PollQuestion, answers: Answers, asked: Asked) -> Json:
    """The result of a poll's own question by its own method: exactly what the tally says, unless `asked` changes it."""
    changed = {
        name: value
        for name in question.settings
        if (value := getattr(asked, name, None)) is not None and name != "budget"
    }
    if asked.budget is not None and "budget" in question.settings:
        if asked.budget.denominator != 1:
            raise Unfit("--budget must be whole here: the poll counts money in its own unit")
        changed["budget"] = int(asked.budget)
    tie = tie_break(method, asked.tie_break, question.tie_break)
    question = replace(question, tie_break=tie, settings=dict(question.settings) | changed)
    names = [option.label for option in question.options]
    return _written(method, names, question, question.rule.count(question, answers), Counter())


def _profile(source: Source, convert: Callable[[Mark], Json]) -> Profile:
    profile = Profile()

    @lru_cache(_SEEN)
    def answer(mark: Mark) -> bytes:
        return strict.canonical(convert(mark))

    for ballot in source.ballots:
        profile.total += ballot.times
        if profile.total > MAX_BALLOTS:
            raise FileRefused(f"the file holds more than {MAX_BALLOTS} ballots")
        if not ballot.times:
            continue
        if ballot.invalid:
            profile.invalid[ballot.invalid] += ballot.times
        elif ballot.mark is None:
            profile.counts[_BLANK] += ballot.times
        else:
            try:
                profile.counts[answer(ballot.mark)] += ballot.times
            except Invalid as invalid:
                profile.invalid[str(invalid)] += ballot.times
    return profile


def _set_aside(method: str, question: Asks, profile: Profile) -> None:
    """Answers that the method's own check refuses become invalid ballots."""
    for key in list(profile.counts):
        try:
            METHODS[method].check(question, strict.parse(key))
        except WrongAnswer as wrong:
            profile.invalid[wrong.reason] += profile.counts.pop(key)


def _above_threshold(question: Question, profile: Profile, least: int, notes: list[str]) -> Question:
    """Without the projects that the file's threshold excludes; their voters stay voters."""
    totals = dict.fromkeys((option.id for option in question.options), 0)
    for answer, times in profile.answers:
        for project, value in ({} if is_blank(answer) else given(answer)).items():
            totals[project] += value * times
    below = {project for project, total in totals.items() if total < least}
    if not below:
        return question
    told = ", ".join(option.id for option in question.options if option.id in below)
    notes.append(f"min_project_score_threshold {least}: not eligible are {told}")
    kept: Counter[bytes] = Counter()
    for answer, times in profile.answers:
        kept[strict.canonical(_without(answer, below))] += times
    profile.counts = kept
    costs = {project: cost for project, cost in question.settings["costs"].items() if project not in below}
    eligible = [option for option in question.options if option.id not in below]
    return replace(question, options=eligible, settings={**question.settings, "costs": costs})


def _without(answer: Json, below: set[str]) -> Json:
    if "choices" in answer:
        return {"choices": [project for project in answer["choices"] if project not in below]}
    if "points" in answer:
        return {"points": {project: value for project, value in answer["points"].items() if project not in below}}
    return answer


def _nobody(profile: Profile) -> Json:
    blank = profile.counts[_BLANK]
    return {"winners": [], "blank": blank, "expressed": profile.counts.total() - blank, "steps": []}


def _written(method: str, names: list[str], question: Asks, result: Mapping[str, Any], invalid: Counter[str]) -> Json:
    won = result["winners"] if "winners" in result else [result["winner"]] * (result["winner"] is not None)
    numbers = {option.id: number for number, option in enumerate(question.options, 1)}
    if len(numbers) != len(names):  # some withdrew: ids are the numbers themselves
        numbers = {option.id: int(option.id) for option in question.options}
    own = {name: value for name, value in result.items() if name not in ("winners", "winner", "steps")}
    return {
        "method": method,
        "candidates": names,
        "winners": [numbers[option] for option in won],
        "tie_break": question.tie_break,
        "settings": {name: value for name, value in question.settings.items() if name not in ("costs", "items")},
        **own,
        "invalid": invalid.total(),
        "invalid_reasons": dict(sorted(invalid.items())),
        "steps": result["steps"],
    }


def _extras(settings: Settings, notes: list[str], source: Source) -> Json:
    extras: Json = {"notes": notes}
    if source.withdrawn:
        extras["withdrawn"] = sorted(source.withdrawn)
    if settings.unit is not None:
        extras["unit"] = _unit(settings.unit, source.currency)
    return extras


def _unit(unit: Fraction, currency: str) -> str:
    places = len(str(unit.denominator)) - 1
    return f"{'1' if not places else '0.' + '1'.rjust(places, '0')} {currency}".strip()
