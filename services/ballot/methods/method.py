"""What a voting method sees of a question, and what it offers. Methods know neither manifests nor logs.

A method is one class in one file: it checks what may be asked (`check_question`), checks each answer at the door and in
the audit (`check`), and counts a profile (`count`). All numbers are integers or exact fractions (`numbers.exact`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from services.ballot.protocol.fields import Fields
from services.shared.errors import BadInput

Json = dict[str, Any]
Profile = Iterable[tuple[Any, int]]
"""Distinct answer, how many chose it. Answers were checked before; none stands twice. May be walked more than once."""


class WrongQuestion(BadInput):
    """The method cannot ask this question; `field` is relative to the question."""


class WrongAnswer(BadInput):
    """The question does not admit this answer; `field` is relative to the answer."""


class Option(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def label(self) -> str: ...


class Question(Protocol):
    @property
    def options(self) -> Sequence[Option]: ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the method needs to know besides: exactly the names that the method lists."""

    @property
    def blank(self) -> bool:
        """Whether a blank vote is offered: a first-class answer, counted apart from all others."""

    @property
    def tie_break(self) -> str:
        """`none`, `order`, or `lot:<seed>`: see `ties`. What a method decides by a rule of its own comes first."""


class Method(ABC):
    """One way to vote. Results depend on the profile alone, never on the order of ballots or stations."""

    name: ClassVar[str]
    is_sum: ClassVar[bool] = False
    tie_breaks: ClassVar[Collection[str]] = ("order", "lot")
    settings: ClassVar[Collection[str]] = ()
    """The names that a question's `settings` must hold, exactly."""
    least_options: ClassVar[int] = 2

    def check_question(self, question: Question) -> None:
        """Raises WrongQuestion unless this method can ask it."""
        if len(question.options) < self.least_options:
            raise WrongQuestion(f"must hold at least {self.least_options} options", field="options")
        self.check_settings(question, Fields(question.settings, self.settings, path="settings", refusal=WrongQuestion))

    def check_settings(self, question: Question, settings: Fields) -> None:  # noqa: B027 some methods have no more to check
        """Raises WrongQuestion unless each of the settings, whose names are right already, can stand."""

    def check(self, question: Question, answer: Any) -> None:
        """Raises WrongAnswer unless `answer` (decoded JSON) is exactly one that the question admits.

        A blank vote is {"blank": true}, in every method.
        """
        if isinstance(answer, dict) and "blank" in answer:
            if len(answer) != 1:
                raise WrongAnswer("a blank vote holds nothing else")
            if answer["blank"] is not True:
                raise WrongAnswer("must be true", field="blank")
            if not question.blank:
                raise WrongAnswer("the question does not offer a blank vote", field="blank")
            return
        self.check_marks(question, answer)

    @abstractmethod
    def check_marks(self, question: Question, answer: Any) -> None:
        """Raises WrongAnswer unless `answer`, which is no blank vote, is one that the question admits."""

    def sums(self, question: Question, profile: Profile) -> Json:
        """What may be told while the poll runs: of two profiles added, it is `add` of both. Only where `is_sum`."""
        raise NotImplementedError(f"{self.name} is no sum")

    def add(self, one: Json, other: Json) -> Json:
        """The sums of two profiles together. Only where `is_sum`."""
        raise NotImplementedError(f"{self.name} is no sum")

    @abstractmethod
    def count(self, question: Question, profile: Profile) -> Json:
        """The result, as JSON of integers, texts, lists and objects: `winners` (option ids, in order of election; none
        is no error), `expressed` and `blank` (ballots), `steps` (what a person needs to redo it, in order), and
        whatever else the method yields."""


def is_blank(answer: Any) -> bool:
    """Of a checked answer."""
    return "blank" in answer


def ids(question: Question) -> list[str]:
    return [option.id for option in question.options]


def check_seats(question: Question, settings: Fields) -> None:
    """`seats`: how many options are elected, at least one and fewer than there are options."""
    settings.integer("seats", least=1, most=max(1, len(question.options) - 1))
