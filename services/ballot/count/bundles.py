"""The export of a poll as a ballot file: the last ballot of each credential counts, as in the audit, by the same code.

Signatures, logs and checkpoints are not looked at: that is the audit's matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

from services.ballot.count.files import FileRefused, Tick
from services.ballot.count.source import Ballot, Kind, Mark, Source
from services.ballot.methods import METHODS
from services.ballot.protocol import ballots, bundle, manifest, profile
from services.ballot.protocol.manifest import Manifest
from services.ballot.protocol.profile import Answers
from services.ballot.protocol.questions import Question
from services.shared import strict
from services.shared.errors import Refusal

_FIELDS = ("choice", "choices", "ranking", "scores", "points", "grades")


class Poll:
    """A bundle being read."""

    def __init__(self, stream: BinaryIO, tick: Tick) -> None:
        self._stream, self._tick = stream, tick
        self._manifest: Manifest | None = None
        self._line = 0

    def question(self, wanted: str | None) -> tuple[Question, Answers]:
        """The question of that id (or the only one) and its profile. Reads the whole file."""
        try:
            winners = profile.fold(self._leaves())
        except FileRefused:
            raise
        except Refusal as refusal:
            where = f"{refusal.field}: " if refusal.field else ""
            raise FileRefused(f"{where}{refusal.reason}", self._line + 1) from None
        if self._manifest is None:
            raise FileRefused("holds no manifest", 1)
        questions = self._manifest.questions
        place = _place([question.id for question in questions], wanted)
        return questions[place], profile.per_question(self._manifest, winners.profile())[place]

    def _leaves(self) -> Iterator[bytes]:
        for line in bundle.read(self._raw()):
            if line.kind == "manifest":
                self._manifest = manifest.from_json(strict.parse(line.value, limit=bundle.MAX_LINE), METHODS)
            elif line.kind == "leaf" and line.value.endswith(ballots.BALLOT_END) and self._manifest is not None:
                ballots.parse(line.value, self._manifest, verify=False)
                yield line.value
            self._line = line.number

    def _raw(self) -> Iterator[bytes]:
        while raw := self._stream.readline(bundle.MAX_LINE):
            self._tick(len(raw))
            yield raw


def _place(ids: list[str], wanted: str | None) -> int:
    if wanted is None and len(ids) == 1:
        return 0
    if wanted is None:
        raise FileRefused(f"holds several questions: say --question with one of {', '.join(ids)}", 2)
    if wanted not in ids:
        raise FileRefused(f"has no question {wanted}: its questions are {', '.join(ids)}", 2)
    return ids.index(wanted)


def source(question: Question, answers: Answers) -> Source:
    """A question's ballots as neutral marks, for another method than its own."""
    numbers = {option.id: number for number, option in enumerate(question.options, 1)}
    settings = dict(question.settings)
    grades = [grade["id"] for grade in settings.get("grades", [])]
    found = Source(_kind(question), [option.label for option in question.options], ids=list(numbers))
    found.categories = [grade["label"] for grade in settings.get("grades", [])]
    found.settings = {name: settings[name] for name in ("completion", "utility", "threshold") if name in settings}
    found.seats = settings.get("seats")
    if "costs" in settings:
        found.budget = Fraction(settings["budget"])
        found.costs = [Fraction(settings["costs"][option]) for option in numbers]
    found.ballots = (
        Ballot(1, times, None if "blank" in answer else _mark(answer, numbers, grades)) for answer, times in answers
    )
    return found


def _kind(question: Question) -> Kind:
    by_method: dict[str, Kind] = {
        **dict.fromkeys(("borda", "schulze", "ranked_pairs", "irv", "stv_scottish", "stv_wigm"), "ranking"),
        **dict.fromkeys(("score", "cumulative"), "numbers"),
        "majority_judgment": "categories",
    }
    if question.method == "survey":
        raise FileRefused("a questionnaire's answers can be counted as a survey alone", 2)
    if question.settings.get("ballot", {}).get("kind") == "points":
        return "numbers"
    return by_method.get(question.method, "approvals")


def _mark(answer: Any, numbers: dict[str, int], grades: list[str]) -> Mark:
    name = next(name for name in _FIELDS if name in answer)
    value = answer[name]
    if name == "choice":
        return (numbers[value],)
    if name == "choices":
        return tuple(numbers[option] for option in value)
    if name == "ranking":
        return tuple(tuple(numbers[option] for option in group) for group in value)
    if name == "grades":
        return tuple(tuple(sorted(numbers[o] for o, given in value.items() if given == grade)) for grade in grades)
    return tuple(sorted((numbers[option], given) for option, given in value.items()))
